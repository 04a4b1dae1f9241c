package work

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

func TestListHasEachNameOnce(t *testing.T) {
	for _, n := range []int{1, 5, 21, 50} {
		objects := New("bench", n).List()
		if len(objects) != n {
			t.Errorf("%d objects, want %d", len(objects), n)
		}
		seen := map[string]bool{}
		for _, object := range objects {
			key := object.Content.GetKind() + "/" + object.Content.GetName()
			if seen[key] {
				t.Errorf("%s is there twice of %d objects", key, n)
			}
			seen[key] = true
			if object.Content.GetKind() != "Namespace" && object.Content.GetNamespace() != "bench" {
				t.Errorf("%s is in namespace %q", key, object.Content.GetNamespace())
			}
		}
	}
}

func TestListHasTheMix(t *testing.T) {
	got := map[string]int{}
	for _, object := range New("bench", 21).List() {
		got[object.Content.GetKind()]++
	}
	want := map[string]int{"Namespace": 1, "ConfigMap": 8, "Deployment": 4, "Service": 4, "ServiceAccount": 2, "Role": 1, "RoleBinding": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

func TestBindingsPointAtWhatIsThere(t *testing.T) {
	objects := New("bench", 101).List()
	names := map[string]bool{}
	for _, object := range objects {
		names[object.Content.GetKind()+"/"+object.Content.GetName()] = true
	}
	for _, object := range objects {
		if object.Content.GetKind() != "RoleBinding" {
			continue
		}
		role := object.Content.Object["roleRef"].(map[string]any)["name"].(string)
		if !names["Role/"+role] {
			t.Errorf("%s binds role %s, which is not there", object.Content.GetName(), role)
		}
		if !names["ServiceAccount/account-04"] {
			t.Errorf("%s binds account-04, which is not there", object.Content.GetName())
		}
	}
}

func TestEdits(t *testing.T) {
	w := New("bench", 21)
	changed := func(to Work) []int {
		var indexes []int
		before, after := w.List(), to.List()
		for i := range before {
			if !cmp.Equal(before[i].Content.Object, after[i].Content.Object) {
				indexes = append(indexes, i)
			}
		}
		return indexes
	}
	if got, want := changed(w.EditOne()), []int{FirstDeployment(w.List())}; !slices.Equal(got, want) {
		t.Errorf("EditOne changes the objects %v, want %v", got, want)
	}
	if got := changed(w.EditAll()); len(got) != 21 {
		t.Errorf("EditAll changes %d objects, want all 21", len(got))
	}
	if got := FirstDeployment(New("bench", 2).List()); got != -1 {
		t.Errorf("a deployment at %d of two objects", got)
	}
}

func TestYAMLHasEveryObject(t *testing.T) {
	objects := New("bench", 21).List()
	text, err := YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Split(string(text), "\n---\n")
	if len(documents) != len(objects) {
		t.Fatalf("%d documents, want %d", len(documents), len(objects))
	}
	for i, document := range documents {
		var got map[string]any
		if err := yaml.Unmarshal([]byte(document), &got); err != nil {
			t.Fatal(err)
		}
		if got["kind"] != objects[i].Content.GetKind() {
			t.Errorf("document %d is a %v, want a %s", i, got["kind"], objects[i].Content.GetKind())
		}
	}
}

func TestResources(t *testing.T) {
	got := Resources(New("bench", 21).List())
	if len(got) != 7 || got[0] != (schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}) {
		t.Errorf("resources %v, want seven, namespaces first", got)
	}
}

func TestDriftsAreDistinctAndPossible(t *testing.T) {
	for _, shape := range []struct{ clusters, objects, want int }{{4, 21, 2}, {8, 50, 4}, {1000, 20, 200}, {1, 3, 2}, {1, 2, 1}} {
		objects := New("bench", shape.objects).List()
		got := PercentDrift(objects, shape.clusters)
		if len(got) != shape.want {
			t.Errorf("%d × %d: %d drifts, want %d", shape.clusters, shape.objects, len(got), shape.want)
		}
		seen := map[Drift]bool{}
		for _, drift := range got {
			if seen[drift] {
				t.Errorf("%d × %d: %v twice", shape.clusters, shape.objects, drift)
			}
			seen[drift] = true
			if drift.Cluster >= shape.clusters || objects[drift.Object].Drift == nil {
				t.Errorf("%d × %d: %v cannot drift", shape.clusters, shape.objects, drift)
			}
		}
	}
	if got := OneDrift(New("bench", 21).List()); len(got) != 1 {
		t.Errorf("%d drifts, want one", len(got))
	}
}
