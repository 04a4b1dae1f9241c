// Package ocmtest makes Open Cluster Management of the test fleet, for tests only: it installs the definitions of a hub and of a
// site, registers clusters at a hub, and runs an agent. The agent is either a stand-in that follows the documented contract of
// the work agent, or the real one, whose program is named by the environment variable FLEET_OCM_AGENT.
package ocmtest
