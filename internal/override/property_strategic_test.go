package override_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

// pods generates pods with lists of every sort, with items that come in no particular order.
func pods() *rapid.Generator[map[string]any] {
	some := func(t *rapid.T, key string, of []string, more func(item map[string]any)) []any {
		list := []any{}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, len(of), rapid.ID[string]).Draw(t, key) {
			item := map[string]any{key: name}
			if more != nil {
				more(item)
			}
			list = append(list, item)
		}
		return list
	}
	names := []string{"a", "b", "c"}
	return rapid.Custom(func(t *rapid.T) map[string]any {
		volumes := some(t, "name", names, func(item map[string]any) {
			source := rapid.SampledFrom([]string{"emptyDir", "configMap", "hostPath"}).Draw(t, "source")
			item[source] = map[string]any{"x": rapid.SampledFrom(names).Draw(t, "x")}
		})
		containers := some(t, "name", names, func(item map[string]any) {
			item["image"] = rapid.SampledFrom(names).Draw(t, "image")
			item["args"] = rapid.SliceOfN(rapid.Map(rapid.SampledFrom(names), func(s string) any { return s }), 0, 3).Draw(t, "args")
			item["env"] = some(t, "name", []string{"X", "Y", "Z"}, func(item map[string]any) { item["value"] = rapid.SampledFrom(names).Draw(t, "value") })
			if rapid.Bool().Draw(t, "context") {
				item["securityContext"] = map[string]any{"runAsUser": rapid.Int64Range(0, 2).Draw(t, "user")}
			}
		})
		finalizers := []any{}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 3, rapid.ID[string]).Draw(t, "finalizers") {
			finalizers = append(finalizers, "example.org/"+name)
		}
		metadata := map[string]any{"name": "web", "finalizers": finalizers}
		if rapid.Bool().Draw(t, "labels") {
			metadata["labels"] = map[string]any{"a": rapid.SampledFrom(names).Draw(t, "label")}
		}
		return map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": map[string]any{"containers": containers, "volumes": volumes}}
	})
}

// TestStrategicPatchMakesOneOfTheOther computes the difference between two pods as kubectl does.
func TestStrategicPatchMakesOneOfTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, another := pods().Draw(t, "one"), pods().Draw(t, "another")
		patch, err := strategicpatch.CreateTwoWayMergePatch([]byte(marshal(t, one)), []byte(marshal(t, another)), &corev1.Pod{})
		if err != nil {
			t.Fatal(err)
		}
		if string(patch) == "{}" {
			return
		}
		overrides, err := override.Compile([]override.Rule{{StrategicPatch: string(patch)}})
		if err != nil {
			t.Fatalf("%s: %v", patch, err)
		}
		got, err := overrides.Rewrite(eu1, []override.Object{{Key: fleet.ObjectKey{Kind: "Pod", Name: "web"}, Content: one}})
		if err != nil {
			t.Fatalf("%s: %v", patch, err)
		}
		// A list without items is deleted as null, and the order of plain values that are merged is nobody's.
		if diff := cmp.Diff(settled(another), settled(got.Objects[0].Content)); diff != "" {
			t.Fatalf("%s (-want +got)\n%s", patch, diff)
		}
	})
}

func settled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		kept := map[string]any{}
		for key, item := range v {
			list, ok := item.([]any)
			if ok && len(list) == 0 {
				continue
			}
			kept[key] = settled(item)
			if key == "finalizers" {
				kept[key] = slices.SortedFunc(slices.Values(list), func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
			}
		}
		return kept
	case []any:
		kept := make([]any, len(v))
		for i, item := range v {
			kept[i] = settled(item)
		}
		return kept
	default:
		return v
	}
}
