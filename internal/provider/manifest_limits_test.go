package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// planned is what the plan says the resource's attribute becomes.
func (s *setup) planned(attribute string) any {
	s.t.Helper()
	for _, r := range s.PlanJSON().ResourceChanges {
		if r.Address == "fleet_manifest.set" {
			return dig(r.Change.After, attribute)
		}
	}
	s.t.Fatal("the plan lacks fleet_manifest.set")
	return nil
}

// TestAccManifest_summary compares the plan in numbers with what it is to do.
func TestAccManifest_summary(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q", ns)
	summary := func(what string, want map[string]any) {
		t.Helper()
		for _, n := range []string{"create", "update", "delete", "replace", "adopt", "clusters"} {
			if want[n] == nil {
				want[n] = 0.0
			}
		}
		if diff := cmp.Diff(want, s.planned("plan_summary")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
		s.Must("apply", "-no-color", s.Path("plan.bin"))
		if diff := cmp.Diff(want, dig(s.manifest(), "plan_summary")); diff != "" {
			t.Errorf("%s, in the state (-want +got)\n%s", what, diff)
		}
	}
	s.set(arguments, configMap("one", "v"), configMap("two", "v"), deployment("web", 2))
	summary("a create", map[string]any{"create": 9.0, "clusters": 3.0})

	s.set(arguments, configMap("one", "v2"), configMap("new", "v"), deployment("web", 2))
	summary("an update with an object that comes and one that goes", map[string]any{"create": 3.0, "update": 3.0, "delete": 3.0, "clusters": 3.0})

	patch(t, "eu-2", deployments, ns, "web", `{"spec":{"replicas":7}}`)
	remove(t, "us-1", configmaps, ns, "new")
	summary("drift, and an object that somebody deleted", map[string]any{"update": 1.0, "create": 1.0, "clusters": 2.0})

	s.set(arguments+"\nclusters = { for k, c in fleet_cluster.this : k => c if k != \"us-1\" }", configMap("one", "v2"), configMap("new", "v"), deployment("web", 2))
	summary("a cluster that leaves", map[string]any{"delete": 3.0, "clusters": 1.0})
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_limits refuses plans that do more than the set's limits allow.
func TestAccManifest_limits(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	arguments := func(limits string, more ...string) string {
		return fmt.Sprintf("namespace = %q\nclusters = fleet_cluster.this\nlimits = { %s }\n%s", ns, limits, strings.Join(more, "\n"))
	}
	s.set(arguments("deletions = 3, clusters = 2"), configMap("one", "v"), configMap("two", "v"))
	contains(t, s.PlanFails(), "The plan exceeds the limits of the set", "It would change 3 clusters, and limits.clusters is 2.", "Clusters changed: eu-1, eu-2, us-1", "on set.tf line")
	s.set(arguments("deletions = 3, clusters = 3"), configMap("one", "v"), configMap("two", "v"))
	s.Apply()

	s.set(arguments("deletions = 2"), configMap("one", "v"))
	contains(t, s.PlanFails(), "It would delete 3 objects, and limits.deletions is 2.", "Deletions by cluster: eu-1 1, eu-2 1, us-1 1", "Deletions by kind: ConfigMap 3")
	s.set(arguments("deletions = 3"), configMap("one", "v"))
	s.Apply()
	s.PlanEmpty()

	t.Log("a successor that finds more than it wants")
	s.Must("state", "rm", "fleet_manifest.set")
	s.set(arguments("deletions = 0"), configMap("other", "v"))
	contains(t, s.PlanFails(), "It would delete 3 objects, and limits.deletions is 0.", "found there and not wanted 3")
	s.set(arguments("deletions = 3"), configMap("other", "v"))
	s.Apply()

	t.Log("a replacement deletes nothing, so no limit stands against it")
	s.set(arguments("deletions = 0", "lifecycle { create_before_destroy = true }"), configMap("other", "v"))
	s.Apply()
	before := uids(t, configmaps, ns, "other")
	s.Apply("-replace=fleet_manifest.set")
	if diff := cmp.Diff(before, uids(t, configmaps, ns, "other")); diff != "" {
		t.Errorf("an object was recreated: %s", diff)
	}
	s.PlanEmpty()

	t.Log("a destroy goes by the limits of the last apply")
	contains(t, s.MustFail("destroy", "-auto-approve", "-no-color"), "The destroy exceeds the limits of the set", "It would delete 3 objects, and limits.deletions is 0.",
		"first raise or remove limits and apply, then destroy")
	if got := uids(t, configmaps, ns, "other"); len(got) != 3 {
		t.Fatalf("other is on %v", got)
	}
	s.set(arguments("deletions = 3"), configMap("other", "v"))
	s.Apply()
	s.Destroy()
	if left := uids(t, configmaps, ns, "other"); len(left) > 0 {
		t.Errorf("left behind on %v", left)
	}
}
