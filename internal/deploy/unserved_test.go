package deploy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

func kindOf(apiVersion, kind string) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(apiVersion, kind)
}

// TestNotServed says what a cluster offers instead, and who does serve the kind.
func TestNotServed(t *testing.T) {
	served := &cluster.Discovery{Kinds: map[schema.GroupVersionKind]metav1.APIResource{}}
	for _, kind := range []schema.GroupVersionKind{kindOf("apps/v1", "Deployment"), kindOf("batch/v1", "CronJob"), kindOf("networking.k8s.io/v1", "Ingress"),
		kindOf("example.org/v1", "Shop"), kindOf("example.org/v1beta1", "Shop")} {
		served.Kinds[kind] = metav1.APIResource{}
	}
	for name, c := range map[string]struct {
		kind      schema.GroupVersionKind
		elsewhere []string
		want      string
	}{
		"another version": {kindOf("batch/v1beta1", "CronJob"), nil,
			"the cluster (Kubernetes 1.36) does not serve batch/v1beta1 CronJob; it serves CronJob.batch in version v1"},
		"versions, and others serve it": {kindOf("example.org/v2", "Shop"), []string{"eu-1", "eu-2"},
			`the cluster (Kubernetes 1.36) does not serve example.org/v2 Shop; it serves Shop.example.org in version v1, v1beta1; eu-1, eu-2 serve it. To leave the object out where it is not served: unserved = "skip"`},
		"another group": {kindOf("extensions/v1beta1", "Ingress"), nil,
			"the cluster (Kubernetes 1.36) does not serve extensions/v1beta1 Ingress; it serves a kind Ingress in networking.k8s.io/v1"},
		"a slip": {kindOf("apps/v1", "Deploymnet"), nil,
			"the cluster (Kubernetes 1.36) does not serve apps/v1 Deploymnet; did you mean Deployment, which it serves in apps/v1?"},
		"no slip where others serve it": {kindOf("apps/v1", "Deployments"), []string{"eu-1"},
			`the cluster (Kubernetes 1.36) does not serve apps/v1 Deployments; eu-1 serves it. To leave the object out where it is not served: unserved = "skip"`},
		"nothing like it": {kindOf("monitoring.coreos.com/v1", "PrometheusRule"), nil,
			"the cluster (Kubernetes 1.36) does not serve monitoring.coreos.com/v1 PrometheusRule; it serves no kind of this name, so a CustomResourceDefinition may be missing"},
	} {
		t.Run(name, func(t *testing.T) {
			e := notServed(c.kind, cluster.Version{Git: "v1.36.3", Minor: "1.36"}, served)
			e.elsewhere = c.elsewhere
			if diff := cmp.Diff(c.want, e.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestClusterPlan_skip keeps what lives on in another version, forgets what is gone, and has something to note only when that changes.
func TestClusterPlan_skip(t *testing.T) {
	fields := ssa.Fields{"spec.replicas": "3"}
	gone := []skipped{{key: web, kind: "apps/v9 Deployment", Skip: Skip{Why: "apps/v9 is not served"}}}
	lives := []skipped{{key: web, kind: "apps/v9 Deployment", Skip: Skip{Why: "apps/v9 is not served, only v1", Versions: true}}}
	there := ClusterState{Objects: map[fleet.ObjectKey]ssa.Fields{web: fields}, Status: Status{Phase: PhaseApplied}}
	noted := ClusterState{Applied: Applied{Skipped: notedSkips(gone)}, Status: Status{Phase: PhaseApplied, Message: "skipped, not served: Deployment.apps web/web"}}
	ill := ClusterState{Status: Status{Phase: PhaseApplied, Message: "Deployment.apps web/web: 0 of 3 replicas ready"}}
	for name, c := range map[string]struct {
		skips []skipped
		prior ClusterState
		want  ClusterPlan
	}{
		"nothing to skip": {nil, there, ClusterPlan{Objects: map[fleet.ObjectKey]ObjectPlan{}, Skipped: map[fleet.ObjectKey]string{}}},
		"never there": {gone, ClusterState{}, ClusterPlan{Noted: true, Objects: map[fleet.ObjectKey]ObjectPlan{},
			Skipped: map[fleet.ObjectKey]string{web: "apps/v9 is not served"}}},
		"noted already":          {gone, noted, ClusterPlan{Objects: map[fleet.ObjectKey]ObjectPlan{}, Skipped: map[fleet.ObjectKey]string{web: "apps/v9 is not served"}}},
		"what is ill is no news": {nil, ill, ClusterPlan{Objects: map[fleet.ObjectKey]ObjectPlan{}, Skipped: map[fleet.ObjectKey]string{}}},
		"no longer skipped":      {nil, noted, ClusterPlan{Noted: true, Objects: map[fleet.ObjectKey]ObjectPlan{}, Skipped: map[fleet.ObjectKey]string{}}},
		"gone with its API": {gone, there, ClusterPlan{Noted: true, Objects: map[fleet.ObjectKey]ObjectPlan{web: {Action: ActionForget}},
			Skipped: map[fleet.ObjectKey]string{web: "apps/v9 is not served"}}},
		"lives on": {lives, there, ClusterPlan{Noted: true, Objects: map[fleet.ObjectKey]ObjectPlan{web: {Fields: fields}},
			Skipped: map[fleet.ObjectKey]string{web: "apps/v9 is not served, only v1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := ClusterPlan{Objects: map[fleet.ObjectKey]ObjectPlan{}}
			got.skip(c.skips, c.prior)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSet_maySkip tells whether it depends on the cluster which objects it gets.
func TestSet_maySkip(t *testing.T) {
	object := func(apiVersion, kind string) manifest.Object {
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": "x"}}}
		return manifest.Object{Unstructured: u, Key: keyOf(u)}
	}
	skip := Policy{Unserved: fleet.UnservedSkip}
	for name, c := range map[string]struct {
		set  Set
		want bool
	}{
		"nothing is skipped":        {Set{Objects: []manifest.Object{object("example.org/v1", "Shop")}}, false},
		"a kind of a definition":    {Set{Policy: skip, Objects: []manifest.Object{object("example.org/v1", "Shop")}}, true},
		"what every cluster serves": {Set{Policy: skip, Objects: []manifest.Object{object("v1", "ConfigMap"), object("apps/v1", "Deployment")}}, false},
		"a new built-in kind":       {Set{Policy: skip, Objects: []manifest.Object{object("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy")}}, true},
		"a rule for another kind":   {Set{Rules: []Rule{{Target: manifest.Target{Kind: "Other"}, Unserved: fleet.UnservedSkip}}, Objects: []manifest.Object{object("example.org/v1", "Shop")}}, false},
	} {
		if got := c.set.maySkip(fleet.Cluster{Name: "a"}); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
