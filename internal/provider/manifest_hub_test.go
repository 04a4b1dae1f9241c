package provider_test

import (
	"fmt"
	"strings"
	"testing"

	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
	"github.com/fleetform/terraform-provider-fleet/internal/ocmtest"
)

// edgeSetup is a fleet of a cluster that is reached directly, eu-2, and of one behind a hub, "edge", whose site is us-1.
type edgeSetup struct {
	*setup
	hub   *ocmtest.Hub
	proxy *fleettest.Proxy
	// managed is the edge's name on the hub.
	managed string
	agent   *ocmtest.Agent
	// extra are further arguments of the provider.
	extra string
}

func newEdgeSetup(t *testing.T) *edgeSetup {
	t.Helper()
	h := newHubSetup(t)
	s := &edgeSetup{setup: &setup{Workspace: h.Workspace, t: t, kubeconfigs: map[string]string{}, name: fleettest.Name(t)}, hub: h.hub, proxy: h.proxy}
	s.managed = h.edge(nil)
	s.agent = ocmtest.StartAgent(t, h.hub, s.managed, fleettest.Get(t, "us-1"))
	s.clusters("")
	return s
}

// clusters writes the fleet.
func (s *edgeSetup) clusters(arguments string) {
	s.t.Helper()
	s.Write("provider.tf", fmt.Sprintf("provider \"fleet\" {\n  owner = %q\n  connect_timeout = \"2s\"\n  kubeconfigs = { hub = file(\"hub.kubeconfig\") }\n  kubeconfig_paths = [%q]\n%s\n}\n",
		s.managed, fleettest.Kubeconfig(s.t), s.extra))
	s.Write("fleet.tf", fmt.Sprintf("locals {\n  behind = { edge = { ocm = { hub = \"hub\", cluster = %q } } }\n}\n"+
		"resource \"fleet_cluster\" \"this\" {\n  for_each = toset([\"edge\", \"eu-2\"])\n  name = each.key\n  connect = lookup(local.behind, each.key, null)\n%s\n}\n", s.managed, arguments))
}

// work is the nth work of the set.
func (s *edgeSetup) work(n int) *workv1.ManifestWork {
	s.t.Helper()
	return s.hub.Work(s.t, s.managed, fmt.Sprintf("fleet-%s-%d", s.name, n))
}

func TestAccHub_lifecycle(t *testing.T) {
	s := newEdgeSetup(t)
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns)
	s.set(arguments, deployment("web", 2), configMap("conf", "v1"))
	out := s.Plan()
	contains(t, out, "create 2 objects on edge, eu-2", "Whether the cluster accepts the changes, and whether others own the fields, its agent finds out during the apply")
	s.Apply()
	s.PlanEmpty()
	for _, cluster := range []string{"us-1", "eu-2"} {
		if live(t, cluster, deployments, ns, "web") == nil || live(t, cluster, configmaps, ns, "conf") == nil {
			t.Fatalf("%s lacks an object", cluster)
		}
	}
	entry := live(t, "us-1", configmaps, ns, "conf").GetManagedFields()[0]
	if entry.Manager != "work-agent-"+s.name || entry.Operation != "Apply" {
		t.Errorf("it was applied by %s (%s)", entry.Manager, entry.Operation)
	}
	if got := dig(s.manifest(), "status", "edge", "health"); got != "Current" {
		t.Errorf("the health is %v", got)
	}

	t.Log("an update, and an object that goes")
	s.set(arguments, deployment("web", 3))
	contains(t, s.Plan(), "update Deployment.apps "+ns+"/web on edge, eu-2: spec.replicas 2 → 3", "delete ConfigMap "+ns+"/conf on edge, eu-2")
	s.Apply()
	s.PlanEmpty()
	if got := dig(live(t, "us-1", deployments, ns, "web").Object, "spec", "replicas"); got != int64(3) {
		t.Errorf("replicas are %v", got)
	}
	fleettest.Eventually(t, "the object is gone", func() bool { return live(t, "us-1", configmaps, ns, "conf") == nil })

	t.Log("the end")
	s.Destroy()
	if works := s.hub.Works(t, s.managed); len(works) != 0 {
		t.Errorf("works are left: %d", len(works))
	}
	if live(t, "us-1", deployments, ns, "web") != nil {
		t.Error("the deployment is left")
	}
}

