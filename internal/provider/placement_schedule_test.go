package provider_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// scoredClusters is a map of clusters written by hand that differ in all that scheduling looks at.
const scoredClusters = `
variable "lost" {
  type    = list(string)
  default = []
}
locals {
  clusters = {
    eu-1 = { labels = { region = "eu" }, properties = { cost = "3" }, facts = { allocatable = { cpu = "8" }, apis = ["apps/v1/Deployment"] } }
    eu-2 = { labels = { region = "eu" }, properties = { cost = "1" }, facts = { allocatable = { cpu = "16" }, apis = ["apps/v1/Deployment"] } }
    eu-3 = { labels = { region = "eu" }, properties = { cost = "2" }, facts = { allocatable = { cpu = "4" }, apis = ["apps/v1/Deployment"] } }
    us-1 = { labels = { region = "us" }, properties = { cost = "4" }, facts = { allocatable = { cpu = "32" }, apis = ["apps/v1/Deployment"] } }
    us-2 = { labels = { region = "us" }, taints = [{ key = "old", effect = "PreferNoSelect" }], facts = { apis = ["v1/ConfigMap"] } }
  }
}
`

// chosen is one cluster as the state of a placement passes it on.
func chosen(w *fleettest.Workspace, address, name string) map[string]any {
	found, _ := dig(w.Resource(address), "selected", name).(map[string]any)
	return found
}

func TestAccPlacement_scheduled(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		w, write := placementWorkspace(t, cli, scoredClusters)
		policy := `
  number_of_clusters = 3
  spread             = [{ topology_key = "region", max_skew = 1 }]
  prioritizers       = [{ type = "Property", property = "cost", weight = -1 }, { type = "Steady", weight = 3 }]
  groups             = [{ name = "canary", size = "1" }, { name = "eu", selector = { match_labels = { region = "eu" } } }]
  weights            = { by = "static", min_replicas = 1, static = [{ selector = { names = ["eu-2"] }, weight = 3, max_replicas = 9 }, { weight = 1 }] }
`
		write("clusters = local.clusters" + policy)
		contains(t, w.Plan(), `+ "eu-2, eu-3, us-1 enter"`, `+ "eu-1" = "its score -33 is below the 200 of us-1, the last of the 3 chosen"`,
			`+ "us-2" = "its score -100 is below the 200 of us-1, the last of the 3 chosen"`)
		w.Apply()
		w.PlanEmpty()
		score := map[string]int{}
		text, _ := dig(w.Resource("fleet_placement.this"), "scores", "eu-2").(string)
		if err := json.Unmarshal([]byte(text), &score); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if diff := cmp.Diff(map[string]int{"Property/cost": 100, "Steady": 300, "total": 400}, score); diff != "" {
			t.Errorf("score of eu-2 (-want +got):\n%s", diff)
		}
		for name, want := range map[string]string{"eu-2": "canary 3 1 9", "eu-3": "eu 1 1 <nil>", "us-1": "rest 1 1 <nil>"} {
			c := chosen(w, "fleet_placement.this", name)
			if got := fmt.Sprint(c["group"], " ", c["weight"], " ", c["min_replicas"], " ", c["max_replicas"]); got != want {
				t.Errorf("%s is passed on with %s, want %s", name, got, want)
			}
		}

		t.Log("a better cluster comes: nothing moves")
		write("clusters = merge(local.clusters, { eu-0 = { labels = { region = \"eu\" }, properties = { cost = \"1\" } } })" + policy)
		contains(t, w.Plan(), `+ "eu-0" = "its score 100 is below the 200 of us-1, the last of the 3 chosen"`)
		w.Apply()
		w.PlanEmpty()
		if selected, _ := decided(w, "fleet_placement.this"); !slices.Equal(selected, []string{"eu-2", "eu-3", "us-1"}) {
			t.Errorf("selected %v", selected)
		}

		t.Log("a chosen one is lost: another takes its place, and no more moves")
		write("clusters = local.clusters\nlost = var.lost" + policy)
		contains(t, w.Plan("-var", `lost=["eu-2"]`), `"eu-2 leaves: named in lost"`, `"eu-1 enters"`, `+ "eu-2" = "named in lost"`)
		w.Apply("-var", `lost=["eu-2"]`)
		w.PlanEmpty("-var", `lost=["eu-2"]`)
		if selected, _ := decided(w, "fleet_placement.this"); !slices.Equal(selected, []string{"eu-1", "eu-3", "us-1"}) {
			t.Errorf("selected %v", selected)
		}
		w.Destroy()
	})
}

