package ssa

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Without returns a copy of the object that lacks the fields at the patterns and below them. Maps that become empty by
// that go, too; items of lists stay, unless a pattern means the item itself.
func Without(obj *unstructured.Unstructured, patterns []fleet.Pattern) (*unstructured.Unstructured, error) {
	if len(patterns) == 0 {
		return obj, nil
	}
	set, err := SentSet(obj)
	if err != nil {
		return nil, err
	}
	cut := fieldpath.NewSet()
	for path := range set.Leaves().All() {
		if n, ok := covered(patterns, path); ok {
			cut.Insert(path[:n:n])
		}
	}
	return without(obj, cut), nil
}

// covered is how many elements of the path the pattern with the fewest takes up.
func covered(patterns []fleet.Pattern, path fieldpath.Path) (elements int, ok bool) {
	for _, p := range patterns {
		if n, matches := p.Covers(path); matches && (!ok || n < elements) {
			elements, ok = n, true
		}
	}
	return elements, ok
}

func without(obj *unstructured.Unstructured, cut *fieldpath.Set) *unstructured.Unstructured {
	if cut.Empty() {
		return obj
	}
	out := obj.DeepCopy()
	for path := range cut.All() {
		removeAt(out.Object, path)
	}
	return out
}

// removeAt removes what is at the path and returns what is left of v, and whether anything is.
func removeAt(v any, path fieldpath.Path) (rest any, left bool) {
	if len(path) == 0 {
		return nil, false
	}
	switch v := v.(type) {
	case map[string]any:
		if path[0].FieldName == nil {
			return v, true
		}
		name := *path[0].FieldName
		child, ok := v[name]
		if !ok {
			return v, true
		}
		if rest, left := removeAt(child, path[1:]); left {
			v[name] = rest
		} else {
			delete(v, name)
		}
		return v, len(v) > 0
	case []any:
		i := itemAt(v, path[0])
		if i < 0 || isKey(path) {
			return v, true
		}
		if rest, left := removeAt(v[i], path[1:]); left {
			v[i] = rest
			return v, true
		}
		v = append(v[:i:i], v[i+1:]...)
		return v, len(v) > 0
	}
	return v, true
}

// isKey tells whether the path goes from a list item to a field of its key, without which it would be another item, or none.
func isKey(path fieldpath.Path) bool {
	if len(path) != 2 || path[0].Key == nil || path[1].FieldName == nil {
		return false
	}
	for _, f := range *path[0].Key {
		if f.Name == *path[1].FieldName {
			return true
		}
	}
	return false
}

// itemAt finds the item of a list that a path element means; -1 where there is none.
func itemAt(list []any, e fieldpath.PathElement) int {
	switch {
	case e.Index != nil && *e.Index < len(list):
		return *e.Index
	case e.Key != nil:
		return keyAt(list, e)
	case e.Value != nil:
		want := (*e.Value).Unstructured()
		return slices.IndexFunc(list, func(item any) bool { return sameScalar(item, want) })
	}
	return -1
}

// keyAt finds the list item with the key. A key field that the item lacks counts as equal, because schemas give some key
// fields a default (the protocol of a port); an item that has all of them is preferred.
func keyAt(list []any, e fieldpath.PathElement) int {
	partial := -1
	for i, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			continue
		}
		match, missing := true, false
		for _, f := range *e.Key {
			have, present := m[f.Name]
			missing = missing || !present
			if present && !sameScalar(have, f.Value.Unstructured()) {
				match = false
			}
		}
		if match && !missing {
			return i
		}
		if match && partial < 0 {
			partial = i
		}
	}
	return partial
}

// graft writes the value at the path into the object, with the maps and the list items on the way.
func graft(v any, path fieldpath.Path, value any) any {
	if len(path) == 0 {
		return value
	}
	e := path[0]
	if e.FieldName != nil {
		m, ok := v.(map[string]any)
		if !ok {
			m = map[string]any{}
		}
		m[*e.FieldName] = graft(m[*e.FieldName], path[1:], value)
		return m
	}
	list, _ := v.([]any)
	if i := itemAt(list, e); i >= 0 {
		list[i] = graft(list[i], path[1:], value)
		return list
	}
	switch {
	case e.Key != nil:
		item := map[string]any{}
		for _, f := range *e.Key {
			item[f.Name] = f.Value.Unstructured()
		}
		return append(list, graft(item, path[1:], value))
	case e.Value != nil:
		return append(list, (*e.Value).Unstructured())
	}
	return v
}

// grafted is the object with the live values of the set's leaves.
func grafted(obj, live *unstructured.Unstructured, set *fieldpath.Set) *unstructured.Unstructured {
	if set.Empty() {
		return obj
	}
	out := obj.DeepCopy()
	from := live.DeepCopy()
	for path := range set.Leaves().All() {
		if value, ok := lookup(from.Object, path); ok {
			graft(out.Object, path, value)
		}
	}
	return out
}
