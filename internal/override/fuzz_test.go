package override_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

// FuzzPatch feeds any text as a patch of each kind: it is refused, does not fit an object and says so, or results in an object with
// the same identity. What is in a Secret is not told.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`[{"op":"add","path":"/spec/template/spec/containers/-","value":{"name":"x"}},{"op":"test","path":"/data/password","value":"x"}]`,
		"[{op: move, from: /spec/replicas, path: /spec/x}, {op: copy, from: '', path: /a}, {op: copy, from: /a, path: /a/b}]",
		"[{op: remove, path: /metadata/finalizers/0}, {op: replace, path: /metadata, value: {}}]",
		"spec: {replicas: 1, strategy: {$patch: replace, type: Recreate}, template: {spec: {containers: [{name: web, $patch: delete}]}}}",
		"spec: {template: {spec: {$setElementOrder/containers: [{name: log}], containers: [{$patch: replace}, {name: a}]}}}",
		"metadata: {finalizers: [a], $deleteFromPrimitiveList/finalizers: [example.org/a], $retainKeys: [name], labels: null}",
		"metadata: {name: x}", "data: {password: ~}", "a: &a [*a]", "a: {<<: {b: 1}, c: 0x1f, d: 1e400}\n---\n", `{"a": "\ud83d\ude00", "a": 1}`,
		"spec: {template: {spec: {containers: [{name: web, ports: [{containerPort: 80.0}, {containerPort: [1]}], env: [[1]], args: [{}]}]}}}",
	} {
		f.Add(seed)
	}
	texts := []string{deployment, configMap, secret, `{apiVersion: example.org/v1, kind: App, metadata: {name: web}, spec: {a: [{b: 1}]}}`}
	f.Fuzz(func(t *testing.T, text string) {
		for _, rule := range []override.Rule{{JSONPatch: text}, {MergePatch: text}, {StrategicPatch: text}} {
			overrides, err := override.Compile([]override.Rule{rule})
			if err != nil {
				if invalid := (*override.InvalidRuleError)(nil); !errors.As(err, &invalid) || invalid.Problems[0].Detail == "" {
					t.Fatalf("compile: %v", err)
				}
				continue
			}
			for _, one := range texts {
				o := object(t, one)
				before := jsonText(t, o.Content)
				result, err := overrides.Rewrite(eu1, []override.Object{o})
				if after := jsonText(t, o.Content); before != after {
					t.Fatalf("the input was changed from %s to %s", before, after)
				}
				if err != nil {
					if failed := (*override.Error)(nil); !errors.As(err, &failed) || failed.Detail == "" || failed.Key != o.Key {
						t.Fatalf("rewrite: %v", err)
					}
					if strings.Contains(err.Error(), "aHVudGVyMg==") && !strings.Contains(text, "aHVudGVyMg==") {
						t.Fatalf("a secret is told: %v", err)
					}
					continue
				}
				var got struct {
					Kind     string
					Metadata struct{ Name, Namespace string }
				}
				if err := json.Unmarshal([]byte(jsonText(t, result.Objects[0].Content)), &got); err != nil {
					t.Fatal(err)
				}
				if got.Kind != o.Key.Kind || got.Metadata.Name != o.Key.Name || got.Metadata.Namespace != o.Key.Namespace {
					t.Fatalf("another object: %+v", got)
				}
			}
		}
	})
}
