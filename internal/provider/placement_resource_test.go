package provider_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// clustersByHand is a map of clusters nobody has to contact.
const clustersByHand = `
locals {
  clusters = {
    eu-1 = { labels = { region = "eu", tier = "gold" }, weight = 3 }
    eu-2 = { name = "eu-2", labels = { region = "eu" }, facts = { nodes = 5 } }
    us-1 = { name = "us-1", labels = { region = "us" }, minor = "1.33", nickname = "dropped" }
  }
}
`

// placementWorkspace is a workspace with the clusters and one placement with the arguments given.
func placementWorkspace(t *testing.T, cli, clusters string) (w *fleettest.Workspace, write func(arguments string)) {
	t.Helper()
	w = fleettest.NewWorkspace(t, cli)
	w.Write("clusters.tf", clusters)
	return w, func(arguments string) {
		w.Write("main.tf", "resource \"fleet_placement\" \"this\" {\n"+arguments+"\n}\n")
	}
}

// decided is what the state of a placement says.
func decided(w *fleettest.Workspace, address string) (selected []string, rejected map[string]any) {
	state := w.Resource(address)
	chosen, _ := state["selected"].(map[string]any)
	rejected, _ = state["rejected"].(map[string]any)
	return slices.Sorted(maps.Keys(chosen)), rejected
}

func TestAccPlacement_byHand(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		w, write := placementWorkspace(t, cli, clustersByHand)
		write(`
  clusters = local.clusters
  selector = { match_labels = { region = "eu" } }
}
resource "fleet_placement" "narrower" {
  clusters  = fleet_placement.this.selected
  selectors = [{ cel = "cluster.facts.nodes > 3" }]`)

		t.Log("both are decided in the first plan, one from the other")
		contains(t, w.Plan(), `+ "us-1" = "label region is \"us\", not \"eu\""`, `+ "eu-1" = "cel expression is false: cluster.facts.nodes > 3"`)
		w.Apply()
		w.PlanEmpty()
		selected, rejected := decided(w, "fleet_placement.this")
		if diff := cmp.Diff([]string{"eu-1", "eu-2"}, selected); diff != "" {
			t.Errorf("selected (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]any{"us-1": `label region is "us", not "eu"`}, rejected); diff != "" {
			t.Errorf("rejected (-want +got):\n%s", diff)
		}
		if selected, _ := decided(w, "fleet_placement.narrower"); !slices.Equal(selected, []string{"eu-2"}) {
			t.Errorf("narrower: selected %v", selected)
		}
		chosen := w.Resource("fleet_placement.this")["selected"].(map[string]any)["eu-1"].(map[string]any)
		if fmt.Sprint(chosen["name"], " ", chosen["weight"], " ", chosen["group"]) != "eu-1 3 <nil>" {
			t.Errorf("eu-1 is passed on as %v", chosen)
		}

		t.Log("another selector moves what it must, and nothing else")
		write(`
  clusters = local.clusters
  selector = { exclude = ["eu-1", "eu-7"] }`)
		contains(t, w.Plan(), `- "us-1" = "label region is \"us\", not \"eu\""`, `+ "eu-1" = "excluded by name"`,
			`exclude has "eu-7", but no cluster has this name; did you mean "eu-1"?`)
		w.Apply()
		w.PlanEmpty()

		t.Log("nothing is selected, with a warning that says why")
		write(`
  clusters = local.clusters
  selector = { match_labels = { region = "ap" } }`)
		contains(t, w.Plan(), "None of the 3 clusters is chosen.", `eu-1 label region is "eu", not "ap"`)
		w.Apply()
		w.PlanEmpty()

		t.Log("no clusters at all")
		write("clusters = {}")
		contains(t, w.Apply(), "clusters is empty.")
		w.PlanEmpty()
		w.Destroy()
	})
}