func TestAccHub_rejected(t *testing.T) {
	s := newEdgeSetup(t)
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns)
	s.set(arguments, configMap("conf", "v1"))
	s.Apply()

	t.Log("somebody applies the field: a conflict, and nothing changes")
	applyAs(t, "us-1", "helm", fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"conf","namespace":%q},"data":{"k":"v1"}}`, ns))
	s.set(arguments, configMap("conf", "v2"))
	out := s.ApplyFails()
	contains(t, out, "1 of 2 clusters failed", "edge", "ConfigMap "+ns+"/conf", "data.k", "helm", "v2")
	if got := dig(live(t, "us-1", configmaps, ns, "conf").Object, "data", "k"); got != "v1" {
		t.Errorf("k is %v", got)
	}
	if manifest := string(s.work(0).Spec.Workload.Manifests[0].Raw); !strings.Contains(manifest, `"v1"`) {
		t.Errorf("the work was left with what its agent refuses: %s", manifest)
	}

	t.Log("by force")
	s.set(arguments+"\nconflicts = \"force\"", configMap("conf", "v2"))
	s.Apply()
	s.PlanEmpty()
	if got := dig(live(t, "us-1", configmaps, ns, "conf").Object, "data", "k"); got != "v2" {
		t.Errorf("k is %v", got)
	}

	t.Log("what the API server refuses")
	s.set(arguments, configMap("conf", "v2"), "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 99999}]}\n")
	s.clusters("mode = each.key == \"eu-2\" ? \"maintenance\" : null")
	contains(t, s.ApplyFails(), "edge", "Service "+ns+"/bad", "must be between 1 and 65535")
	s.clusters("")
	s.set(arguments, configMap("conf", "v2"))
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}

// twoKeys is the ConfigMap conf with two values.
func twoKeys(k, other string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: %q, other: %q}\n", k, other)
}

func TestAccHub_yield(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns)
	s.set(arguments, twoKeys("v1", "v1"))
	s.Apply()
	applyAs(t, "us-1", "helm", fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"conf","namespace":%q},"data":{"k":"theirs"}}`, ns))

	t.Log("the field is left to whom the agent reports, and the others change")
	s.set(arguments+"\nconflicts = \"yield\"", twoKeys("v2", "v2"))
	s.Apply()
	s.PlanEmpty()
	conf := live(t, "us-1", configmaps, ns, "conf")
	if dig(conf.Object, "data", "k") != "theirs" || dig(conf.Object, "data", "other") != "v2" {
		t.Errorf("data is %v", conf.Object["data"])
	}
	if got := fmt.Sprint(dig(s.manifest(), "conflicting_fields", "edge")); !strings.Contains(got, "data.k") || !strings.Contains(got, "helm") {
		t.Errorf("conflicting_fields are %v", got)
	}
	s.set(arguments+"\nconflicts = \"yield\"", twoKeys("v3", "v3"))
	s.Apply()
	s.PlanEmpty()

	t.Log("one field may be taken, and no other")
	s.set(arguments+"\nrules = [{ target = { name = \"conf\" }, paths = [\"data.k\"], conflicts = \"force\" }]", twoKeys("v3", "v3"))
	s.Apply()
	s.PlanEmpty()
	if got := dig(live(t, "us-1", configmaps, ns, "conf").Object, "data", "k"); got != "v3" {
		t.Errorf("k is %v", got)
	}
	if force := s.work(0).Spec.ManifestConfigs[0].UpdateStrategy.ServerSideApply.Force; force {
		t.Error("the agent was left to force every field")
	}
	s.Destroy()
}

func TestAccHub_givenUp(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns)
	s.set(arguments, deployment("web", 3))
	s.Apply()

	t.Log("a field that is ignored from now on keeps its value, on the site as well")
	arguments += "\nignore_fields = [{ target = { kind = \"Deployment\" }, paths = [\"spec.replicas\"] }]"
	s.set(arguments, deployment("web", 3))
	says(t, s.Apply(), "spec.replicas")
	s.PlanEmpty()
	web := live(t, "us-1", deployments, ns, "web")
	if got := dig(web.Object, "spec", "replicas"); got != int64(3) {
		t.Errorf("replicas are %v", got)
	}
	if works := s.hub.Works(t, s.managed); len(works) != 1 {
		t.Errorf("%d works are left, want one", len(works))
	}
	fleettest.Get(t, "us-1").MustKubectl(t, "", "scale", "deployment", "web", "-n", ns, "--replicas=1")
	s.set(arguments, deployment("web", 5))
	s.Apply()
	s.PlanEmpty()
	if got := dig(live(t, "us-1", deployments, ns, "web").Object, "spec", "replicas"); got != int64(1) {
		t.Errorf("replicas are %v", got)
	}
	s.Destroy()
}
