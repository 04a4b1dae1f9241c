// Package ssa speaks server-side apply to one cluster: what fields an object would own, what a dry run
// makes of it, how to apply, correct, release and delete it, and who else owns its fields.
//
// It decides about one object at a time and knows nothing of sets, waves or state. The semantics are those of
// KEP-555 (https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/555-server-side-apply).
package ssa
