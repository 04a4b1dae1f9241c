package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// weighted writes a placement that divides replicas by weights.
func (s *setup) weighted(where, weights string) {
	s.Write("placement.tf", fmt.Sprintf("resource \"fleet_placement\" \"set\" {\n  clusters = fleet_cluster.this\n%s\n  weights = %s\n}\n", where, weights))
}

// replicasOn are the replicas of a Deployment on every cluster that has it, and their sum.
func replicasOn(t *testing.T, ns, name string) (map[string]int64, int64) {
	t.Helper()
	parts := map[string]int64{}
	var sum int64
	for c := range uids(t, deployments, ns, name) {
		n, ok := value(t, c, deployments, ns, name, "spec", "replicas").(int64)
		if !ok {
			t.Fatalf("%s on %s has no replicas", name, c)
		}
		parts[c], sum = n, sum+n
	}
	return parts, sum
}

// TestAccManifest_divided divides replicas over the clusters of a placement, by weight, and keeps the sum whatever happens.
func TestAccManifest_divided(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	s.fleet("unreachable = \"defer\"")
	static := `{ by = "static", static = [{ selector = { names = ["eu-1"] }, weight = 2 }, { weight = 1 }] }`
	s.weighted("", static)
	set := func(total int) {
		s.set(fmt.Sprintf("namespace = %q\nclusters = fleet_placement.set.selected\nreplica_scheduling = \"divided\"\nwait = { until = \"none\" }", ns), deployment("web", total), configMap("conf", "v"))
	}
	check := func(want map[string]int64, total int64) {
		t.Helper()
		got, sum := replicasOn(t, ns, "web")
		if diff := cmp.Diff(want, got); diff != "" || sum != total {
			t.Errorf("the parts add up to %d, want %d: %s", sum, total, diff)
		}
	}
	set(8)
	s.Apply()
	s.PlanEmpty()
	check(map[string]int64{"eu-1": 4, "eu-2": 2, "us-1": 2}, 8)

	t.Log("drift is judged by the cluster's own part, and does not change the division")
	patch(t, "eu-2", deployments, ns, "web", `{"spec":{"replicas":9}}`, "scale")
	contains(t, s.Apply(), "correct Deployment.apps "+ns+"/web on eu-2: spec.replicas 9 → 2")
	check(map[string]int64{"eu-1": 4, "eu-2": 2, "us-1": 2}, 8)

	t.Log("more replicas: nobody loses one")
	set(12)
	s.Apply()
	s.PlanEmpty()
	check(map[string]int64{"eu-1": 6, "eu-2": 3, "us-1": 3}, 12)

	t.Log("a cluster that does not answer keeps its part")
	p.Refuse()
	set(11)
	s.Apply()
	check(map[string]int64{"eu-1": 5, "eu-2": 3, "us-1": 3}, 11)
	p.Listen(t)
	s.Apply()
	s.PlanEmpty()
	check(map[string]int64{"eu-1": 5, "eu-2": 3, "us-1": 3}, 11)

	t.Log("a cluster leaves: the others take over its part")
	s.weighted(`  selector = { exclude = ["eu-2"] }`, static)
	s.Apply()
	s.PlanEmpty()
	got, sum := replicasOn(t, ns, "web")
	if sum != 11 || len(got) != 2 || got["eu-1"] < 5 || got["us-1"] < 3 {
		t.Errorf("the parts are %v", got)
	}

	t.Log("bounds")
	s.weighted(`  selector = { exclude = ["eu-2"] }`, `{ by = "equal", max_replicas = 5 }`)
	contains(t, s.PlanFails(), "11 replicas cannot be divided", "the maximums of the clusters", "add up to 10")
	set(10)
	s.Apply()
	s.PlanEmpty()
	check(map[string]int64{"eu-1": 5, "us-1": 5}, 10)
	s.Destroy()
}

// TestAccManifest_dividedKinds divides the replicas of a custom resource by its scale subresource, and leaves those alone that an
// autoscaler has.
func TestAccManifest_dividedKinds(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	group := strings.ReplaceAll(ns, "-", "") + ".example.org"
	scaled := strings.Replace(definition(group), "    storage: true\n", "    storage: true\n    subresources: {scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}}\n", 1)
	s.set(fmt.Sprintf("namespace = %q\nreplica_scheduling = \"divided\"\nignore_fields = [{ target = { name = \"auto\" }, paths = [\"spec.replicas\"] }]\nwait = { until = \"none\" }", ns),
		scaled, fmt.Sprintf("apiVersion: %s/v1\nkind: Shop\nmetadata: {name: first}\nspec: {size: 7}\n", group), deployment("auto", 3))
	s.Apply()
	s.PlanEmpty()
	shops := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "shops"}
	sum := int64(0)
	for _, c := range fleettest.Clusters(t) {
		n, _ := value(t, c.Name, shops, ns, "first", "spec", "size").(int64)
		if n < 2 || n > 3 {
			t.Errorf("%s has %d of 7", c.Name, n)
		}
		sum += n
		if got := replicas(t, c.Name, ns, "auto"); got != int64(1) {
			t.Errorf("auto on %s has %v replicas", c.Name, got)
		}
	}
	if sum != 7 {
		t.Errorf("the sizes add up to %d, want 7", sum)
	}
	s.Destroy()
}

// TestAccManifest_dividedWeights changes the weights of clusters whose own part stays the same, and the number: what is planned is what is
// applied.
func TestAccManifest_dividedWeights(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	set := func(total int, weights string) {
		s.weighted("", weights)
		s.set(fmt.Sprintf("namespace = %q\nclusters = fleet_placement.set.selected\nreplica_scheduling = \"divided\"\nwait = { until = \"none\" }", ns), deployment("web", total))
	}
	set(6, `{ by = "static", static = [{ weight = 1 }] }`)
	s.Apply()
	set(8, `{ by = "static", static = [{ selector = { names = ["eu-1"] }, weight = 2 }, { weight = 1 }] }`)
	contains(t, s.Apply(), "update Deployment.apps "+ns+"/web on eu-1: spec.replicas 2 → 4")
	s.PlanEmpty()
	got, _ := replicasOn(t, ns, "web")
	if diff := cmp.Diff(map[string]int64{"eu-1": 4, "eu-2": 2, "us-1": 2}, got); diff != "" {
		t.Error(diff)
	}

	t.Log("so it is with a workload that is write-only, which is sent again when its part is another")
	writeOnly := func(weights string) {
		s.weighted("", weights)
		s.Write("web.yaml", deployment("web", 8))
		s.set(fmt.Sprintf("namespace = %q\nclusters = fleet_placement.set.selected\nreplica_scheduling = \"divided\"\nwait = { until = \"none\" }\nmanifests_wo = [file(\"web.yaml\")]\nmanifests_wo_version = 1", ns), configMap("conf", "v"))
	}
	writeOnly(`{ by = "static", static = [{ selector = { names = ["eu-1"] }, weight = 2 }, { weight = 1 }] }`)
	s.Apply()
	s.PlanEmpty()
	writeOnly(`{ by = "static", static = [{ selector = { names = ["eu-2"] }, weight = 2 }, { weight = 1 }] }`)
	s.Apply()
	s.PlanEmpty()
	if _, sum := replicasOn(t, ns, "web"); sum != 8 {
		t.Errorf("the parts add up to %d", sum)
	}
	s.Destroy()
}
