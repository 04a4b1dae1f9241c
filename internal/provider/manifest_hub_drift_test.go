package provider_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "open-cluster-management.io/api/cluster/v1"
	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// only keeps the fleet to the edge.
func (s *edgeSetup) only(arguments string) {
	s.t.Helper()
	s.clusters(arguments)
	text := read(s.t, s.Path("fleet.tf"))
	s.Write("fleet.tf", strings.Replace(text, `["edge", "eu-2"]`, `["edge"]`, 1))
}

// edit changes the nth work the way a person with kubectl does.
func (s *edgeSetup) edit(n int, change func(*workv1.ManifestWork)) {
	s.t.Helper()
	w := s.work(n)
	change(w)
	s.hub.PutWork(s.t, *w)
}

func TestAccHub_drift(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns)
	s.set(arguments, configMap("conf", "v1"), deployment("web", 2))
	s.Apply()
	s.PlanEmpty()

	t.Log("an edit of the work on the hub is drift, with who it was")
	s.edit(0, func(w *workv1.ManifestWork) {
		for i, m := range w.Spec.Workload.Manifests {
			w.Spec.Workload.Manifests[i].Raw = json.RawMessage(strings.Replace(string(m.Raw), `"k":"v1"`, `"k":"edited"`, 1))
		}
	})
	contains(t, s.Plan(), "correct ConfigMap "+ns+"/conf on edge: data.k edited → v1", "Warning: Drift on 1 of 1 cluster", `is "edited", should be "v1"`, "by kubectl-edit (Update)")
	s.Apply()
	s.PlanEmpty()
	fleettest.Eventually(t, "the site is right again", func() bool { return dig(live(t, "us-1", configmaps, ns, "conf").Object, "data", "k") == "v1" })

	t.Log("so is another way of delivery")
	s.edit(0, func(w *workv1.ManifestWork) {
		for i := range w.Spec.ManifestConfigs {
			w.Spec.ManifestConfigs[i].UpdateStrategy.ServerSideApply.Force = true
		}
	})
	contains(t, s.Plan(), "correct ConfigMap "+ns+"/conf", "is told to treat it in another way")
	s.Apply()
	s.PlanEmpty()
	if s.work(0).Spec.ManifestConfigs[0].UpdateStrategy.ServerSideApply.Force {
		t.Error("the edit is still there")
	}

	t.Log("a manifest that somebody took out, and a work that somebody deleted")
	s.edit(0, func(w *workv1.ManifestWork) {
		w.Spec.Workload.Manifests, w.Spec.ManifestConfigs = w.Spec.Workload.Manifests[:1], w.Spec.ManifestConfigs[:1]
	})
	contains(t, s.Plan(), "create Deployment.apps "+ns+"/web on edge")
	s.Apply()
	s.PlanEmpty()
	s.hub.DeleteWork(t, s.managed, s.work(0).Name)
	fleettest.Eventually(t, "the work is gone", func() bool { return s.work(0) == nil })
	contains(t, s.Plan(), "create 2 objects on edge")
	s.Apply()
	s.PlanEmpty()

	if s.agent.Real {
		// It looks at what it has applied every four minutes only.
		s.Destroy()
		return
	}
	t.Log("drift on the site that the agent cannot revert, since it does not force")
	patch(t, "us-1", deployments, ns, "web", `{"spec":{"replicas":5}}`)
	fleettest.Eventually(t, "the agent has reported it", func() bool {
		w := s.work(0)
		for _, m := range w.Status.ResourceStatus.Manifests {
			for _, c := range m.Conditions {
				if c.Type == workv1.ManifestApplied && c.Status == metav1.ConditionFalse {
					return true
				}
			}
		}
		return false
	})
	contains(t, s.Plan(), "correct Deployment.apps "+ns+"/web on edge", "by kubectl (Update)")
	s.Apply()
	s.PlanEmpty()
	if got := dig(live(t, "us-1", deployments, ns, "web").Object, "spec", "replicas"); got != int64(2) {
		t.Errorf("replicas are %v", got)
	}
	s.Destroy()
}

func TestAccHub_unreachable(t *testing.T) {
	s := newEdgeSetup(t)
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns)
	s.clusters(`unreachable = "defer"`)
	s.set(arguments, configMap("conf", "v1"))
	s.Apply()

	t.Log("the lease runs out: it is deferred, and nothing is forgotten")
	s.hub.SetCondition(t, s.managed, clusterv1.ManagedClusterConditionAvailable, metav1.ConditionUnknown)
	s.PlanEmpty()
	s.set(arguments, configMap("conf", "v2"))
	s.Apply()
	if got := dig(s.manifest(), "status", "edge", "phase"); got != "Deferred" {
		t.Errorf("the edge is %v", got)
	}
	if got := s.field("edge", "ConfigMap "+ns+"/conf", "data.k"); got != "v1" {
		t.Errorf("what is known of the edge became %v", got)
	}
	s.hub.SetCondition(t, s.managed, clusterv1.ManagedClusterConditionAvailable, metav1.ConditionTrue)
	contains(t, s.Plan(), "update ConfigMap "+ns+"/conf on edge: data.k v1 → v2")
	s.Apply()
	s.PlanEmpty()

	t.Log("a hub that is down is no answer either")
	s.proxy.Refuse()
	s.PlanEmpty()
	s.set(arguments, configMap("conf", "v2b"))
	s.Apply()
	if got := dig(s.manifest(), "status", "edge", "phase"); got != "Deferred" {
		t.Errorf("the edge is %v", got)
	}
	s.proxy.Listen(t)
	s.Apply()
	s.PlanEmpty()

	t.Log("an agent that dies in the middle: our own error, and the other cluster is done")
	s.agent.Stop()
	s.set(strings.Replace(arguments, "60s", "3s", 1), configMap("conf", "v3"))
	contains(t, s.ApplyFails(), "1 of 2 clusters failed", "edge", "after 3s the cluster's agent has not applied ConfigMap "+ns+"/conf", "Done on eu-2")

	t.Log("a destroy waits for the agent, and an abandoned cluster does not")
	contains(t, s.MustFail("destroy", "-auto-approve", "-no-color"), "edge", "after 3s the cluster's agent has not")
	s.clusters(`mode = each.key == "edge" ? "decommissioned" : "active"`)
	s.Apply()
	if dig(s.manifest(), "objects", "edge") != nil {
		t.Error("the edge is still known")
	}
	s.Destroy()
}

func TestAccHub_report(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	set := func(value string) {
		s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }\ndrift = \"report\"", ns), twoKeys("v1", value))
	}
	set("1")
	s.Apply()
	s.edit(0, func(w *workv1.ManifestWork) {
		w.Spec.Workload.Manifests[0].Raw = json.RawMessage(strings.Replace(string(w.Spec.Workload.Manifests[0].Raw), `"k":"v1"`, `"k":"edited"`, 1))
	})
	contains(t, s.Plan(), `data.k is "edited"`, "by kubectl-edit (Update)")
	s.Apply()
	fleettest.Eventually(t, "the site has the edit", func() bool {
		return fmt.Sprint(dig(live(t, "us-1", configmaps, ns, "conf").Object, "data")) == "map[k:edited other:1]"
	})

	t.Log("another manifest is sent, whatever was reported of the one before")
	set("2")
	s.Apply()
	if got := dig(live(t, "us-1", configmaps, ns, "conf").Object, "data"); fmt.Sprint(got) != "map[k:v1 other:2]" {
		t.Errorf("the data is %v", got)
	}
	s.Destroy()
}
