package manifest

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// serverFields are what "kubectl get -o yaml" prints and only the server writes. Sent back, they would be refused
// (managedFields), make each apply fail once the object changed (resourceVersion, uid), or come up as drift.
var serverFields = [][]string{
	{"metadata", "creationTimestamp"},
	{"metadata", "deletionGracePeriodSeconds"},
	{"metadata", "deletionTimestamp"},
	{"metadata", "generation"},
	{"metadata", "managedFields"},
	{"metadata", "resourceVersion"},
	{"metadata", "selfLink"},
	{"metadata", "uid"},
	{"metadata", "annotations", "deployment.kubernetes.io/revision"},
	{"metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"},
	{"status"},
}

// dropServerFields removes the server's fields from an object and returns the paths of those that said something.
// Generators write an empty status, which is nobody's mistake.
func dropServerFields(content map[string]any) []string {
	var dropped []string
	for _, path := range serverFields {
		// An error means that there is something else on the way, and so not this field.
		v, there, err := unstructured.NestedFieldNoCopy(content, path...)
		if !there || err != nil {
			continue
		}
		unstructured.RemoveNestedField(content, path...)
		if !isBlank(v) {
			dropped = append(dropped, fleet.FormatPath(pathTo(path...)))
		}
	}
	annotations, _, err := unstructured.NestedMap(content, "metadata", "annotations")
	if err == nil && len(annotations) == 0 && len(dropped) > 0 {
		unstructured.RemoveNestedField(content, "metadata", "annotations")
	}
	return dropped
}

// isBlank tells whether a value contains nothing but zero values.
func isBlank(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, value := range v {
			if !isBlank(value) {
				return false
			}
		}
		return true
	case []any:
		for _, item := range v {
			if !isBlank(item) {
				return false
			}
		}
		return true
	default:
		return v == nil || v == "" || v == false || v == int64(0)
	}
}