func TestAccPlacement_required(t *testing.T) {
	w, write := placementWorkspace(t, fleettest.Terraform(t), scoredClusters)
	write(`
  clusters      = local.clusters
  required_apis = ["apps/v1/Deployment"]
  balance_over  = [fleet_placement.other.selected]
  number_of_clusters = 1
}
resource "fleet_placement" "other" {
  clusters           = local.clusters
  number_of_clusters = 2
  tolerations        = [{ key = "old", operator = "Exists" }]
  prioritizers       = [{ type = "CEL", cel = "cluster.name == \"us-2\" ? 1 : 0" }]`)
	w.Apply()
	w.PlanEmpty()
	if selected, _ := decided(w, "fleet_placement.other"); !slices.Equal(selected, []string{"eu-1", "us-2"}) {
		t.Errorf("the other has selected %v", selected)
	}
	selected, rejected := decided(w, "fleet_placement.this")
	if !slices.Equal(selected, []string{"eu-2"}) || rejected["us-2"] != "does not serve apps/v1/Deployment" ||
		rejected["eu-1"] != "its score -100 is below the 200 of eu-2, the only one chosen" {
		t.Errorf("selected %v, rejected %v", selected, rejected)
	}
}

// What it is asked for is refused early, with the place.
func TestAccPlacement_policyRefused(t *testing.T) {
	w, write := placementWorkspace(t, fleettest.Terraform(t), scoredClusters)
	for arguments, sentence := range map[string]string{
		`number_of_clusters = -1`: "number_of_clusters: -1 is negative.",
		`spread = [{ topology_key = "region", min_groups = 3, max_groups = 2 }]`: "spread[0].min_groups: At least 3 groups and at most 2 contradict each other.",
		`spread = [{ topology_key = "region" }]`:                                 "spread[0]: It constrains nothing; give max_skew, min_groups or max_groups.",
		`prioritizers = [{ type = "Stedy" }]`:                                    `prioritizers[0].type: There is no prioritizer "Stedy"`,
		`prioritizers = [{ type = "Steady", weight = 11 }]`:                      "prioritizers[0].weight: 11 is out of range; want -10 to 10.",
		`prioritizers = [{ type = "CEL", cel = "cluster.nmae" }]`:                `prioritizers[0].cel: 1:8: undefined field 'nmae'; did you mean "name"?`,
		`prioritizers = [{ type = "CEL", cel = "cluster.name" }]`:                "The expression yields string, want a number, such as cluster.facts.nodes.",
		`tolerations = [{ key = "a", toleration_seconds = -1 }]`:                 "tolerations[0].toleration_seconds: -1 is negative.",
		`tolerations = [{ operator = "Equal" }]`:                                 "tolerations[0].key: The key is empty",
		`failover = "automatic"`:                                                 "Automatic failover needs affinities to fail over to",
		`affinities = [{ name = "a" }, { name = "a" }]`:                          `affinities[1].name: "a" stands in item 0 already.`,
		`affinities = [{ name = "a", selector = { names = [] } }]`:               "affinities[0].selector.names: The list is empty.",
		`groups = [{ name = "a", size = "0%" }]`:                                 `groups[0].size: "0%" is not positive.`,
		`weights = { by = "static", static = [{ weight = 0 }] }`:                 "weights.static: All weights are 0, so that no cluster would get anything.",
		`weights = { by = "static", static = [{ weight = -2 }] }`:                "weights.static[0].weight: -2 is negative.",
		`weights = { by = "cpu", min_replicas = 3, max_replicas = 2 }`:           "weights.min_replicas: At least 3 replicas and at most 2 contradict each other.",
		`required_apis = ["Deployment"]`:                                         `required_apis[0]: "Deployment" is no API`,
		`now = "noon"`:                                                           `"noon" is no time.`,
	} {
		write("clusters = local.clusters\n" + arguments)
		contains(t, w.MustFail("validate", "-no-color"), sentence)
	}
	for arguments, sentence := range map[string]string{
		`spread = [{ topology_key = "regoin", max_skew = 1 }]`:                                                `spread[0].topology_key: No cluster has the label regoin; did you mean "region"?`,
		`spread = [{ topology_key = "region", min_groups = 3 }]`:                                              "spread[0].min_groups: 3 groups by label region are asked for, and the clusters that fit are in 2: eu (3), us (2)",
		`prioritizers = [{ type = "Property", property = "costs" }]`:                                          `prioritizers[0].property: No cluster has the property costs; did you mean "cost"?`,
		`prioritizers = [{ type = "Balance" }]`:                                                               "prioritizers[0].type: There is nothing to balance over",
		`prioritizers = [{ type = "ResourceAllocatableMemory" }]`:                                             "prioritizers[0].type: The allocatable memory of no cluster is known",
		`weights = { by = "cpu" }`:                                                                            "weights.by: The allocatable cpu of cluster us-2 is not known",
		"number_of_clusters = 1\nprioritizers = [{ type = \"CEL\", cel = \"int(cluster.properties.cost)\" }]": "The expression prioritizers[0].cel fails",
		`groups = [{ name = "a", selector = { cel = "cluster.properties.cost == \"1\"" } }]`:                  "The expression groups[0].selector.cel fails",
		"affinities = [{ name = \"a\" }]\nfailover = \"automatic\"":                                           "Set the provider's unreachable_after",
	} {
		write("clusters = local.clusters\n" + arguments)
		contains(t, w.PlanFails(), sentence)
	}
}

