package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccCluster_drain removes a cluster together with the infrastructure it stands on: the sets have to be off it before
// the infrastructure goes, and Terraform updates fleet_manifest only after that.
func TestAccCluster_drain(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.Write("check.sh", fmt.Sprintf("if %s --kubeconfig %s --context $1 -n %s get configmap conf; then echo still-there >> %s; else echo drained >> %s; fi\n",
		fleettest.Kubectl(t), fleettest.Kubeconfig(t), ns, s.Path("seen.txt"), s.Path("seen.txt")))
	write := func(removal string, names ...string) {
		s.Write("fleet.tf", fmt.Sprintf(`
provider "fleet" {
  kubeconfig_paths = [%[1]q]
  owner            = %[4]q
}
resource "terraform_data" "infrastructure" {
  for_each = toset([%[2]s])
  input    = each.key
  provisioner "local-exec" {
    when    = destroy
    command = "sh check.sh ${self.input}"
  }
}
resource "fleet_cluster" "this" {
  for_each   = { for k, v in terraform_data.infrastructure : k => k }
  name       = each.key
  on_removal = %[3]q
}
`, fleettest.Kubeconfig(t), quoted(names), removal, s.name))
	}
	write("drain", "eu-1", "eu-2", "us-1")
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v"))
	s.Apply()

	write("drain", "eu-1", "eu-2")
	s.Apply()
	s.PlanEmpty()
	if got := read(t, s.Path("seen.txt")); got != "drained\n" {
		t.Errorf("when the infrastructure went, the cluster was: %s", got)
	}
	if live(t, "us-1", secrets, "fleet-system", "fleet-"+s.name) != nil {
		t.Error("the inventory is still on the drained cluster")
	}

	t.Log("a replacement of the fleet_cluster drains nothing")
	before := uids(t, configmaps, ns, "conf")
	s.Apply("-replace=fleet_cluster.this[\"eu-2\"]")
	s.PlanEmpty()
	if after := uids(t, configmaps, ns, "conf"); after["eu-2"] != before["eu-2"] || len(after) != 2 {
		t.Errorf("the objects were %v, and are %v", before, after)
	}
	s.Destroy()
	if left := uids(t, configmaps, ns, "conf"); len(left) > 0 {
		t.Errorf("left behind on %v", left)
	}
}

// TestAccCluster_leave removes a cluster and leaves its objects there.
func TestAccCluster_leave(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("on_removal = \"leave\"")
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v"))
	s.Apply()
	us := s.kubeconfigs["us-1"]
	s.Write("fleet.tf", strings.Replace(read(t, s.Path("fleet.tf")), `, "us-1"])`, "])", 1))
	s.Apply()
	s.PlanEmpty()
	if got := uids(t, configmaps, ns, "conf"); len(got) != 3 {
		t.Errorf("conf is on %v, and should have been left", got)
	}
	t.Log("it comes back")
	s.kubeconfigs["us-1"] = us
	s.fleet("on_removal = \"leave\"")
	before := uids(t, configmaps, ns, "conf")
	s.Apply()
	s.PlanEmpty()
	if after := uids(t, configmaps, ns, "conf"); after["us-1"] != before["us-1"] {
		t.Error("the object was recreated")
	}
	s.Destroy()
	if left := uids(t, configmaps, ns, "conf"); len(left) > 0 {
		t.Errorf("left behind on %v", left)
	}
}
