package ocm

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestClaims(t *testing.T) {
	for message, want := range map[string][]Claim{
		`Failed to apply manifest: Apply failed with 1 conflict: conflict with "helm": .data.k`: {{Manager: "helm", Field: ".data.k"}},
		`Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1 at 2026-11-22T07:40:01Z: .spec.replicas`: {
			{Manager: "kubectl", Subresource: "scale", Update: true, Time: time.Date(2026, 11, 22, 7, 40, 1, 0, time.UTC), Field: ".spec.replicas"},
		},
		"Failed to apply manifest: Apply failed with 3 conflicts: conflicts with \"helm\":\n- .spec.replicas\n- .spec.template.spec.containers[name=\"web\"].image\nconflicts with \"edit\" using apps/v1:\n- .metadata.labels.a": {
			{Manager: "helm", Field: ".spec.replicas"}, {Manager: "helm", Field: `.spec.template.spec.containers[name="web"].image`},
			{Manager: "edit", Update: true, Field: ".metadata.labels.a"},
		},
		`Failed to apply manifest: namespaces "a" not found`: nil,
		"": nil,
	} {
		if diff := cmp.Diff(want, Claims(message)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", message, diff)
		}
	}
}

func FuzzClaims(f *testing.F) {
	f.Add(`Apply failed with 1 conflict: conflict with "helm" using v1: .data.k`)
	f.Fuzz(func(t *testing.T, message string) {
		for _, c := range Claims(message) {
			if c.Field == "" || c.Field[0] != '.' {
				t.Errorf("%+v is no field", c)
			}
		}
	})
}