// A taint is tolerated for a time, and the plan says when that is over.
func TestAccPlacement_toleratedForATime(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		w, write := placementWorkspace(t, cli, `
locals {
  clusters = {
    eu-1 = { taints = [{ key = "leaving", effect = "NoSelect", added = "2026-01-01T00:00:00Z" }] }
    eu-2 = {}
  }
}
`)
		tolerate := "clusters = local.clusters\ntolerations = [{ key = \"leaving\", operator = \"Exists\", toleration_seconds = 3600 }]\n"
		write(tolerate)
		contains(t, w.PlanFails(), "now: The taint leaving:NoSelect of cluster eu-1 is tolerated for a time by tolerations[0]", "write now = plantimestamp()")
		write(tolerate + `now = "2026-01-01T00:30:00Z"`)
		w.Apply()
		w.PlanEmpty()
		if selected, _ := decided(w, "fleet_placement.this"); !slices.Equal(selected, []string{"eu-1", "eu-2"}) {
			t.Errorf("selected %v", selected)
		}
		write(tolerate + `now = "2026-01-01T00:59:00Z"`)
		w.PlanEmpty()
		write(tolerate + "now = plantimestamp()")
		contains(t, w.Plan(), `"eu-1 leaves: taint leaving:NoSelect is not tolerated any more: the 3600 s from when it was added ended at 2026-01-01T01:00:00Z"`)
		w.Apply()
		w.PlanEmpty()
	})
}

// What a plan decides without knowing everything comes true, and what it cannot decide waits.
func TestAccPlacement_unknownScheduling(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		w, write := placementWorkspace(t, cli, `
resource "terraform_data" "cost" {
  input = "2"
}
locals {
  clusters = {
    eu-1 = { labels = { region = "eu" }, properties = { cost = terraform_data.cost.output } }
    eu-2 = { labels = { region = "eu" }, properties = { cost = "1" } }
    us-1 = { labels = { region = "us" }, properties = { cost = "3" } }
  }
}
`)
		planned := func(name string) any {
			for _, change := range w.PlanJSON().ResourceChanges {
				if change.Address == "fleet_placement.this" {
					return dig(change.Change.After, name)
				}
			}
			return nil
		}
		write("clusters = local.clusters\nnumber_of_clusters = 2\nprioritizers = [{ type = \"Property\", property = \"cost\" }]")
		if got := planned("selected"); got != nil {
			t.Errorf("what competes by an unknown property is planned as %v", got)
		}
		write("clusters = local.clusters\nnumber_of_clusters = 3\nprioritizers = [{ type = \"Property\", property = \"cost\" }]\n" +
			"weights = { by = \"static\", static = [{ selector = { cel = \"cluster.properties.cost == '1'\" }, weight = 3 }, { weight = 1 }] }")
		if got, _ := planned("selected").(map[string]any); len(got) != 3 || dig(got, "eu-2", "weight") != json.Number("3") && dig(got, "eu-2", "weight") != 3.0 ||
			dig(got, "eu-1", "weight") != nil {
			t.Errorf("where all have room, planned are %v", got)
		}
		w.Apply()
		w.PlanEmpty()
		write("clusters = local.clusters\nnumber_of_clusters = 2\nprioritizers = [{ type = \"Property\", property = \"cost\", weight = 4 }]")
		contains(t, w.Apply(), `"eu-2 leaves: its score -300 is below the 100 of eu-1, the last of the 2 chosen"`)
		w.PlanEmpty()
	})
}
