package override

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

func parseStrategicPatch(text string) (map[string]any, []Problem) {
	patch, problems := parseMapping(argumentStrategic, text)
	return patch, append(problems, directiveProblems(patch, nil)...)
}

// directiveProblems finds what is wrong in a strategic patch, whatever the kind.
func directiveProblems(v any, path fieldpath.Path) (problems []Problem) {
	fail := func(path fieldpath.Path, detail string) {
		problems = append(problems, Problem{Argument: argumentStrategic, Path: fleet.FormatPath(path), Detail: detail})
	}
	switch v := v.(type) {
	case map[string]any:
		if len(path) == 0 && v[directivePatch] != nil {
			fail(pathOf(directivePatch), "this is about the whole object; to leave it out use exclude = true")
			return problems
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			within := below(path, field(key))
			switch {
			case !isDirective(key):
				problems = append(problems, directiveProblems(v[key], within)...)
			default:
				if detail := directiveProblem(key, v[key]); detail != "" {
					fail(within, detail)
				}
			}
		}
	case []any:
		for i, item := range v {
			within := below(path, position(i))
			m, mapping := item.(map[string]any)
			switch {
			case item == nil:
				fail(within, "an item of a list cannot be null; to remove one, write $patch: delete beside its key")
			case mapping && m[directivePatch] == "replace" && len(m) > 1:
				fail(below(within, field(directivePatch)), "in a list this replaces the whole list, and stands in an item of its own")
			default:
				problems = append(problems, directiveProblems(item, within)...)
			}
		}
	}
	return problems
}

func pathOf(names ...string) fieldpath.Path {
	var path fieldpath.Path
	for _, name := range names {
		path = append(path, field(name))
	}
	return path
}

// applyStrategic modifies the object.
func applyStrategic(patch, object map[string]any, confidential bool) (map[string]any, *failure) {
	apiVersion, _ := object["apiVersion"].(string)
	kind, _ := object["kind"].(string)
	meta, known := schemaOf(schema.FromAPIVersionAndKind(apiVersion, kind))
	if !known {
		if path, found := findDirective(patch, nil); found {
			return nil, &failure{argumentStrategic, fleet.FormatPath(path), fmt.Sprintf(
				"%s of %s has no built-in schema, so that it is patched by the rules of merge_patch, which know no directives", kind, apiVersion)}
		}
		merged, _ := merge(object, patch).(map[string]any)
		return merged, nil
	}
	patch = runtime.DeepCopyJSON(patch)
	if failed := (preparation{confidential}).mapping(patch, object, meta, nil); failed != nil {
		return nil, failed
	}
	merged, err := strategicpatch.StrategicMergeMapPatchUsingLookupPatchMeta(object, patch, meta)
	if err != nil {
		// The message may repeat values.
		return nil, &failure{argumentStrategic, "", fmt.Sprintf("it does not fit the schema of %s in %s; is a list written where an item or another type is expected?", kind, apiVersion)}
	}
	return merged, nil
}

// preparation checks a patch against the object and the schema, because the library's messages name no path, repeat values, and some
// input makes it panic. Where the object has nothing that the patch could be merged with, it resolves directives, which
// the library would leave in the object, or take for a reason to ignore what is beside them.
type preparation struct {
	// confidential forbids paths with values in them.
	confidential bool
}

func (p preparation) mapping(patch, object map[string]any, meta strategicpatch.LookupPatchMeta, path fieldpath.Path) *failure {
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		within := below(path, field(key))
		if isDirective(key) {
			if failed := p.directive(key, patch, object, meta, within); failed != nil {
				return failed
			}
			continue
		}
		var failed *failure
		switch wanted := patch[key].(type) {
		case map[string]any:
			have, ok := object[key].(map[string]any)
			switch {
			case !ok && wanted[directivePatch] == "delete":
				patch[key] = nil
				continue
			case !ok:
				patch[key] = resolved(wanted)
				continue
			}
			failed = p.field(key, patch, wanted, have, meta, within)
		case []any:
			have, ok := object[key].([]any)
			if !ok {
				patch[key] = resolved(wanted)
				continue
			}
			failed = p.list(key, patch, object, wanted, have, meta, within)
		}
		if failed != nil {
			return failed
		}
	}
	return nil
}

func (p preparation) field(key string, patch, wanted, have map[string]any, meta strategicpatch.LookupPatchMeta, path fieldpath.Path) *failure {
	inner, strategy, err := meta.LookupPatchMetadataForStruct(key)
	switch {
	case err != nil:
		return unknownField(path)
	case slices.Contains(strategy.GetPatchStrategies(), "replace"):
		patch[key] = resolved(wanted)
	case wanted[directivePatch] == "replace":
		v, _ := resolved(wanted).(map[string]any)
		v[directivePatch] = "replace"
		patch[key] = v
	case wanted[directivePatch] == nil:
		return p.mapping(wanted, have, inner, path)
	}
	return nil
}

func unknownField(path fieldpath.Path) *failure {
	return &failure{argumentStrategic, fleet.FormatPath(path), "the built-in schema has no such field here; is it misspelt, or too new? merge_patch needs no schema"}
}

