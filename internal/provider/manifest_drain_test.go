package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccCluster_drainOrphans drains a cluster of a set whose objects are not to be deleted, except one, and except on another
// cluster. fleet_cluster knows that only from the inventory.
func TestAccCluster_drainOrphans(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.own(s.name)
	manifests := []string{configMap("conf", "v"), configMap("cache", "v")}
	s.set(fmt.Sprintf("namespace = %q", ns), manifests...)
	s.Apply()

	t.Log("the policy is recorded although no object changes")
	s.set(fmt.Sprintf(`
namespace = %q
deletion  = "orphan"
rules = [
  { target = { kind = "ConfigMap", name = "ca*" }, deletion = "delete" },
  { clusters = { names = ["eu-2"] }, deletion = "delete" },
]`, ns), manifests...)
	before := versions(t, configmaps, ns, "conf")
	contains(t, s.Plan(), "record what becomes of removed objects on eu-1, eu-2, us-1")
	s.Apply()
	s.PlanEmpty()
	if after := versions(t, configmaps, ns, "conf"); after["us-1"] != before["us-1"] {
		t.Error("conf was written")
	}

	s.Write("fleet.tf", strings.Replace(read(t, s.Path("fleet.tf")), `"eu-1", "eu-2", "us-1"`, `"eu-1"`, 1))
	s.Apply()
	s.PlanEmpty()
	if got := uids(t, configmaps, ns, "cache"); len(got) != 1 {
		t.Errorf("cache is on %v", got)
	}
	conf := live(t, "us-1", configmaps, ns, "conf")
	if conf == nil || conf.GetLabels()[fleet.PartOfLabel] != "" {
		t.Errorf("on us-1, conf is %v", conf)
	}
	if live(t, "eu-2", configmaps, ns, "conf") != nil {
		t.Error("conf is still on eu-2")
	}
	for _, name := range []string{"us-1", "eu-2"} {
		if live(t, name, secrets, "fleet-system", "fleet-"+s.name) != nil {
			t.Errorf("the inventory is still on %s", name)
		}
	}
	s.Destroy()
}
