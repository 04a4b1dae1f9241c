package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

const secretManifest = "apiVersion: v1\nkind: Secret\nmetadata: {name: pw}\nstringData: {password: hunter2hunter2}\n"

// versions are the resource versions of an object on all clusters that have it: they change with every write.
func versions(t *testing.T, r schema.GroupVersionResource, ns, name string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, c := range fleettest.Clusters(t) {
		if obj := live(t, c.Name, r, ns, name); obj != nil {
			out[c.Name] = obj.GetResourceVersion()
		}
	}
	return out
}

// TestAccManifest_inventoryDeleted deletes a set's inventory on one cluster. The next apply writes it again, and changes
// no object, although the salt of the digests in state is another now.
func TestAccManifest_inventoryDeleted(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	s.set(fmt.Sprintf("namespace = %q\nsecrets_in_state = true", ns), configMap("conf", "v"), secretManifest)
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
	s.set(fmt.Sprintf("namespace = %q\nsecrets_in_state = true", ns), configMap("conf", "w"), strings.Replace(secretManifest, "hunter2", "hunter3", 1))
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
