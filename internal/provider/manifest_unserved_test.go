package provider_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// mutating is of a kind that Kubernetes 1.36 serves in v1, and 1.34 does not serve at all. Without a binding it does nothing.
const mutating = `apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: %s}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}
  failurePolicy: Fail
  reinvocationPolicy: Never
  mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: "Object{}"}}]
`

// TestAccManifest_unserved has a set on two Kubernetes minors, of which only one serves one of its APIs.
func TestAccManifest_unserved(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	key := "MutatingAdmissionPolicy.admissionregistration.k8s.io " + ns
	arguments := fmt.Sprintf("namespace = %q\n", ns)
	manifests := []string{fmt.Sprintf(mutating, ns), configMap("a", "x")}

	s.set(arguments, manifests...)
	contains(t, s.PlanFails(), "us-1 "+key+": the cluster (Kubernetes 1.34) does not serve admissionregistration.k8s.io/v1 MutatingAdmissionPolicy; eu-1, eu-2 serve it",
		`unserved = "skip"`)
	s.set(arguments+"rules = [{ target = { kind = \"ConfigMap\" }, unserved = \"skip\" }]", manifests...)
	contains(t, s.PlanFails(), "us-1 "+key)

	for name, skip := range map[string]string{"of the set": `unserved = "skip"`, "by rule": `rules = [{ target = { kind = "MutatingAdmissionPolicy" }, clusters = { names = ["us-1"] }, unserved = "skip" }]`} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			s.set(arguments+skip, manifests...)
			contains(t, s.Plan(), "create 2 objects on eu-1, eu-2", "create 1 object on us-1", "skip "+key+" on us-1: admissionregistration.k8s.io/v1 is not served")
			s.Apply()
			s.PlanEmpty()
			if got := dig(s.manifest(), "status", "us-1", "message"); got != "skipped, not served: "+key {
				t.Errorf("the status of us-1 says %v", got)
			}
			if got := dig(s.manifest(), "status", "eu-1", "message"); got != nil {
				t.Errorf("the status of eu-1 says %v", got)
			}
			if dig(s.manifest(), "objects", "us-1", key) != nil || dig(s.manifest(), "objects", "eu-1", key) == nil {
				t.Errorf("objects are %v", s.manifest()["objects"])
			}

			t.Log("another object changes")
			s.set(arguments+skip, manifests[0], configMap("a", "y"))
			contains(t, s.Plan(), "update ConfigMap "+ns+"/a on eu-1, eu-2, us-1")
			s.Apply()
			s.PlanEmpty()

			t.Log("the object leaves the set")
			s.set(arguments+skip, configMap("a", "y"))
			contains(t, s.Plan(), "delete "+key+" on eu-1, eu-2", "record what is there already on us-1")
			s.Apply()
			s.PlanEmpty()
			if got := dig(s.manifest(), "status", "us-1", "message"); got != nil {
				t.Errorf("the status of us-1 still says %v", got)
			}
			s.Must("destroy", "-auto-approve", "-no-color", "-target=fleet_manifest.set")
		})
	}
	s.Destroy()
}

// TestAccManifest_unservedAlone has nothing on one cluster, because that serves nothing of the set.
func TestAccManifest_unservedAlone(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	s.fleet("")
	s.set(`unserved = "skip"`, fmt.Sprintf(mutating, s.name))
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_unservedVersions has one cluster that serves a kind in an older version, then in the new one, too, then only in the
// old one again, and in the end not at all.
func TestAccManifest_unservedVersions(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	group := strings.ReplaceAll(ns, "-", "") + ".example.org"
	shops := schema.GroupVersionResource{Group: group, Version: "v1beta1", Resource: "shops"}
	version := func(name string, served, stored bool) string {
		return fmt.Sprintf(`{"name": %q, "served": %t, "storage": %t, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}}}`, name, served, stored)
	}
	define := func(cluster string, v1, v1beta1 bool) {
		body := fmt.Sprintf(`{"spec": {"versions": [%s, %s]}}`, version("v1", v1, false), version("v1beta1", v1beta1, true))
		if live(t, cluster, crds, "", "shops."+group) == nil {
			put(t, cluster, crds, "", fmt.Sprintf(`{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "shops.%[1]s"}, "spec": {"group": %[1]q, "scope": "Namespaced",
				"names": {"kind": "Shop", "plural": "shops", "singular": "shop"}, "versions": [%[2]s, %[3]s]}}`, group, version("v1", v1, false), version("v1beta1", v1beta1, true)))
			t.Cleanup(func() {
				_ = fleettest.Get(t, cluster).AdminDynamic(t).Resource(crds).Delete(context.Background(), "shops."+group, metav1.DeleteOptions{})
			})
		} else {
			patch(t, cluster, crds, "", "shops."+group, body)
		}
		client := fleettest.Get(t, cluster).Admin(t).Discovery()
		for v, want := range map[string]bool{"v1": v1, "v1beta1": v1beta1} {
			fleettest.Eventually(t, cluster+" serving "+v, func() bool {
				list, err := client.ServerResourcesForGroupVersion(group + "/" + v)
				return (err == nil && len(list.APIResources) > 0) == want
			})
		}
	}
	define("eu-1", true, true)
	define("eu-2", true, true)
	define("us-1", false, true)
	key := "Shop." + group + " " + ns + "/first"
	shop := func(size int) string {
		return fmt.Sprintf("apiVersion: %s/v1\nkind: Shop\nmetadata: {name: first}\nspec: {size: %d}\n", group, size)
	}
	arguments := fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }\n", ns)

	s.set(arguments, shop(1))
	contains(t, s.PlanFails(), "us-1 "+key+": the cluster (Kubernetes 1.34) does not serve "+group+"/v1 Shop; it serves Shop."+group+" in version v1beta1; eu-1, eu-2 serve it")
	s.set(arguments, strings.Replace(shop(1), "kind: Shop", "kind: Shpo", 1))
	contains(t, s.PlanFails(), "did you mean Shop, which it serves in "+group+"/v1, "+group+"/v1beta1?")

	arguments += `unserved = "skip"`
	s.set(arguments, shop(1))
	contains(t, s.Plan(), "skip "+key+" on us-1: "+group+"/v1 is not served, only v1beta1")
	s.Apply()
	s.PlanEmpty()

	t.Log("the cluster is upgraded")
	define("us-1", true, true)
	contains(t, s.Plan(), "create "+key+" on us-1")
	s.Apply()
	s.PlanEmpty()
	if got := dig(s.manifest(), "status", "us-1", "message"); got != nil {
		t.Errorf("the status of us-1 says %v", got)
	}

	t.Log("the version is gone, and the object lives on in another")
	define("us-1", false, true)
	s.PlanEmpty()
	s.set(arguments, shop(2))
	contains(t, s.Plan(), "update "+key+" on eu-1, eu-2: spec.size 1 → 2", "skip "+key+" on us-1")
	s.Apply()
	s.PlanEmpty()
	if got := live(t, "us-1", shops, ns, "first"); got == nil || got.Object["spec"].(map[string]any)["size"] != int64(1) {
		t.Errorf("the object of us-1 is %v", got)
	}

	t.Log("the API is gone, and the object with it")
	remove(t, "us-1", crds, "", "shops."+group)
	fleettest.Eventually(t, "us-1 serving nothing of the group", func() bool {
		_, err := fleettest.Get(t, "us-1").Admin(t).Discovery().ServerResourcesForGroupVersion(group + "/v1beta1")
		return err != nil
	})
	s.Apply()
	s.PlanEmpty()
	if dig(s.manifest(), "objects", "us-1", key) != nil {
		t.Error("the state still has the object of us-1")
	}
	s.Destroy()
}

