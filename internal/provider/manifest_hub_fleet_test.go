package provider_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	clusterv1 "open-cluster-management.io/api/cluster/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
	"github.com/fleetform/terraform-provider-fleet/internal/ocmtest"
)

// fleetOn is a fleet of edges that the hub lists, one for each of the sites.
func fleetOn(t *testing.T, sites ...string) (s *edgeSetup, edges []string, ns string) {
	t.Helper()
	h := newHubSetup(t)
	s = &edgeSetup{setup: &setup{Workspace: h.Workspace, t: t, kubeconfigs: map[string]string{}, name: fleettest.Name(t)}, hub: h.hub, proxy: h.proxy}
	ns = fleettest.Namespace(t)
	for _, site := range sites {
		name := h.edge(func(c *clusterv1.ManagedCluster) { c.Labels = map[string]string{"test": s.name} })
		ocmtest.StartAgent(t, h.hub, name, fleettest.Get(t, site))
		edges = append(edges, name)
	}
	s.Write("fleet.tf", fmt.Sprintf("data \"fleet_clusters\" \"all\" {\n  hub = { connection = \"hub\" }\n  selector = { match_labels = { test = %q } }\n}\n", s.name))
	return s, edges, ns
}

// fleetOf is a fleet of n edges whose agents all work on one site, each on an object of the edge's own name.
func fleetOf(t *testing.T, n int) (s *edgeSetup, edges []string, ns string) {
	t.Helper()
	if os.Getenv(ocmtest.RealAgent) != "" {
		t.Skip("real agents name what they have applied by hub and work, so that two of one hub cannot share a site")
	}
	return fleetOn(t, slices.Repeat([]string{"us-1"}, n)...)
}

func (s *edgeSetup) ofFleet(ns, value, arguments string) {
	s.t.Helper()
	s.set(fmt.Sprintf("clusters = data.fleet_clusters.all.clusters\ntemplate = true\nnamespace = %q\n%s", ns, arguments),
		fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .cluster.name }}\"}\ndata: {k: %q}\n", value))
}

// TestAccHub_requests counts what a plan of a whole fleet costs the hub.
func TestAccHub_requests(t *testing.T) {
	s, edges, ns := fleetOf(t, 5)
	s.ofFleet(ns, "1", `wait = { timeout = "60s" }`)
	s.Apply()
	s.proxy.Forget()
	s.PlanEmpty()
	counts := map[string]int{}
	for _, r := range s.proxy.Requests() {
		for _, resource := range []string{"manifestworks", "secrets", "managedclusters"} {
			if strings.Contains(r.Path, "/"+resource) {
				counts[resource]++
			}
		}
	}
	if got := len(s.proxy.Requests()); counts["manifestworks"] != 1 || counts["secrets"] != 1 || counts["managedclusters"] != 1 || got != 4 {
		t.Errorf("a plan without changes of %d clusters costs the hub %d requests, %v; want one LIST of works, one of inventories, one of clusters, and the version:\n%s",
			len(edges), got, counts, requests(s.proxy))
	}

	t.Log("one change on each: the plan asks nothing more")
	s.ofFleet(ns, "2", `wait = { timeout = "60s" }`)
	s.proxy.Forget()
	s.Plan()
	if got := len(s.proxy.Requests()); got != 4 {
		t.Errorf("a plan with changes costs the hub %d requests:\n%s", got, requests(s.proxy))
	}
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}

