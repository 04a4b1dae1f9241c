package override_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

// TestClouds rewrites a set for a fleet as the document in testdata says.
func TestClouds(t *testing.T) {
	text, err := os.ReadFile("testdata/clouds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Clusters []fleet.Cluster
		Rules    []struct {
			Clusters, Kind string
			JSONPatch      string `json:"json_patch"`
			MergePatch     string `json:"merge_patch"`
			StrategicPatch string `json:"strategic_patch"`
			Images         map[string]override.Image
			Exclude        bool
		}
		Objects []map[string]any
		Want    map[string][]map[string]any
	}
	if err := yaml.UnmarshalStrict(text, &doc); err != nil {
		t.Fatal(err)
	}
	var rules []override.Rule
	for _, r := range doc.Rules {
		rules = append(rules, override.Rule{
			Clusters:  func(c fleet.Cluster) (bool, error) { return c.Labels["cloud"] == r.Clusters, nil },
			Target:    func(key fleet.ObjectKey, _ map[string]string) bool { return r.Kind == "" || key.Kind == r.Kind },
			JSONPatch: r.JSONPatch, MergePatch: r.MergePatch, StrategicPatch: r.StrategicPatch, Images: r.Images, Exclude: r.Exclude,
		})
	}
	var objects []override.Object
	for _, o := range doc.Objects {
		objects = append(objects, object(t, jsonText(t, o)))
	}
	overrides := compile(t, rules...)
	var uses [][]override.Use
	for _, cluster := range doc.Clusters {
		result, err := overrides.Rewrite(cluster, objects)
		if err != nil {
			t.Fatal(err)
		}
		uses = append(uses, result.Uses)
		var want, got []any
		for _, o := range doc.Want[cluster.Name] {
			want = append(want, object(t, jsonText(t, o)).Content)
		}
		for _, o := range result.Objects {
			got = append(got, any(o.Content))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", cluster.Name, diff)
		}
	}
	if unused := overrides.Unused(uses); len(unused) > 0 {
		t.Errorf("unused: %v", unused)
	}
}