// TestAccManifest_unservedLost loses clusters between plan and apply, among them the one that does without an object: the others are done, and the
// end is an error of the provider's own.
func TestAccManifest_unservedLost(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	proxy, serving := s.through("us-1"), s.through("eu-2")
	s.fleet("")
	s.Apply()
	key := "MutatingAdmissionPolicy.admissionregistration.k8s.io " + ns
	arguments := fmt.Sprintf("namespace = %q\nunserved = \"skip\"\nwait = { until = \"none\" }", ns)

	t.Log("a create, and a cluster that serves all of it is lost")
	s.set(arguments, fmt.Sprintf(mutating, ns), configMap("a", "x"))
	s.Plan("-out=" + s.Path("plan.bin"))
	serving.Refuse()
	contains(t, s.MustFail("apply", "-no-color", s.Path("plan.bin")), "1 of 3 clusters failed", "eu-2: ", "Done on eu-1, us-1")
	serving.Listen(t)
	s.Apply()
	s.PlanEmpty()

	t.Log("an update, and the cluster that does without is lost")
	s.set(arguments, fmt.Sprintf(mutating, ns), configMap("a", "y"))
	contains(t, s.Plan("-out="+s.Path("plan.bin")), "update ConfigMap "+ns+"/a on eu-1, eu-2, us-1", "skip "+key+" on us-1")
	proxy.Refuse()
	out := s.MustFail("apply", "-no-color", s.Path("plan.bin"))
	contains(t, out, "1 of 3 clusters failed", "us-1: ", "Done on eu-1, eu-2")
	if strings.Contains(out, "inconsistent") {
		t.Errorf("Terraform blames the provider:\n%s", out)
	}
	proxy.Listen(t)
	s.Apply()
	s.PlanEmpty()
	if got := dig(s.manifest(), "status", "us-1", "message"); got != "skipped, not served: "+key {
		t.Errorf("the status of us-1 says %v", got)
	}
	s.Destroy()
}

// TestAccManifest_unservedUnknown plans for clusters whose connection is known only at apply: which objects they get is, too.
func TestAccManifest_unservedUnknown(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	s.Write("late.tf", fmt.Sprintf("resource \"terraform_data\" \"late\" {\n  input = %q\n}\n", ns))
	var kubeconfigs strings.Builder
	for _, c := range fleettest.Clusters(t) {
		fmt.Fprintf(&kubeconfigs, "    %[1]q = terraform_data.late.output == null ? \"\" : file(\"%[1]s.kubeconfig\")\n", c.Name)
	}
	s.Write("fleet.tf", "provider \"fleet\" {\n  kubeconfigs = {\n"+kubeconfigs.String()+"  }\n}\n"+
		"resource \"fleet_cluster\" \"this\" {\n  for_each = toset([\"eu-1\", \"eu-2\", \"us-1\"])\n  name = each.key\n}\n")
	s.set(fmt.Sprintf("namespace = %q\nunserved = \"skip\"\nwait = { until = \"none\" }", ns), fmt.Sprintf(mutating, ns), configMap("a", "x"))
	contains(t, s.Plan(), "changes = (known after apply)")
	s.Apply()
	s.PlanEmpty()
	if got := fmt.Sprint(s.manifest()["changes"]); !strings.Contains(got, "skip MutatingAdmissionPolicy.admissionregistration.k8s.io "+ns+" on us-1") {
		t.Errorf("changes are %s", got)
	}
	s.Destroy()
}
