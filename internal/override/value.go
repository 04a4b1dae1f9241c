package override

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// fewKeys is how many keys a message lists.
const fewKeys = 10

// longestValue is how much of a value a message repeats, in characters.
const longestValue = 80

// fromJSON reads a value as Kubernetes does: whole numbers are int64, also those written as 1.0 or 1e3.
func fromJSON(text []byte) (any, error) {
	var v any
	if err := utiljson.Unmarshal(text, &v); err != nil {
		return nil, err
	}
	return wholeNumbers(v), nil
}

func wholeNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			v[key] = wholeNumbers(item)
		}
	case []any:
		for i, item := range v {
			v[i] = wholeNumbers(item)
		}
	case float64:
		if whole, ok := fleet.WholeNumber(v); ok {
			return whole
		}
	}
	return v
}

// dropNulls removes null values from mappings.
func dropNulls(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			if item == nil {
				delete(v, key)
				continue
			}
			dropNulls(item)
		}
	case []any:
		for _, item := range v {
			dropNulls(item)
		}
	}
}

// kindOf names the kind of a value in the words of JSON.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64:
		return "a whole number"
	case float64:
		return "a number"
	case []any:
		return "a list"
	default:
		return "a mapping"
	}
}

// shown prints a value, or only what kind it is of.
func shown(v any, confidential bool) string {
	text, err := json.Marshal(v)
	if confidential || err != nil || len([]rune(string(text))) > longestValue {
		return kindOf(v)
	}
	return string(text)
}

// present names the keys of a map, where they are few and may be told, or the one that was probably meant.
func present(m map[string]any, wanted string, confidential bool) string {
	keys := slices.Sorted(maps.Keys(m))
	switch meant := fleet.DidYouMean(wanted, keys); {
	case confidential || len(keys) == 0:
		return ""
	case meant != "":
		return meant
	case len(keys) > fewKeys:
		return ""
	}
	return " (there is " + strings.Join(keys, ", ") + ")"
}

// below returns the path of a field or item below a path, without touching the memory of the latter.
func below(path fieldpath.Path, e fieldpath.PathElement) fieldpath.Path {
	return append(slices.Clip(path), e)
}

func field(name string) fieldpath.PathElement { return fieldpath.PathElement{FieldName: &name} }

func position(i int) fieldpath.PathElement { return fieldpath.PathElement{Index: &i} }