func (p preparation) list(key string, patch, object map[string]any, wanted, have []any, meta strategicpatch.LookupPatchMeta, path fieldpath.Path) *failure {
	inner, strategy, err := meta.LookupPatchMetadataForSlice(key)
	if err != nil {
		return unknownField(path)
	}
	if !slices.Contains(strategy.GetPatchStrategies(), "merge") {
		patch[key] = resolved(wanted)
		return nil
	}
	if len(have) == 0 {
		// The library takes offence at lists without items.
		delete(object, key)
		patch[key] = resolved(wanted)
		return nil
	}
	mergeKey := strategy.GetPatchMergeKey()
	if mergeKey == "" {
		for _, list := range [][]any{wanted, have} {
			if detail := scalars(list, "plain values"); detail != "" {
				return &failure{argumentStrategic, fleet.FormatPath(path), detail}
			}
		}
		return nil
	}
	whole := slices.ContainsFunc(wanted, func(item any) bool {
		m, _ := item.(map[string]any)
		return m[directivePatch] == "replace"
	})
	existing, failed := byKey(have, mergeKey, path, "in the object ")
	if failed != nil {
		return failed
	}
	for i, item := range wanted {
		m, ok := item.(map[string]any)
		if ok && m[directivePatch] == "replace" {
			continue
		}
		id, detail := idOf(item, mergeKey)
		if detail != "" {
			return &failure{argumentStrategic, fleet.FormatPath(below(path, position(i))), detail}
		}
		if m[directivePatch] != nil {
			continue
		}
		old, there := existing[id]
		if !there || whole {
			wanted[i] = resolved(item)
			continue
		}
		element := fieldpath.KeyElement(value.Field{Name: mergeKey, Value: value.NewValueInterface(id)})
		if p.confidential {
			element = position(i)
		}
		if failed := p.mapping(m, old, inner, below(path, element)); failed != nil {
			return failed
		}
	}
	return nil
}

// byKey returns the items of a list by the value of their merge key.
func byKey(list []any, mergeKey string, path fieldpath.Path, where string) (map[any]map[string]any, *failure) {
	items := make(map[any]map[string]any, len(list))
	for i, item := range list {
		id, detail := idOf(item, mergeKey)
		if detail != "" {
			return nil, &failure{argumentStrategic, fleet.FormatPath(below(path, position(i))), where + detail}
		}
		if _, twice := items[id]; !twice {
			items[id], _ = item.(map[string]any)
		}
	}
	return items, nil
}

// idOf returns what tells an item of a list from others.
func idOf(item any, mergeKey string) (id any, detail string) {
	m, ok := item.(map[string]any)
	if !ok {
		return nil, fmt.Sprintf("this is %s, and the items of this list are mappings that are told apart by %s", kindOf(item), mergeKey)
	}
	switch id := m[mergeKey].(type) {
	case nil:
		return nil, fmt.Sprintf("this item has no %s, by which the items of this list are told apart", mergeKey)
	case map[string]any, []any:
		return nil, fmt.Sprintf("the %s of this item is %s, and the items of this list are told apart by it", mergeKey, kindOf(id))
	default:
		return id, ""
	}
}

// directive checks one that is about a list beside it.
func (p preparation) directive(key string, patch, object map[string]any, meta strategicpatch.LookupPatchMeta, path fieldpath.Path) *failure {
	name, order := strings.CutPrefix(key, directiveOrder)
	if !order {
		var about bool
		if name, about = strings.CutPrefix(key, directiveDeleteFrom); !about {
			return nil
		}
	}
	_, strategy, err := meta.LookupPatchMetadataForSlice(name)
	if err != nil {
		return unknownField(path)
	}
	have, _ := object[name].([]any)
	wanted, _ := patch[name].([]any)
	mergeKey := strategy.GetPatchMergeKey()
	switch {
	case !order && mergeKey != "":
		return &failure{argumentStrategic, fleet.FormatPath(path), fmt.Sprintf("the items of this list are told apart by %s; delete one with $patch: delete in an item with it", mergeKey)}
	case !order:
		if detail := scalars(have, "plain values"); object[name] != nil && detail != "" {
			return &failure{argumentStrategic, fleet.FormatPath(path), "in the object: " + detail}
		}
	case len(have) == 0 && len(wanted) == 0:
		delete(patch, key)
	case mergeKey == "":
		if detail := scalars(patch[key], "plain values"); detail != "" {
			return &failure{argumentStrategic, fleet.FormatPath(path), detail}
		}
	default:
		list, _ := patch[key].([]any)
		_, failed := byKey(list, mergeKey, path, "")
		return failed
	}
	return nil
}

// resolved carries out directives where there is nothing they could apply to: what is to be deleted is gone already, and what
// replaces stands for itself.
func resolved(v any) any {
	switch v := v.(type) {
	case map[string]any:
		kept := make(map[string]any, len(v))
		for key, item := range v {
			if m, ok := item.(map[string]any); ok && m[directivePatch] == "delete" {
				continue
			}
			if !isDirective(key) {
				kept[key] = resolved(item)
			}
		}
		return kept
	case []any:
		kept := make([]any, 0, len(v))
		for _, item := range v {
			if m, ok := item.(map[string]any); ok && m[directivePatch] != nil {
				continue
			}
			kept = append(kept, resolved(item))
		}
		return kept
	default:
		return v
	}
}
