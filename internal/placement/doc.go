// Package placement decides which clusters of a fleet are chosen, and says why the others are not.
//
// It is pure: a policy and clusters in, a decision with a reason for every cluster out. The same input always gives the
// same decision, whatever the order of the clusters; the time counts only where it is given.
//
//	selector, err := placement.Compile(fleet.Selector{MatchLabels: map[string]string{"region": "eu"}})
//	decision, err := placement.Select([]*placement.Selector{selector}, clusters, nil)
//	// decision.Selected: [eu-1 eu-2]; decision.Rejected: us-1: label region is "us", not "eu"
//
// A policy says more than selectors can: how many clusters, spread over what, the best by which scores, what to do when
// some are lost. [Schedule] decides by it, with the decision before as an input, so that as little moves as can be.
//
//	three := int64(3)
//	decision, err := placement.Schedule(placement.Policy{NumberOfClusters: &three}, placement.Input{Clusters: clusters})
//
// [Divide] divides replicas over the clusters chosen.
//
// A plan is made before everything is known: a label may come from a resource that does not exist yet. So a
// selector answers in three values, and what can be decided without the missing parts is decided.
package placement
