package override_test

import (
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

// BenchmarkRewrite has one object on one cluster, and a rule of each kind.
func BenchmarkRewrite(b *testing.B) {
	for name, rule := range map[string]override.Rule{
		"json_patch": {JSONPatch: `[{op: replace, path: /spec/replicas, value: 1}, {op: add, path: /spec/template/spec/nodeSelector, value: {a: b}},
			{op: remove, path: /spec/template/spec/containers/1}]`},
		"merge_patch":     {MergePatch: `spec: {replicas: 1, template: {spec: {nodeSelector: {a: b}}}}`},
		"strategic_patch": {StrategicPatch: `spec: {replicas: 1, template: {spec: {nodeSelector: {a: b}, containers: [{name: log, $patch: delete}]}}}`},
		"images":          {Images: map[string]override.Image{"nginx": {Name: "mirror.eu/nginx"}}},
	} {
		b.Run(name, func(b *testing.B) {
			overrides, objects := compile(b, rule), []override.Object{object(b, deployment)}
			for b.Loop() {
				if _, err := overrides.Rewrite(eu1, objects); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
