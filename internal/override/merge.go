package override

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// parseMapping reads the text of a merge patch or a strategic one.
func parseMapping(argument, text string) (map[string]any, []Problem) {
	v, problems := read(text)
	if len(problems) > 0 {
		return nil, about(argument, problems)
	}
	patch, ok := v.(map[string]any)
	if !ok {
		return nil, []Problem{{Argument: argument, Detail: "want a mapping with the fields to change, as in spec: {replicas: 1}, and this is " + kindOf(v)}}
	}
	if len(patch) == 0 {
		return nil, []Problem{{Argument: argument, Detail: "the patch is empty; want the fields to change, as in spec: {replicas: 1}"}}
	}
	for _, path := range [][]string{{"apiVersion"}, {"kind"}, {"metadata"}, {"metadata", "name"}} {
		if removes(patch, path) {
			problems = append(problems, Problem{Argument: argument, Path: strings.Join(path, "."), Detail: "null removes this, and an object without it is none; a patch has to keep the identity of the object"})
		}
	}
	return patch, problems
}

func removes(patch map[string]any, path []string) bool {
	var v any = patch
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return false
		}
		var there bool
		if v, there = m[name]; !there {
			return false
		}
	}
	return v == nil
}

func parseMergePatch(text string) (map[string]any, []Problem) {
	patch, problems := parseMapping(argumentMerge, text)
	if path, found := findDirective(patch, nil); found {
		problems = append(problems, Problem{
			Argument: argumentMerge, Path: fleet.FormatPath(path),
			Detail: "this is a directive of strategic merge patches; use strategic_patch, or, in a merge patch, null to remove a field",
		})
	}
	return patch, problems
}

// merge applies a merge patch by the pseudo-code of RFC 7386. Other than there the target is modified; the patch never is, nor does
// the result share memory with it.
func merge(target any, patch any) any {
	fields, ok := patch.(map[string]any)
	if !ok {
		return runtime.DeepCopyJSONValue(patch)
	}
	merged, ok := target.(map[string]any)
	if !ok {
		merged = map[string]any{}
	}
	for name, v := range fields {
		if v == nil {
			delete(merged, name)
			continue
		}
		merged[name] = merge(merged[name], v)
	}
	return merged
}

// The directives of strategic merge patches. Those with a slash are followed by the name of a list.
const (
	directivePatch      = "$patch"
	directiveRetainKeys = "$retainKeys"
	directiveOrder      = "$setElementOrder/"
	directiveDeleteFrom = "$deleteFromPrimitiveList/"
)

func isDirective(key string) bool {
	return key == directivePatch || key == directiveRetainKeys || strings.HasPrefix(key, directiveOrder) || strings.HasPrefix(key, directiveDeleteFrom)
}

// findDirective returns the path of the first directive in a patch.
func findDirective(v any, path fieldpath.Path) (fieldpath.Path, bool) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			within := below(path, field(key))
			if isDirective(key) {
				return within, true
			}
			if found, ok := findDirective(v[key], within); ok {
				return found, true
			}
		}
	case []any:
		for i, item := range v {
			if found, ok := findDirective(item, below(path, position(i))); ok {
				return found, true
			}
		}
	}
	return nil, false
}

// directiveProblem says what is wrong with a directive, whatever it is about.
func directiveProblem(key string, v any) string {
	switch key {
	case directivePatch:
		if v != "replace" && v != "delete" {
			return `want "replace" or "delete" here`
		}
		return ""
	case directiveRetainKeys:
		return scalars(v, "the names of the fields to keep")
	}
	if strings.HasPrefix(key, directiveDeleteFrom) {
		return scalars(v, "the values to delete")
	}
	if list, ok := v.([]any); !ok || len(list) == 0 {
		return "want a list of items in their order"
	}
	return ""
}

func scalars(v any, what string) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprintf("want a list of %s, and this is %s", what, kindOf(v))
	}
	for _, item := range list {
		switch item.(type) {
		case nil, map[string]any, []any:
			return fmt.Sprintf("want a list of %s, and in it is %s", what, kindOf(item))
		}
	}
	return ""
}
