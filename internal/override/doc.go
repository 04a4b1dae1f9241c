// Package override changes objects for a cluster: rules, a cluster and objects in, objects out. It is pure: no clock, no
// network, no cluster.
//
//	overrides, err := override.Compile([]override.Rule{{
//		Target:     manifest.Target{Kind: "Deployment"}.Matches,
//		MergePatch: "spec: {replicas: 1}",
//	}})
//	result, err := overrides.Rewrite(cluster, objects)
//	unused := overrides.Unused(uses) // the Uses of the results of all clusters
//
// # What a rule does
//
// Rules are applied in their order, each to what the earlier ones made of the object. Which objects a rule is for is told
// from the objects as they were given, so that a rule that changes a label makes no later rule miss its target.
// The kinds of rules are:
//
//   - a JSON patch (RFC 6902). A location has to exist where the RFC says so, and a test that fails is an error. Negative
//     positions, which many programs accept, are no positions.
//   - a merge patch (RFC 7386). Null removes a field, lists are replaced as a whole. It never fails.
//   - a strategic merge patch, as kubectl and kustomize know it: lists with a merge key, such as containers by their name, are merged
//     item by item, and the directives $patch, $retainKeys, $setElementOrder and $deleteFromPrimitiveList are understood. It
//     takes the Go types of k8s.io/api to know the lists. Kinds that are not among them (custom resources, and
//     CustomResourceDefinition and APIService) are patched by the rules of a merge patch; directives are errors there. New
//     items come before the others. The ports of a container are told apart by containerPort alone, so that two of one number
//     and different protocols cannot be; where that matters, a JSON patch can.
//   - images: other names, tags or digests for images in the pods that an object describes.
//   - exclude: the object is not wanted on the cluster.
//
// Patches are YAML or JSON and read as strictly as manifests. What a patch makes of an object's identity (API group, kind,
// namespace and name) has to be what it was; another version of the same API is fine.
//
// Null and absent say the same in server-side apply, so null values of mappings are dropped from what a patch results in.
// Whether the result is valid only a server can tell.
//
// # What errors tell
//
// Errors of [Check] and [Compile] name fields and never repeat a value, because what a patch is for is not known then. Those
// of Rewrite repeat no value of a Secret or of an object that is marked as confidential.
package override
