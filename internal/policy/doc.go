// Package policy judges objects by CEL policies as the API server's ValidatingAdmissionPolicy does, without an API server. It is pure:
// expressions are compiled and run by the API server's own code, and what only a cluster knows is an argument, or counts as unknown.
package policy
