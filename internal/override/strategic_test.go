package override_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: web, finalizers: [example.org/a, example.org/b]}
spec:
  replicas: 3
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}
  template:
    spec:
      containers:
        - name: web
          image: nginx:1.28
          args: [a, b]
          env: [{name: A, value: "1"}, {name: B, value: "2"}]
          ports: [{containerPort: 80}, {containerPort: 443}]
        - {name: log, image: fluent}
      volumes: [{name: tmp, emptyDir: {}}]
`

func TestStrategicPatch(t *testing.T) {
	tests := []struct{ name, object, patch, want, err string }{
		{"an item is found by its key",
			deployment, `spec: {template: {spec: {containers: [{name: web, image: nginx:1.29}]}}}`,
			strings.Replace(deployment, "nginx:1.28", "nginx:1.29", 1), ""},
		{"a key may be a number",
			deployment, `spec: {template: {spec: {containers: [{name: web, ports: [{containerPort: 443, name: https}]}]}}}`,
			strings.Replace(deployment, "{containerPort: 443}", "{containerPort: 443, name: https}", 1), ""},
		{"new items come first, as with kubectl",
			deployment, `spec: {template: {spec: {containers: [{name: web, env: [{name: C, value: "3"}]}]}}}`,
			strings.Replace(deployment, `env: [`, `env: [{name: C, value: "3"}, `, 1), ""},
		{"a list without a key is replaced",
			deployment, `spec: {template: {spec: {containers: [{name: web, args: [c]}]}}}`,
			strings.Replace(deployment, "args: [a, b]", "args: [c]", 1), ""},
		{"null removes",
			deployment, `spec: {replicas: null, template: {spec: {containers: [{name: web, args: null}]}}}`,
			strings.NewReplacer("          args: [a, b]\n", "", "  replicas: 3\n", "").Replace(deployment), ""},
		{"$patch: delete removes an item",
			deployment, `spec: {template: {spec: {containers: [{name: log, $patch: delete}, {name: gone, $patch: delete}]}}}`,
			strings.Replace(deployment, "        - {name: log, image: fluent}\n", "", 1), ""},
		{"$patch: replace replaces a mapping",
			deployment, `spec: {strategy: {$patch: replace, type: Recreate}}`,
			strings.Replace(deployment, "{type: RollingUpdate, rollingUpdate: {maxSurge: 1}}", "{type: Recreate}", 1), ""},
		{"$patch: replace replaces a list",
			deployment, `spec: {template: {spec: {volumes: [{$patch: replace}, {name: x, emptyDir: {medium: Memory}}]}}}`,
			strings.Replace(deployment, "[{name: tmp, emptyDir: {}}]", "[{name: x, emptyDir: {medium: Memory}}]", 1), ""},
		{"$retainKeys keeps only these",
			deployment, `spec: {strategy: {$retainKeys: [type], type: Recreate}}`,
			strings.Replace(deployment, "{type: RollingUpdate, rollingUpdate: {maxSurge: 1}}", "{type: Recreate}", 1), ""},
		{"$deleteFromPrimitiveList",
			deployment, `metadata: {$deleteFromPrimitiveList/finalizers: [example.org/a]}`,
			strings.Replace(deployment, "[example.org/a, example.org/b]", "[example.org/b]", 1), ""},
		{"$setElementOrder",
			deployment, `spec: {template: {spec: {$setElementOrder/containers: [{name: log}, {name: web}]}}}`,
			strings.Replace(strings.Replace(deployment, "        - {name: log, image: fluent}\n", "", 1), "      containers:\n", "      containers:\n        - {name: log, image: fluent}\n", 1), ""},
		{"directives where nothing is yet",
			`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec: {containers: [{name: web}]}}}}`,
			`spec: {strategy: {$retainKeys: [type], type: Recreate}, selector: {$patch: replace, matchLabels: {app: web}}, template: {metadata: {$patch: delete},
			   spec: {containers: [{name: new, securityContext: {$patch: replace, privileged: true}, env: [{$patch: replace}, {name: X, $patch: delete}, {name: Z}]}]}}}`,
			`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {strategy: {type: Recreate}, selector: {matchLabels: {app: web}}, template: {
			   spec: {containers: [{name: new, securityContext: {privileged: true}, env: [{name: Z}]}, {name: web}]}}}}`, ""},
		{"a list without items",
			`{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [], tolerations: []}}`,
			`spec: {containers: [{name: web}], tolerations: [], $setElementOrder/volumes: [{name: a}]}`,
			`{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: web}], tolerations: []}}`, ""},
		{"labels",
			`{apiVersion: v1, kind: ConfigMap, metadata: {name: web, labels: {a: "1", b: "2"}}}`, `metadata: {labels: {a: null, c: "3"}}`,
			`{apiVersion: v1, kind: ConfigMap, metadata: {name: web, labels: {b: "2", c: "3"}}}`, ""},
		{"a custom resource is patched by the rules of a merge patch",
			`{apiVersion: example.org/v1, kind: App, metadata: {name: web}, spec: {containers: [{name: a}, {name: b}], x: 1}}`, `spec: {containers: [{name: a, image: x}], x: null}`,
			`{apiVersion: example.org/v1, kind: App, metadata: {name: web}, spec: {containers: [{name: a, image: x}]}}`, ""},

		{"directives need a schema",
			`{apiVersion: example.org/v1, kind: App, metadata: {name: web}}`, `spec: {containers: [{name: a, $patch: delete}]}`, "",
			"spec.containers[0]['$patch']: App of example.org/v1 has no built-in schema, so that it is patched by the rules of merge_patch, which know no directives"},
		{"an item without its key",
			deployment, `spec: {template: {spec: {containers: [{image: hunter2}]}}}`, "",
			"spec.template.spec.containers[0]: this item has no name, by which the items of this list are told apart"},
		{"a deeper item without its key",
			deployment, `spec: {template: {spec: {containers: [{name: web, env: [{value: hunter2}]}]}}}`, "",
			"spec.template.spec.containers[name=web].env[0]: this item has no name, by which the items of this list are told apart"},
		{"an item that is no mapping",
			deployment, `spec: {template: {spec: {containers: [hunter2]}}}`, "",
			"spec.template.spec.containers[0]: this is a string, and the items of this list are mappings that are told apart by name"},
		{"a key that is no plain value",
			deployment, `spec: {template: {spec: {containers: [{name: {hunter2: 1}}]}}}`, "",
			"spec.template.spec.containers[0]: the name of this item is a mapping, and the items of this list are told apart by it"},
		{"an item of the object without its key",
			`{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{image: hunter2}]}}`, `spec: {containers: [{name: a}]}`, "",
			"spec.containers[0]: in the object this item has no name, by which the items of this list are told apart"},
		{"a mapping that the schema does not have",
			`{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {sceurity: {a: 1}}}`, `spec: {sceurity: {b: 1}}`, "",
			"spec.sceurity: the built-in schema has no such field here; is it misspelt, or too new? merge_patch needs no schema"},
		{"mixed plain values",
			`{apiVersion: v1, kind: Pod, metadata: {name: web, finalizers: [hunter2]}}`, `metadata: {finalizers: [1]}`, "",
			"it does not fit the schema of Pod in v1; is a list written where an item or another type is expected?"},
		{"$deleteFromPrimitiveList is not for lists with a key",
			deployment, `spec: {template: {spec: {$deleteFromPrimitiveList/containers: [web]}}}`, "",
			"spec.template.spec['$deleteFromPrimitiveList/containers']: the items of this list are told apart by name; delete one with $patch: delete in an item with it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := object(t, tt.object)
			got, err := rewrite(t, o, override.Rule{StrategicPatch: tt.patch})
			if tt.err != "" {
				separator := ", "
				if strings.HasPrefix(tt.err, "it does") {
					separator = ": "
				}
				tt.err = "eu-1, " + o.Key.String() + ": overrides[0].strategic_patch" + separator + tt.err
			}
			if text := message(err); text != tt.err {
				t.Fatalf("error (-want +got)\n%s", cmp.Diff(tt.err, text))
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(content(t, tt.want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
