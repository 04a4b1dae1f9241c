// Package inventory keeps, in every cluster, the record of what a set put there: a parent object as KEP-3659
// (https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/3659-kubectl-apply-prune) defines it. With it a
// set is found again when the state is lost, half-written or held by a run that was killed, and "what runs where"
// has an answer on the cluster itself.
package inventory
