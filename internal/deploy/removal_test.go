package deploy

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// TestRemoval_survives says of every object the same before and after the way through the inventory.
func TestRemoval_survives(t *testing.T) {
	deletions := rapid.SampledFrom([]fleet.Deletion{"", fleet.DeletionDelete, fleet.DeletionOrphan})
	adopted := rapid.SampledFrom([]fleet.OnAdopted{"", fleet.OnAdoptedRelease, fleet.OnAdoptedDelete})
	glob := rapid.Custom(func(t *rapid.T) *fleet.Glob {
		text := rapid.Ptr(rapid.SampledFrom([]string{"web", "w*", "?eb", ""}), true).Draw(t, "glob")
		if text == nil {
			return nil
		}
		g := fleet.NewGlob(*text)
		return &g
	})
	rapid.Check(t, func(t *rapid.T) {
		set := Set{Name: "web", Propagation: rapid.SampledFrom([]metav1.DeletionPropagation{"", metav1.DeletePropagationOrphan}).Draw(t, "propagation")}
		set.Policy.Deletion, set.Policy.OnAdopted = deletions.Draw(t, "deletion"), adopted.Draw(t, "on_adopted")
		for range rapid.IntRange(0, 4).Draw(t, "rules") {
			set.Rules = append(set.Rules, Rule{
				Target: manifest.Target{
					Group: rapid.Ptr(rapid.SampledFrom([]string{"", "apps"}), true).Draw(t, "group"), Kind: rapid.SampledFrom([]string{"", "Deployment"}).Draw(t, "kind"),
					Namespace: glob.Draw(t, "namespace"), Name: glob.Draw(t, "name"),
					MatchLabels: rapid.SampledFrom([]map[string]string{nil, {"tier": "db"}}).Draw(t, "labels"),
				},
				Deletion: deletions.Draw(t, "rule deletion"), OnAdopted: adopted.Draw(t, "rule on_adopted"),
				Conflicts: rapid.SampledFrom([]fleet.Conflicts{"", fleet.ConflictsForce}).Draw(t, "conflicts"),
			})
		}
		text, err := set.removalText(fleet.Cluster{Name: "eu-1"})
		if err != nil {
			t.Fatal(err)
		}
		back, err := Set{Name: "web"}.withRemoval(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []fleet.ObjectKey{web, conf, {Kind: "ConfigMap", Namespace: "web", Name: "web"}} {
			for _, labels := range []map[string]string{nil, {"tier": "db"}} {
				for _, created := range []bool{true, false} {
					before, after := ending(t, set, key, labels, created), ending(t, back, key, labels, created)
					if before != after || set.propagation() != back.propagation() {
						t.Fatalf("%s %v: %q before, %q after %s", key, labels, before, after, text)
					}
				}
			}
		}
	})
}

func ending(t *rapid.T, set Set, key fleet.ObjectKey, labels map[string]string, created bool) Action {
	treat, err := set.treat(fleet.Cluster{Name: "eu-1"}, key, labels)
	if err != nil {
		t.Fatal(err)
	}
	return treat.removal(created)
}

func TestRemoval_choosesTheCluster(t *testing.T) {
	selector, err := placement.Compile(fleet.Selector{Names: []string{"us-1"}})
	if err != nil {
		t.Fatal(err)
	}
	set := Set{Rules: []Rule{{Clusters: selector, Deletion: fleet.DeletionOrphan}, {Conflicts: fleet.ConflictsForce}}}
	for name, want := range map[string]string{"eu-1": "", "us-1": `{"rules":[{"deletion":"orphan"}]}`} {
		if got, err := set.removalText(fleet.Cluster{Name: name}); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}
