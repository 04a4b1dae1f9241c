package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

var (
	jobs = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}
	pods = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

func job(name, image string) string {
	return fmt.Sprintf(`apiVersion: batch/v1
kind: Job
metadata: {name: %s}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: run, image: %q}]
`, name, image)
}

// TestAccManifest_immutable changes the template of a Job, which the API server does not allow.
func TestAccManifest_immutable(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	set := func(policy, image string) {
		s.set(fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }\n%s", ns, policy), job("migrate", image), configMap("conf", image))
	}
	set("", "busybox:1")
	s.Apply()
	before, maps := uids(t, jobs, ns, "migrate"), uids(t, configmaps, ns, "conf")

	set("", "busybox:2")
	contains(t, s.PlanFails(), "eu-1, eu-2, us-1 Job.batch "+ns+"/migrate: the change cannot be made to an object that exists: spec.template: field is immutable",
		"replace_immutable = true")

	t.Log("a body that is wrong in itself is no reason to replace anything")
	set("replace_immutable = true", "")
	if out := s.PlanFails(); strings.Contains(out, "cannot be made to an object that exists") {
		t.Errorf("an invalid body counts as an immutable field:\n%s", out)
	}

	t.Log("replaced where it is allowed")
	set(`rules = [{ target = { kind = "Job" }, replace_immutable = true }]`, "busybox:2")
	out := s.Plan()
	contains(t, out, "replace Job.batch "+ns+"/migrate on eu-1, eu-2, us-1: spec.template: field is immutable", "update ConfigMap "+ns+"/conf", "replace = 0 -> 3")
	s.Apply()
	s.PlanEmpty()
	for cluster, uid := range uids(t, jobs, ns, "migrate") {
		if uid == before[cluster] {
			t.Errorf("the Job on %s was not replaced", cluster)
		}
	}
	if diff := cmp.Diff(maps, uids(t, configmaps, ns, "conf")); diff != "" {
		t.Errorf("another object was replaced as well: %s", diff)
	}

	s.Destroy()
}

// TestAccManifest_deletion shows what becomes of objects that are no longer wanted.
func TestAccManifest_deletion(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	set := func(policy string, manifests ...string) {
		s.set(fmt.Sprintf("namespace = %q\nwait = { until = \"none\", timeout = \"3s\" }\n%s", ns, policy), manifests...)
	}
	rules := `rules = [{ target = { kind = "ConfigMap", name = "keep-*" }, deletion = "orphan" }]`
	set(rules, configMap("keep-me", "v"), configMap("drop-me", "v"), configMap("stays", "v"))
	s.Apply()
	set(rules, configMap("stays", "v"))
	contains(t, s.Plan(), "delete ConfigMap "+ns+"/drop-me on eu-1", "release ConfigMap "+ns+"/keep-me on eu-1", "delete = 0 -> 1")
	s.Apply()
	s.PlanEmpty()
	if obj := live(t, "eu-1", configmaps, ns, "keep-me"); obj == nil || len(obj.GetLabels()) > 0 {
		t.Error("an orphan was deleted, or still has the label")
	}
	if live(t, "eu-1", configmaps, ns, "drop-me") != nil {
		t.Error("drop-me is still there")
	}

	t.Log("an object held by a finalizer is reported with it, and the next apply finishes")
	held := strings.Replace(configMap("held", "v"), "  name: held\n", "  name: held\n  finalizers: [example.org/hold]\n", 1)
	set(rules, configMap("stays", "v"), held)
	s.Apply()
	set(rules, configMap("stays", "v"))
	contains(t, s.ApplyFails(), "eu-1 ConfigMap "+ns+"/held: delete: still there after 3s, held by the finalizer example.org/hold")
	patch(t, "eu-1", configmaps, ns, "held", `{"metadata":{"finalizers":null}}`)
	s.Apply()
	s.PlanEmpty()

	t.Log("propagation: what depends on a Deployment can outlive it")
	set("propagation = \"Orphan\"", configMap("stays", "v"), deployment("web", 1))
	s.Apply()
	fleettest.Eventually(t, "the Deployment has pods", func() bool { return len(list(t, "eu-1", pods, ns)) == 1 })
	set("propagation = \"Orphan\"", configMap("stays", "v"))
	s.Apply()
	s.PlanEmpty()
	if n := len(list(t, "eu-1", pods, ns)); n != 1 {
		t.Errorf("there are %d pods, want 1", n)
	}

	t.Log("the whole set is given up")
	set("deletion = \"orphan\"", configMap("stays", "v"))
	s.Apply()
	s.Destroy()
	if obj := live(t, "eu-1", configmaps, ns, "stays"); obj == nil || len(obj.GetLabels()) > 0 || len(obj.GetAnnotations()) > 0 {
		t.Error("stays was deleted, or still has the set's marks")
	}
}

func list(t *testing.T, cluster string, r schema.GroupVersionResource, ns string) []string {
	t.Helper()
	found, err := fleettest.Get(t, cluster).AdminDynamic(t).Resource(r).Namespace(ns).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range found.Items {
		names = append(names, o.GetName())
	}
	return names
}

// TestAccManifest_missing lets a Job vanish, as one with a TTL does.
func TestAccManifest_missing(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	set := func(image, conf string) {
		s.set(fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }\nrules = [{ target = { kind = \"Job\" }, missing = \"ignore\" }]", ns), job("once", image), configMap("conf", conf))
	}
	set("busybox:1", "a")
	s.Apply()
	remove(t, "eu-1", jobs, ns, "once")
	fleettest.Eventually(t, "the Job is gone", func() bool { return live(t, "eu-1", jobs, ns, "once") == nil })
	s.PlanEmpty()
	s.Plan("-refresh-only")

	t.Log("other changes do not bring it back")
	set("busybox:1", "b")
	s.Apply()
	s.PlanEmpty()
	if live(t, "eu-1", jobs, ns, "once") != nil {
		t.Error("the Job is back")
	}

	t.Log("a new manifest does")
	set("busybox:2", "b")
	contains(t, s.Plan(), "create Job.batch "+ns+"/once on eu-1")
	s.Apply()
	s.PlanEmpty()
	if live(t, "eu-1", jobs, ns, "once") == nil {
		t.Error("the Job is not back")
	}
	s.Destroy()
}
