package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

const passwordManifest = "apiVersion: v1\nkind: Secret\nmetadata: {name: pw}\nstringData: {password: hunter2hunter2}\n"

// TestAccManifest_inventoryDeleted deletes a set's inventory on one cluster. The next apply writes it again, and changes
// no object, although the salt of the digests in state is another now.
func TestAccManifest_inventoryDeleted(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	s.set(fmt.Sprintf("namespace = %q\nsecrets_in_state = true", ns), configMap("conf", "v"), passwordManifest)
	s.Apply()
	before := []map[string]string{versions(t, configmaps, ns, "conf"), versions(t, secrets, ns, "pw")}
	remove(t, "eu-1", secrets, "fleet-system", "fleet-"+s.name)

	out := s.Plan()
	contains(t, out, "repair the inventory on eu-1")
	if strings.Contains(out, "update ") && strings.Contains(out, "ConfigMap") {
		t.Errorf("the plan speaks of objects:\n%s", out)
	}
	s.Apply()
	s.PlanEmpty()
	if live(t, "eu-1", secrets, "fleet-system", "fleet-"+s.name) == nil {
		t.Error("the inventory is still gone")
	}
	after := []map[string]string{versions(t, configmaps, ns, "conf"), versions(t, secrets, ns, "pw")}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("an object was written: %s", diff)
	}

	t.Log("together with a change, of which the plan says what it can")
	remove(t, "eu-1", secrets, "fleet-system", "fleet-"+s.name)
	s.set(fmt.Sprintf("namespace = %q\nsecrets_in_state = true", ns), configMap("conf", "w"), strings.Replace(passwordManifest, "hunter2", "hunter3", 1))
	contains(t, s.Plan(), "repair the inventory on eu-1", "update ConfigMap "+ns+"/conf on eu-1, eu-2, us-1")
	s.Apply()
	s.PlanEmpty()

	t.Log("and where the set is to go")
	remove(t, "eu-1", secrets, "fleet-system", "fleet-"+s.name)
	s.Destroy()
	for _, left := range []map[string]string{uids(t, configmaps, ns, "conf"), uids(t, secrets, ns, "pw"), uids(t, secrets, "fleet-system", "fleet-"+s.name)} {
		if len(left) > 0 {
			t.Errorf("left behind on %v", left)
		}
	}
}

// TestAccManifest_applySet shows the inventory to kubectl, which knows KEP-3659: it finds the set by its label, keeps off a set of
// another tool, and would find what to prune.
func TestAccManifest_applySet(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns, second := fleettest.Namespace(t), fleettest.Namespace(t)
	s.fleet("")
	role := fleettest.Name(t)
	s.set(fmt.Sprintf("namespace = %q\n", ns), configMap("conf", "v"), deployment("web", 1),
		fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: %s}\n", second),
		fmt.Sprintf("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: %s}\nrules: []\n", role))
	s.Apply()
	c, parent := fleettest.Get(t, "eu-1"), "fleet-"+s.name
	secret := live(t, "eu-1", secrets, "fleet-system", parent)
	annotations := secret.GetAnnotations()
	for name, want := range map[string]string{
		"applyset.kubernetes.io/tooling":               "terraform-provider-fleet/v0.0.0-dev",
		"applyset.kubernetes.io/contains-group-kinds":  "ClusterRole.rbac.authorization.k8s.io,ConfigMap,Deployment.apps",
		"applyset.kubernetes.io/additional-namespaces": strings.Join(slices.Sorted(slices.Values([]string{ns, second})), ","),
	} {
		if got := annotations[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}

	out := c.MustKubectl(t, "", "get", "-A", "configmaps,deployments,clusterroles,services,pods", "-o", "name", "-l", "applyset.kubernetes.io/part-of="+secret.GetLabels()["applyset.kubernetes.io/id"])
	want := []string{"clusterrole.rbac.authorization.k8s.io/" + role, "configmap/conf", "configmap/other", "deployment.apps/web"}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(strings.Fields(out)))); diff != "" {
		t.Errorf("kubectl lists the set as (-want +got)\n%s", diff)
	}

	apply := []string{"apply", "--prune", "--applyset=secret/" + parent, "-n", "fleet-system", "-f", "-", "--dry-run=server"}
	out, ok := c.Kubectl(t, configMap("foreign", "x"), apply...)
	if ok || !strings.Contains(out, "already exists and is managed by tooling \"terraform-provider-fleet\" instead of \"kubectl\"") {
		t.Errorf("kubectl says: %s", out)
	}

	t.Log("as kubectl's own set, it is one that kubectl understands, and that this provider keeps off")
	patch(t, "eu-1", secrets, "fleet-system", parent, `{"metadata":{"annotations":{"applyset.kubernetes.io/tooling":"kubectl/v1.36.0"}}}`)
	out = c.MustKubectl(t, configMap("foreign", "x"), apply...)
	for _, pruned := range []string{"configmap/conf", "configmap/other", "deployment.apps/web", role} {
		if !strings.Contains(out, pruned) {
			t.Errorf("kubectl does not find %s: %s", pruned, out)
		}
	}
	s.set(fmt.Sprintf("namespace = %q\n", ns), configMap("conf", "w"))
	contains(t, s.ApplyFails(), "the inventory fleet-system/"+parent+" is managed by another tool", "is \"kubectl/v1.36.0\"")
	patch(t, "eu-1", secrets, "fleet-system", parent, `{"metadata":{"annotations":{"applyset.kubernetes.io/tooling":"terraform-provider-fleet/v0.0.0"}}}`)
	s.Apply()
	s.Destroy()
}

// TestAccManifest_inventoryNamespace keeps the inventory in a namespace that does not exist before.
func TestAccManifest_inventoryNamespace(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns, inventory := fleettest.Namespace(t), fleettest.Name(t)
	s.fleet("")
	s.set(fmt.Sprintf("namespace = %q\ninventory = { namespace = %q }", ns, inventory), configMap("conf", "v"))
	s.Apply()
	s.PlanEmpty()
	if got := uids(t, secrets, inventory, "fleet-"+s.name); len(got) != 3 {
		t.Errorf("the inventory is on %v", got)
	}
	if got := uids(t, secrets, "fleet-system", "fleet-"+s.name); len(got) != 0 {
		t.Errorf("there is an inventory in fleet-system on %v", got)
	}
	s.Destroy()
	for _, c := range fleettest.Clusters(t) {
		// The namespace may be that of other sets as well, so it stays.
		remove(t, c.Name, namespaces, "", inventory)
	}
}
