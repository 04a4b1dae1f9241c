package ssa

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

const workload = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {example.org/a: x, example.org/b: z}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1.27", args: [a, b], ports: [{containerPort: 80}, {containerPort: 81, protocol: UDP}]}
      - {name: side, image: "proxy:1"}
`

func patterns(t interface{ Fatal(...any) }, texts ...string) []fleet.Pattern {
	var out []fleet.Pattern
	for _, text := range texts {
		p, err := fleet.ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestWithout(t *testing.T) {
	tests := map[string]struct {
		paths []string
		gone  [][]string
		check func(t *testing.T, spec map[string]any)
	}{
		"one field": {paths: []string{"spec.replicas"}, gone: [][]string{{"spec", "replicas"}}},
		"a map that becomes empty goes with its last entry": {paths: []string{"metadata.annotations[*]", "metadata.annotations['example.org/*']"}, gone: [][]string{{"metadata", "annotations"}}},
		"a subtree": {paths: []string{"spec.template"}, gone: [][]string{{"spec", "template"}}},
		"a field of one item": {paths: []string{"spec.template.spec.containers[name=web].image"}, check: func(t *testing.T, spec map[string]any) {
			want := []any{map[string]any{"name": "web", "args": []any{"a", "b"}, "ports": []any{map[string]any{"containerPort": int64(80)}, map[string]any{"containerPort": int64(81), "protocol": "UDP"}}},
				map[string]any{"name": "side", "image": "proxy:1"}}
			if diff := cmp.Diff(want, spec["containers"]); diff != "" {
				t.Error(diff)
			}
		}},
		"an item": {paths: []string{"spec.template.spec.containers[name=s*]"}, check: func(t *testing.T, spec map[string]any) {
			if n := len(spec["containers"].([]any)); n != 1 {
				t.Errorf("%d containers", n)
			}
		}},
		"an item by a part of its key": {paths: []string{"spec.template.spec.containers[*].ports[protocol=UDP]"}, check: func(t *testing.T, spec map[string]any) {
			ports := spec["containers"].([]any)[0].(map[string]any)["ports"]
			if diff := cmp.Diff([]any{map[string]any{"containerPort": int64(80)}}, ports); diff != "" {
				t.Error(diff)
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			obj := object(t, workload)
			before := obj.DeepCopy()
			out, err := Without(obj, patterns(t, test.paths...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before.Object, obj.Object); diff != "" {
				t.Errorf("the object itself was changed: %s", diff)
			}
			for _, path := range test.gone {
				if v, found, _ := unstructured.NestedFieldNoCopy(out.Object, path...); found {
					t.Errorf("%v is still there: %v", path, v)
				}
			}
			if test.check != nil {
				spec, _, err := unstructured.NestedMap(out.Object, "spec", "template", "spec")
				if err != nil {
					t.Fatal(err)
				}
				test.check(t, spec)
			}
		})
	}
}

// TestGraftUndoesWithout takes any fields away and writes them back from the object as it was.
func TestGraftUndoesWithout(t *testing.T) {
	obj := object(t, workload)
	set, err := SentSet(obj)
	if err != nil {
		t.Fatal(err)
	}
	var leaves []fieldpath.Path
	for path := range set.Leaves().All() {
		leaves = append(leaves, path.Copy())
	}
	rapid.Check(t, func(t *rapid.T) {
		cut := fieldpath.NewSet()
		for _, i := range rapid.SliceOfDistinct(rapid.IntRange(0, len(leaves)-1), rapid.ID[int]).Draw(t, "cut") {
			cut.Insert(leaves[i])
		}
		less := without(obj, cut)
		for path := range cut.Leaves().All() {
			if v, ok := lookup(less.Object, path); ok && (len(path) < 2 || !isKey(path[len(path)-2:])) {
				t.Fatalf("%s is still there: %v", fleet.FormatPath(path), v)
			}
		}
		again, err := Sent(grafted(less, obj, cut), nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Sent(obj, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, again); diff != "" {
			t.Fatalf("not as it was: %s", diff)
		}
	})
}

func TestCheckPath(t *testing.T) {
	obj := object(t, workload)
	tests := map[string]string{
		"spec.replicas": "",
		"spec.template.spec.containers[name=web].resources.limits.cpu": "",
		"spec.*": "",
		"metadata.annotations['anything/at.all']":                           "",
		"spec.template.spec.containers[*].ports[containerPort=80].hostPort": "",
		"spec.replica":                                 "Deployment.spec has no field replica; did you mean replicas?",
		"spec.replicas.x":                              "Deployment.spec.replicas is a single value and has nothing below it",
		"spec.template.spec.containers.name":           "Deployment.spec.template.spec.containers is a list; choose items of it as in [*] or [name=web]",
		"spec.template.spec.containers[*].command[0]":  "Deployment.spec.template.spec.containers[...].command is a list that is owned only as a whole; name the list itself",
		"spec.template.spec.containers[image=x].image": "items of Deployment.spec.template.spec.containers are known by name, not by image",
		"spec[*]": "Deployment.spec is no list",
	}
	for path, want := range tests {
		err := CheckPath(obj, patterns(t, path)[0])
		if got := fmtError(err); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	custom := object(t, "apiVersion: example.org/v1\nkind: Anything\nmetadata: {name: x}\n")
	if err := CheckPath(custom, patterns(t, "spec.whatever[0]")[0]); err != nil {
		t.Errorf("of a custom resource nothing is known: %v", err)
	}
}

func fmtError(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