func TestAccPlacement_refused(t *testing.T) {
	w, write := placementWorkspace(t, fleettest.Terraform(t), clustersByHand)
	atValidate := map[string]string{
		`selector = { match_expressions = [{ key = "a", operator = "is" }] }`:                     `selector.match_expressions[0].operator: there is no operator "is"; want one of In, NotIn, Exists, DoesNotExist`,
		`selector = { match_expressions = [{ key = "a", operator = "In" }] }`:                     "operator In needs at least one value to compare with",
		`selector = { match_expressions = [{ key = "a", operator = "Exists", values = ["b"] }] }`: "operator Exists looks at the key only and takes no values",
		`selector = { match_labels = { "a b" = "c" } }`:                                           `selector.match_labels["a b"]: "a b" cannot be a label's key`,
		`selectors = [{}, { cel = "cluster.nmae == \"a\"" }]`:                                     `selectors[1].cel: 1:8: undefined field 'nmae'; did you mean "name"?`,
		`selector = { cel = "cluster.name" }`:                                                     "the expression yields string, want bool",
		`selector = { names = [] }`:                                                               "The list is empty. Name at least one cluster",
	}
	for arguments, sentence := range atValidate {
		write("clusters = local.clusters\n" + arguments)
		contains(t, w.MustFail("validate", "-no-color"), sentence)
	}
	atPlan := map[string][]string{
		"clusters = local.clusters\nselector = { cel = \"cluster.labels.tier == \\\"gold\\\"\" }": {
			"The expression selector.cel fails", "cannot be evaluated for clusters eu-2, us-1.", "1:15: no such key: tier",
			`or give a default, as in cluster.labels[?"tier"].orValue("").`,
		},
		"clusters = local.clusters\nselectors = []":                     {"The list is empty. Give at least one selector"},
		"clusters = { a = { name = \"b\" } }":                           {`The element "a" of clusters has the name "b".`},
		"clusters = { a = { name = \"a\", mode = \"asleep\" } }":        {`"active" "maintenance" "decommissioned"`},
		"clusters = merge(local.clusters, { a = null })":                {`The element "a" of clusters is null.`},
		"clusters = { a = { name = \"a\", labels = { a = [\"b\"] } } }": {"string required"},
	}
	for arguments, sentences := range atPlan {
		write(arguments)
		contains(t, w.PlanFails(), sentences...)
	}
}

// What is decided in a plan that does not know everything must come true, and what is not waits.
func TestAccPlacement_unknown(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		w, write := placementWorkspace(t, cli, `
resource "terraform_data" "tier" {
  input = "gold"
}
locals {
  clusters = {
    eu-1 = { labels = { region = "eu", tier = terraform_data.tier.output } }
    us-1 = { labels = { region = "us" } }
  }
}
`)
		planned := func() map[string]any {
			t.Helper()
			for _, change := range w.PlanJSON().ResourceChanges {
				if change.Address == "fleet_placement.this" {
					after, _ := change.Change.After.(map[string]any)
					return after
				}
			}
			t.Fatal("no change of fleet_placement.this is planned")
			return nil
		}

		t.Log("a choice that depends on what is unknown is unknown")
		write("clusters = local.clusters\nselector = { match_labels = { tier = \"gold\" } }")
		if after := planned(); after["selected"] != nil || after["rejected"] != nil {
			t.Errorf("planned %v", after)
		}

		t.Log("one that does not is made, and unknown parts are passed on")
		write("clusters = local.clusters\nselector = { match_labels = { region = \"eu\" } }")
		after := planned()
		chosen, _ := after["selected"].(map[string]any)
		if len(chosen) != 1 || chosen["eu-1"] == nil {
			t.Errorf("planned %v", after)
		}
		w.Apply()
		w.PlanEmpty()
		if selected, _ := decided(w, "fleet_placement.this"); !slices.Equal(selected, []string{"eu-1"}) {
			t.Errorf("selected %v", selected)
		}

		t.Log("and when all is known, the first is decided, too")
		write("clusters = local.clusters\nselector = { match_labels = { tier = \"gold\" } }")
		w.Apply()
		w.PlanEmpty()
		if selected, rejected := decided(w, "fleet_placement.this"); !slices.Equal(selected, []string{"eu-1"}) || rejected["us-1"] != `label tier is not set, want "gold"` {
			t.Errorf("selected %v, rejected %v", selected, rejected)
		}
	})
}

// On the first apply nobody has asked the clusters anything yet.
func TestAccPlacement_ofNewClusters(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		w, write := placementWorkspace(t, cli, fmt.Sprintf(`
provider "fleet" {
  kubeconfig_paths = [%q]
}
resource "fleet_cluster" "this" {
  for_each = { eu-1 = "eu", eu-2 = "eu", us-1 = "us" }
  name     = each.key
  labels   = { region = each.value }
}
`, fleettest.Kubeconfig(t)))
		write(`
  clusters = fleet_cluster.this
  selector = { match_labels = { region = "eu" } }
}
resource "fleet_placement" "minor" {
  clusters = fleet_placement.this.selected
  selector = { cel = "cluster.minor == \"` + fleettest.Get(t, "eu-1").Minor + `\" && cluster.uid != \"\"" }`)
		contains(t, w.Plan(), `+ "us-1" = "label region is \"us\", not \"eu\""`)
		w.Apply()
		w.PlanEmpty()
		for _, address := range []string{"fleet_placement.this", "fleet_placement.minor"} {
			if selected, _ := decided(w, address); !slices.Equal(selected, []string{"eu-1", "eu-2"}) {
				t.Errorf("%s: selected %v", address, selected)
			}
		}
		chosen := w.Resource("fleet_placement.this")["selected"].(map[string]any)["eu-1"].(map[string]any)
		if chosen["uid"] != fleettest.Get(t, "eu-1").UID(t) {
			t.Errorf("eu-1 is passed on as %v", chosen)
		}
		w.Destroy()
	})
}
