// Package placement decides which clusters of a fleet are chosen, and says why the others are not.
//
// It is pure: selectors and clusters in, a decision with a reason for every cluster out. The same input always
// gives the same decision, whatever the order of the clusters.
//
//	selector, err := placement.Compile(fleet.Selector{MatchLabels: map[string]string{"region": "eu"}})
//	decision, err := placement.Select([]*placement.Selector{selector}, clusters, nil)
//	// decision.Selected: [eu-1 eu-2]; decision.Rejected: us-1: label region is "us", not "eu"
//
// A plan is made before everything is known: a label may come from a resource that does not exist yet. So a
// selector answers in three values, and what can be decided without the missing parts is decided.
package placement
