package manifest

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// DefinedKind is a kind that a CustomResourceDefinition of the set brings, so that its objects can be planned
// before any cluster serves it.
type DefinedKind struct {
	schema.GroupKind
	// Plural is the name of the resource in URLs.
	Plural string
	// Versions are those served, in the order of the definition.
	Versions []string
	// Namespaced tells the scope.
	Namespaced bool
	// Replicas is where its objects have their number of replicas, if the definition has a scale subresource.
	Replicas []string
}

// DefinedKinds returns the kinds that the set itself defines, ordered by group and kind. A definition that lacks
// what identifies its kind is left for the server to refuse.
func DefinedKinds(objects []Object) []DefinedKind {
	var kinds []DefinedKind
	for _, o := range objects {
		if o.Key.Group != "apiextensions.k8s.io" || o.Key.Kind != "CustomResourceDefinition" {
			continue
		}
		kind := DefinedKind{
			GroupKind:  schema.GroupKind{Group: stringAt(o.Object, "spec", "group"), Kind: stringAt(o.Object, "spec", "names", "kind")},
			Plural:     stringAt(o.Object, "spec", "names", "plural"),
			Versions:   servedVersions(o.Object),
			Namespaced: stringAt(o.Object, "spec", "scope") == "Namespaced",
			Replicas:   scalePath(o.Object),
		}
		if kind.Group != "" && kind.Kind != "" && kind.Plural != "" {
			kinds = append(kinds, kind)
		}
	}
	slices.SortFunc(kinds, func(a, b DefinedKind) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind))
	})
	return kinds
}

// served are the versions that the definition says are served.
func served(definition map[string]any) []map[string]any {
	// The errors and absences that the unstructured accessors report mean a malformed definition, which the
	// server will refuse with more to say.
	versions, _, _ := unstructured.NestedFieldNoCopy(definition, "spec", "versions")
	list, _ := versions.([]any)
	var found []map[string]any
	for _, item := range list {
		version, _ := item.(map[string]any)
		if isServed, _ := version["served"].(bool); isServed {
			found = append(found, version)
		}
	}
	return found
}

func servedVersions(definition map[string]any) []string {
	var names []string
	for _, version := range served(definition) {
		if name, _ := version["name"].(string); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// scalePath is the path of the replicas that the scale subresource of a served version names.
func scalePath(definition map[string]any) []string {
	for _, version := range served(definition) {
		if path := stringAt(version, "subresources", "scale", "specReplicasPath"); path != "" {
			return strings.Split(strings.TrimPrefix(path, "."), ".")
		}
	}
	return nil
}

// DefinedNamespaces returns the names of the namespaces that the set itself creates, sorted.
func DefinedNamespaces(objects []Object) []string {
	var names []string
	for _, o := range objects {
		if o.Key.Group == "" && o.Key.Kind == "Namespace" {
			names = append(names, o.Key.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// stringAt returns the string at the path, or "" where there is none.
func stringAt(content map[string]any, path ...string) string {
	s, _, err := unstructured.NestedString(content, path...)
	if err != nil {
		return ""
	}
	return s
}
