package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// draft is an object on its way from a decoded document to an Object.
type draft struct {
	parser   *parser
	position Position
	node     *yaml.Node
	content  map[string]any
	group    string
	kind     string
	failed   bool
}

// object adds the object that the content describes, or those of a list.
func (p *parser) object(position Position, node *yaml.Node, content map[string]any) {
	d := &draft{parser: p, position: position, node: node, content: content}
	if itemKind, ok := d.isList(); ok {
		d.list(itemKind)
		return
	}
	key := d.identity()
	d.strings("metadata", "labels")
	d.strings("metadata", "annotations")
	switch {
	case isSecret(d.group, d.kind):
		d.secret()
	case d.group == "" && d.kind == "ConfigMap":
		d.strings("data")
		d.encoded("binaryData")
	}
	d.dropNulls(d.content, nil)
	if d.failed {
		return
	}
	if fields := dropServerFields(d.content); len(fields) > 0 {
		p.warnings = append(p.warnings, Warning{Position: position, Key: key, Fields: fields})
	}
	p.objects = append(p.objects, Object{
		Unstructured: &unstructured.Unstructured{Object: d.content},
		Key:          key,
		Position:     position,
	})
}

// isList tells whether the content is a list of objects: a List, or what the API server answers to a LIST. A
// custom resource whose kind happens to end in List has a name, which lists have not. The kind of the items is
// empty where they can be of any.
func (d *draft) isList() (itemKind string, ok bool) {
	kind, ok := d.content["kind"].(string)
	if !ok {
		return "", false
	}
	itemKind, ok = strings.CutSuffix(kind, "List")
	if !ok || itemKind == "" {
		return "", ok
	}
	_, items := d.content["items"].([]any)
	_, named := d.lookup("metadata", "name")
	return itemKind, items && !named
}

// list adds the objects of a list. The server leaves kind and apiVersion out of the items of its lists.
func (d *draft) list(kind string) {
	v, there := d.lookup("items")
	if !there {
		return
	}
	items, ok := v.([]any)
	if !ok {
		d.fail(pathTo("items"), "is not a list of objects")
		return
	}
	for i, item := range items {
		path := append(pathTo("items"), fieldpath.PathElement{Index: &i})
		content, ok := item.(map[string]any)
		if !ok {
			d.fail(path, "is not an object; want a mapping with apiVersion, kind and metadata")
			continue
		}
		if kind != "" {
			for field, v := range map[string]any{"kind": kind, "apiVersion": d.content["apiVersion"]} {
				if _, own := content[field]; !own && v != nil {
					content[field] = v
				}
			}
		}
		node := find(d.node, path)
		position := d.position
		position.Line = node.Line
		d.parser.object(position, resolved(node), content)
	}
}

// strings reports each entry of a mapping that is not a string.
func (d *draft) strings(path ...string) {
	d.entries(path, func(path fieldpath.Path, _ map[string]any, _, _ string) {})
}

// entries calls f with each string of a mapping of strings, and reports what is not one.
func (d *draft) entries(path []string, f func(path fieldpath.Path, entries map[string]any, key, value string)) {
	v, there := d.lookup(path...)
	if !there {
		return
	}
	entries, ok := v.(map[string]any)
	if !ok {
		d.fail(pathTo(path...), "is not a mapping of strings")
		return
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		path := pathTo(append(slices.Clone(path), key)...)
		value, ok := entries[key].(string)
		if !ok {
			secret := path[0].FieldName != nil && *path[0].FieldName != "metadata"
			d.fail(path, "%s", notString(entries[key], d.written(path), secret))
			entries[key] = invalid{}
			continue
		}
		f(path, entries, key, value)
	}
}

// dropNulls removes null values from mappings, and reports those in lists, which have no meaning: a list cannot
// be silent about an item.
func (d *draft) dropNulls(v any, path fieldpath.Path) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil {
				delete(v, key)
				continue
			}
			d.dropNulls(value, append(path, fieldpath.PathElement{FieldName: &key}))
		}
	case []any:
		for i, item := range v {
			path := append(path, fieldpath.PathElement{Index: &i})
			if item == nil && !d.mayBeNull(path) {
				d.fail(withoutContent(path), "is null; remove the item, or give it a value (\"\" for an empty string)")
			}
			d.dropNulls(item, path)
		}
	}
}

// mayBeNull tells whether the item of a list is a value in the schema of a custom resource, where null is one of
// those an enumeration can allow.
func (d *draft) mayBeNull(path fieldpath.Path) bool {
	list := path[len(path)-2]
	return d.kind == "CustomResourceDefinition" && list.FieldName != nil && *list.FieldName == "enum"
}

// fail reports an error at the field, unless there was one about its value.
func (d *draft) fail(path fieldpath.Path, format string, args ...any) {
	d.failed = true
	if d.isInvalid(path) {
		return
	}
	position := d.position
	position.Line = find(d.node, path).Line
	d.parser.fail(position, fleet.FormatPath(path), fmt.Sprintf(format, args...))
}

// isInvalid tells whether the decoder has reported an error about the value at the path.
func (d *draft) isInvalid(path fieldpath.Path) bool {
	var v any = d.content
	for _, e := range path {
		switch at := v.(type) {
		case map[string]any:
			if e.FieldName != nil {
				v = at[*e.FieldName]
			}
		case []any:
			if e.Index != nil {
				v = at[*e.Index]
			}
		}
	}
	_, ok := v.(invalid)
	return ok
}

// lookup returns what is at the path; null counts as absent.
func (d *draft) lookup(path ...string) (any, bool) {
	var v any = d.content
	for _, name := range path {
		content, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		v = content[name]
	}
	return v, v != nil
}

// written returns the text of the scalar at the path.
func (d *draft) written(path fieldpath.Path) string { return resolved(find(d.node, path)).Value }

func pathTo(names ...string) fieldpath.Path {
	path := make(fieldpath.Path, len(names))
	for i := range names {
		path[i] = fieldpath.PathElement{FieldName: &names[i]}
	}
	return path
}
