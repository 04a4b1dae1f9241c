package deploy

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// TestHiding_redactText takes values out in each of the forms in which servers repeat them, and leaves names, without which nobody
// knows what a message is about.
func TestHiding_redactText(t *testing.T) {
	pin, err := fleet.ParsePattern("spec.pin")
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Thing",
		"metadata": map[string]any{"name": "shop", "namespace": "shop", "managedFields": []any{map[string]any{"operation": "Update"}}},
		"spec":     map[string]any{"pin": int64(123456), "key": "-----BEGIN\nABC", "one": "pass1", "longer": "pass123456", "encoded": "aHVudGVyMg=="},
	}}
	for _, c := range []struct {
		name, text, want string
		hides            hiding
	}{
		{"a number", "Invalid value: 123456", "Invalid value: (sensitive)", hiding{paths: []fleet.Pattern{pin}}},
		{"nothing else", "pass1", "pass1", hiding{paths: []fleet.Pattern{pin}}},
		{"quoted", `Invalid value: "-----BEGIN\nABC"`, `Invalid value: "(sensitive)"`, hiding{all: true}},
		{"as it is", "-----BEGIN\nABC", "(sensitive)", hiding{all: true}},
		{"the longest first", "pass123456 pass1", "(sensitive) (sensitive)", hiding{all: true}},
		{"decoded", "hunter2", "(sensitive)", hiding{all: true}},
		{"names", "Update of Thing shop/shop", "Update of Thing shop/shop", hiding{all: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.hides.redactText(obj, c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
