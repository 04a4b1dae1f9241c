package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// only leaves one cluster of the fleet in the workspace, for what is the same on each.
func (s *setup) only(name string) {
	for other := range s.kubeconfigs {
		if other != name {
			delete(s.kubeconfigs, other)
		}
	}
	s.fleet("")
}

// apply is a server-side apply by another field manager.
func apply(t *testing.T, cluster string, r schema.GroupVersionResource, ns, name, manager, body string) *unstructured.Unstructured {
	t.Helper()
	obj, err := fleettest.Get(t, cluster).AdminDynamic(t).Resource(r).Namespace(ns).
		Patch(t.Context(), name, types.ApplyPatchType, []byte(body), metav1.PatchOptions{FieldManager: manager, Force: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// value reads a field of a live object.
func value(t *testing.T, cluster string, r schema.GroupVersionResource, ns, name string, path ...string) any {
	t.Helper()
	obj := live(t, cluster, r, ns, name)
	if obj == nil {
		t.Fatalf("%s is not on %s", name, cluster)
	}
	v, _, err := unstructured.NestedFieldNoCopy(obj.Object, path...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// owns tells whether the field manager has an entry in the object's managedFields that names the text.
func owns(t *testing.T, obj *unstructured.Unstructured, manager, text string) bool {
	t.Helper()
	for _, e := range obj.GetManagedFields() {
		if e.Manager == manager && strings.Contains(e.FieldsV1.String(), text) {
			return true
		}
	}
	return false
}

// TestAccManifest_existing walks through what may become of an object that was there before.
func TestAccManifest_existing(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	same := func(policy string) {
		s.set(fmt.Sprintf("namespace = %q\nabsorb_managers = [\"somebody\"]\n%s", ns, policy), configMap("conf", "ours"))
	}
	put(t, "eu-1", configmaps, ns, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"conf"},"data":{"k":"theirs","more":"x"}}`)
	before := uids(t, configmaps, ns, "conf")

	same(`existing = "error"`)
	contains(t, s.PlanFails(), "eu-1 ConfigMap "+ns+"/conf: the object was there before this set, which adopts none")
	same(`existing = "if_same"`)
	contains(t, s.PlanFails(), "differs from what the set wants", `data.k is "theirs", wanted "ours"`)
	same(`rules = [{ target = { kind = "ConfigMap", name = "co*" }, clusters = { names = ["eu-1"] }, existing = "adopt" }]`)
	out := s.Plan()
	contains(t, out, "adopt ConfigMap "+ns+"/conf on eu-1: data.k theirs → ours; takes over from somebody", "1 object that was there before will be adopted",
		`data.k is "theirs", becomes "ours"`, "adopt = 1")
	s.Apply()
	s.PlanEmpty()
	if diff := cmp.Diff(before, uids(t, configmaps, ns, "conf")); diff != "" {
		t.Errorf("the object was recreated: %s", diff)
	}
	if diff := cmp.Diff(any(map[string]any{"k": "ours", "more": "x"}), value(t, "eu-1", configmaps, ns, "conf", "data")); diff != "" {
		t.Errorf("adopted: %s", diff)
	}

	t.Log("in the end it is released, unless told otherwise")
	s.Destroy()
	if diff := cmp.Diff(any(map[string]any{"k": "ours", "more": "x"}), value(t, "eu-1", configmaps, ns, "conf", "data")); diff != "" {
		t.Errorf("released: %s", diff)
	}
	same("existing = \"adopt\"\non_adopted = \"delete\"")
	s.Apply()
	s.Destroy()
	if live(t, "eu-1", configmaps, ns, "conf") != nil {
		t.Error(`on_adopted = "delete" did not delete it`)
	}
}

// TestAccManifest_absorbs adopts objects that the real kubectl and another team's server-side apply have put there. A field
// that is later removed from the manifest is really removed.
func TestAccManifest_absorbs(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	c := fleettest.Get(t, "eu-1")
	extra := strings.Replace(configMap("conf", "v"), "\ndata:\n", "\ndata:\n  second: x\n", 1)
	c.MustKubectl(t, extra, "apply", "-n", ns, "-f", "-")
	c.MustKubectl(t, deployment("web", 2), "apply", "-n", ns, "-f", "-")
	c.MustKubectl(t, "", "-n", ns, "rollout", "restart", "deployment", "web")
	apply(t, "eu-1", configmaps, ns, "theirs", "Terraform", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"theirs"},"data":{"k":"v","second":"x"}}`)
	restarted := value(t, "eu-1", deployments, ns, "web", "spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt")
	generation := value(t, "eu-1", deployments, ns, "web", "metadata", "generation")

	arguments := fmt.Sprintf("namespace = %q\nabsorb_managers = [\"kubectl*\", \"Terraform\"]\nwait = { until = \"none\" }", ns)
	theirs := strings.Replace(extra, "name: conf", "name: theirs", 1)
	s.set(arguments, extra, theirs, deployment("web", 2))
	contains(t, s.Plan(), "adopt ConfigMap "+ns+"/conf on eu-1: takes over from kubectl-client-side-apply", "adopt ConfigMap "+ns+"/theirs on eu-1: takes over from Terraform",
		"adopt Deployment.apps "+ns+"/web on eu-1: takes over from kubectl-client-side-apply, kubectl-rollout")
	s.Apply()
	s.PlanEmpty()
	if now := value(t, "eu-1", deployments, ns, "web", "metadata", "generation"); now != generation {
		t.Errorf("the adoption changed the Deployment: generation %v, before %v", now, generation)
	}
	if now := value(t, "eu-1", deployments, ns, "web", "spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"); now != restarted {
		t.Errorf("the restart was undone: %v, before %v", now, restarted)
	}

	t.Log("a field less in the manifests")
	s.set(arguments, configMap("conf", "v"), configMap("theirs", "v"), deployment("web", 2))
	contains(t, s.Plan(), "update ConfigMap "+ns+"/conf on eu-1: data.second x → (none)")
	s.Apply()
	s.PlanEmpty()
	for _, name := range []string{"conf", "theirs"} {
		if diff := cmp.Diff(any(map[string]any{"k": "v"}), value(t, "eu-1", configmaps, ns, name, "data")); diff != "" {
			t.Errorf("%s: the field is still there: %s", name, diff)
		}
	}

	t.Log("what kubectl declared and the manifest never had goes only where adopting may change the object, and the plan says so")
	c.MustKubectl(t, strings.Replace(extra, "name: conf", "name: late", 1), "apply", "-n", ns, "-f", "-")
	late := []string{configMap("conf", "v"), configMap("theirs", "v"), deployment("web", 2), configMap("late", "v")}
	s.set(arguments, late...)
	if out := s.Plan(); strings.Contains(out, "drops") {
		t.Errorf("an adoption of what is the same changes something:\n%s", out)
	}
	s.set(arguments+"\nexisting = \"adopt\"", late...)
	contains(t, s.Plan(), "drops data.second x → (none)", `data.second is "x", goes, because the manifest does not have it`)
	s.Apply()
	s.PlanEmpty()
	if diff := cmp.Diff(any(map[string]any{"k": "v"}), value(t, "eu-1", configmaps, ns, "late", "data")); diff != "" {
		t.Errorf("late: %s", diff)
	}
	s.Destroy()
}

// TestAccManifest_givingUp destroys sets whose objects stay. No value may change by that, whoever else has a share in them.
func TestAccManifest_givingUp(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.only("eu-1")
	fleettest.Get(t, "eu-1").MustKubectl(t, deployment("bycsa", 2), "apply", "-n", ns, "-f", "-")
	s.set(fmt.Sprintf("namespace = %q\nexisting = \"adopt\"\nrules = [{ target = { kind = \"Deployment\" }, deletion = \"orphan\" }]\nwait = { until = \"none\" }", ns),
		deployment("hpa", 5), deployment("image", 5), deployment("bycsa", 5), configMap("conf", "v"))
	s.Apply()
	// An autoscaler scales one, another team applies the image of the next.
	patch(t, "eu-1", deployments, ns, "hpa", `{"spec":{"replicas":5}}`, "scale")
	apply(t, "eu-1", deployments, ns, "image", "team", `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"image"},"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:1.27"}]}}}}`)
	before := map[string]any{}
	for _, name := range []string{"hpa", "image", "bycsa"} {
		before[name] = value(t, "eu-1", deployments, ns, name, "spec")
	}
	contains(t, s.Plan("-destroy"), "fleet_manifest.set will be destroyed")
	s.Destroy()
	for _, name := range []string{"hpa", "image", "bycsa"} {
		obj := live(t, "eu-1", deployments, ns, name)
		if obj == nil {
			t.Errorf("%s is gone", name)
			continue
		}
		if diff := cmp.Diff(before[name], obj.Object["spec"]); diff != "" {
			t.Errorf("giving up %s changed it: %s", name, diff)
		}
		if len(obj.GetLabels()) > 0 || owns(t, obj, "fleet:"+s.name, "spec") {
			t.Errorf("%s still belongs to the set: %v", name, obj.GetLabels())
		}
	}
	if live(t, "eu-1", configmaps, ns, "conf") != nil {
		t.Error("the ConfigMap should have been deleted")
	}
}
