package health_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/health"
)

// TestReasonBearsAnything takes what is found in real clusters, leaves out or replaces parts of it, and holds that there
// is an answer on one line, which does not depend on the order in which things were found.
func TestReasonBearsAnything(t *testing.T) {
	text, err := os.ReadFile("testdata/reasons.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		var examples []example
		if err := yaml.Unmarshal(text, &examples); err != nil {
			rt.Fatal(err)
		}
		e := rapid.SampledFrom(examples).Draw(rt, "example")
		obj := object(t, e.Object)
		mangle(rt, obj.Object)
		obj.SetAPIVersion(fmt.Sprint(e.Object["apiVersion"]))
		obj.SetKind(fmt.Sprint(e.Object["kind"]))
		var found []unstructured.Unstructured
		for _, f := range e.Found {
			o := object(t, f)
			mangle(rt, o.Object)
			found = append(found, *o)
		}
		_ = health.Related(obj)
		if _, err := health.Evaluate(obj); err != nil && strings.TrimSpace(err.Error()) == "" {
			rt.Error("an error that says nothing")
		}
		reason, ask := health.Reason(obj, found)
		if strings.ContainsAny(reason, "\n\r") {
			rt.Errorf("several lines: %q", reason)
		}
		again, askAgain := health.Reason(obj, rapid.Permutation(found).Draw(rt, "order"))
		if reason != again || len(ask) != len(askAgain) {
			rt.Errorf("%q, and in another order %q", reason, again)
		}
	})
}

// mangle leaves out or replaces a part of a value here and there.
func mangle(t *rapid.T, m map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		switch rapid.IntRange(0, 19).Draw(t, "what of "+key) {
		case 0:
			delete(m, key)
		case 1:
			m[key] = rapid.SampledFrom([]any{nil, "", "text", int64(-1), true, map[string]any{}, []any{}, []any{nil, "text"}}).Draw(t, "instead")
		default:
			switch v := m[key].(type) {
			case map[string]any:
				mangle(t, v)
			case []any:
				for _, item := range v {
					if inner, ok := item.(map[string]any); ok {
						mangle(t, inner)
					}
				}
			}
		}
	}
}
