// Package fleettest gives tests a fleet of real clusters, proxies that break in front of them, and real Terraform.
// Only tests import it.
//
// A package whose tests use the fleet has one TestMain:
//
//	func TestMain(m *testing.M) { fleettest.Main(m) }
//
// The fleet is the one in the directory FLEET_TEST_DIR, where that is set, so that many packages and many runs share
// one; tests keep apart by using namespaces of their own. Otherwise the first test that asks for a cluster starts a
// fleet, which ends with the test process, however that ends. Tests that need it are skipped unless TF_ACC is set.
package fleettest
