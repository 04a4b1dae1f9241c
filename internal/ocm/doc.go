// Package ocm turns the objects of a set into ManifestWorks of Open Cluster Management, and what agents report of those back into
// what became of the objects. It is pure: internal/deploy speaks to the hub.
//
// A set is one or more works in the namespace that the hub has for the cluster. Which work an object is in is decided once: it stays
// there until the work would become too large.
package ocm