func TestAccHub_waves(t *testing.T) {
	s, edges, ns := fleetOf(t, 3)
	value := func(edge string) any { return dig(live(t, "us-1", configmaps, ns, edge).Object, "data", "k") }
	waves := fmt.Sprintf("wait = { timeout = \"20s\" }\nrollout = {\n  waves = [{ name = \"canary\", clusters = { names = [%q] } }, { name = \"stores\", clusters = { names = [%s] } }]\n%%s\n}", edges[0], quoted(edges[1:]))
	s.ofFleet(ns, "1", fmt.Sprintf(waves, ""))
	s.Apply()
	s.PlanEmpty()

	t.Log("promotion stops at the canary")
	s.ofFleet(ns, "2", fmt.Sprintf(waves, `  through = "canary"`))
	s.Apply()
	s.PlanEmpty()
	if value(edges[0]) != "2" || value(edges[1]) != "1" || value(edges[2]) != "1" {
		t.Errorf("they have %v, %v, %v", value(edges[0]), value(edges[1]), value(edges[2]))
	}
	s.ofFleet(ns, "2", fmt.Sprintf(waves, ""))
	s.Apply()
	if value(edges[1]) != "2" || value(edges[2]) != "2" {
		t.Error("the rest was not promoted")
	}

	t.Log("a canary that its agent refuses halts the rollout")
	applyAs(t, "us-1", "helm", fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q,"namespace":%q},"data":{"k":"2"}}`, edges[0], ns))
	s.ofFleet(ns, "3", fmt.Sprintf(waves, ""))
	contains(t, s.ApplyFails(), `Rollout halted in wave "canary"`, edges[0], "helm")
	if value(edges[1]) != "2" {
		t.Error("the next wave began")
	}

	t.Log("and one that is rolled back returns to what it ran")
	s.ofFleet(ns, "2", fmt.Sprintf(waves, ""))
	s.Apply()
	s.PlanEmpty()
	applyAs(t, "us-1", "helm", fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q,"namespace":%q},"data":{"k":"2"}}`, edges[1], ns))
	s.ofFleet(ns, "4", fmt.Sprintf(waves, `  on_failure = "rollback"`))
	s.ApplyFails()
	if value(edges[0]) != "2" {
		t.Errorf("the canary has %v", value(edges[0]))
	}
	s.Destroy()
}

// TestAccHub_sites rolls out to two sites, each with an agent of its own, so that real ones can play the part as well.
func TestAccHub_sites(t *testing.T) {
	sites := []string{"us-1", "eu-2"}
	s, edges, ns := fleetOn(t, sites...)
	set := func(rollout string, manifests ...string) {
		s.set(fmt.Sprintf("clusters = data.fleet_clusters.all.clusters\nnamespace = %q\nwait = { timeout = \"60s\" }\nrollout = {\n  waves = [{ name = \"canary\", clusters = { names = [%q] } }]\n  %s\n}",
			ns, edges[0], rollout), manifests...)
	}
	has := func(want ...string) {
		t.Helper()
		for i, site := range sites {
			if got := dig(live(t, site, configmaps, ns, "conf").Object, "data", "k"); got != want[i] {
				t.Errorf("%s has %v, want %s", site, got, want[i])
			}
		}
	}
	set("", configMap("conf", "v1"), deployment("web", 1))
	s.Apply()
	s.PlanEmpty()
	has("v1", "v1")

	t.Log("promotion")
	set(`through = "canary"`, configMap("conf", "v2"), deployment("web", 2))
	s.Apply()
	s.PlanEmpty()
	has("v2", "v1")
	set("", configMap("conf", "v2"), deployment("web", 2))
	s.Apply()
	s.PlanEmpty()
	has("v2", "v2")

	t.Log("what the canary refuses is rolled back, and goes no further")
	set(`on_failure = "rollback"`, configMap("conf", "v3"), deployment("web", 3), "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 99999}]}\n")
	contains(t, s.ApplyFails(), edges[0], "Service "+ns+"/bad", "must be between 1 and 65535")
	has("v2", "v2")
	for i, site := range sites {
		if got := dig(live(t, site, deployments, ns, "web").Object, "spec", "replicas"); got != int64(2) {
			t.Errorf("%s: %s has %v replicas", site, edges[i], got)
		}
	}
	set("", configMap("conf", "v2"), deployment("web", 2))
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}
