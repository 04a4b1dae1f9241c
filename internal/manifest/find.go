package manifest

import (
	"slices"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// find returns the node at the path, or the last one on the way where the path ends too early, so that an error
// about an absent field can say where it should be. The document must have been decoded without loss: a cycle of
// aliases has no end.
func find(n *yaml.Node, path fieldpath.Path) *yaml.Node {
	for _, e := range path {
		var next *yaml.Node
		switch n = resolved(n); {
		case e.FieldName != nil:
			next = child(n, *e.FieldName)
		case e.Index != nil && n.Kind == yaml.SequenceNode && *e.Index < len(n.Content):
			next = n.Content[*e.Index]
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// child returns the value of a key, its own or a merged one; nil where there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for pair := range slices.Chunk(n.Content, 2) {
		if k := resolved(pair[0]); !isMerge(k) && k.Value == key {
			return pair[1]
		}
	}
	for pair := range slices.Chunk(n.Content, 2) {
		if !isMerge(pair[0]) {
			continue
		}
		source := resolved(pair[1])
		if source.Kind == yaml.MappingNode {
			if v := child(source, key); v != nil {
				return v
			}
			continue
		}
		for _, item := range source.Content {
			if v := child(resolved(item), key); v != nil {
				return v
			}
		}
	}
	return nil
}

func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
