package template

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// Renderer renders objects with the data of one cluster. It may be used by several goroutines at once.
type Renderer struct {
	data map[string]any
}

// New returns a Renderer whose templates read the data: keys are cluster (see Cluster) and values, or one of them. The data
// is copied; it may hold strings, booleans, numbers, maps and lists, and an error names where it holds something else.
func New(data map[string]any) (*Renderer, error) {
	copied := make(map[string]any, len(data))
	for key, item := range data {
		v, err := plain(item, "."+key)
		if err != nil {
			return nil, fmt.Errorf("the data of a template: %w", err)
		}
		copied[key] = v
	}
	return &Renderer{data: copied}, nil
}

// Render returns a copy of the object in which all string leaves are rendered. The object is not modified, and the copy
// shares no map and no list with it. An error is of the type Errors and holds all that is wrong.
func (r *Renderer) Render(object map[string]any) (map[string]any, error) {
	var failed Errors
	rendered := walkMap(object, nil, func(path fieldpath.Path, text string) any {
		compiled := compile(text)
		if len(compiled.problems) > 0 {
			failed = append(failed, compiled.errorsAt(path)...)
			return text
		}
		v, err := compiled.execute(r.data)
		if err != nil {
			failed = append(failed, err.at(path, text))
			return text
		}
		return v
	})
	if err := errorOrNil(failed); err != nil {
		return nil, err
	}
	return rendered, nil
}

// Inspect checks the templates of an object as far as that is possible without data, and tells which parts of the data they
// read, sorted: the path cluster, labels, region says that only this label matters, cluster that anything of the cluster
// may. An error is of the type Errors and holds all that is wrong.
func Inspect(object map[string]any) (reads [][]string, err error) {
	var failed Errors
	walkMap(object, nil, func(path fieldpath.Path, text string) any {
		compiled := compile(text)
		failed = append(failed, compiled.errorsAt(path)...)
		reads = append(reads, compiled.reads...)
		return text
	})
	slices.SortFunc(reads, slices.Compare[[]string])
	reads = slices.CompactFunc(reads, slices.Equal[[]string])
	return reads, errorOrNil(failed)
}

// leafFunc says what becomes of a string.
type leafFunc func(path fieldpath.Path, text string) any

func walkMap(m map[string]any, path fieldpath.Path, leaf leafFunc) map[string]any {
	if m == nil {
		return nil
	}
	copied := make(map[string]any, len(m))
	for key, item := range m {
		copied[key] = walk(item, append(path, fieldpath.FieldNameElement(key)), leaf)
	}
	return copied
}

// walk copies the tree with what leaf makes of each string in which an action may begin.
func walk(v any, path fieldpath.Path, leaf leafFunc) any {
	switch v := v.(type) {
	case string:
		if !strings.Contains(v, "{{") {
			return v
		}
		return leaf(path, v)
	case map[string]any:
		return walkMap(v, path, leaf)
	case []any:
		if v == nil {
			return v
		}
		list, names := make([]any, len(v)), itemNames(v)
		for i, item := range v {
			element := fieldpath.IndexElement(i)
			if name, ok := itemName(item); ok && names[name] == 1 {
				element = fieldpath.KeyElement(value.Field{Name: "name", Value: value.NewValueInterface(name)})
			}
			list[i] = walk(item, append(path, element), leaf)
		}
		return list
	default:
		return v
	}
}

// itemNames counts the names of a list's items. Which key tells items apart only the schema knows, which is not at hand
// here; but where every name is there once, it says more to people than a position.
func itemNames(list []any) map[string]int {
	names := map[string]int{}
	for _, item := range list {
		if name, ok := itemName(item); ok {
			names[name]++
		}
	}
	return names
}

func itemName(item any) (string, bool) {
	m, ok := item.(map[string]any)
	if !ok {
		return "", false
	}
	name, ok := m["name"].(string)
	return name, ok && !strings.Contains(name, "{{")
}
