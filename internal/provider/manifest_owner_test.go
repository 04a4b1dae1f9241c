package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// own makes the configuration another owner's.
func (s *setup) own(owner string) {
	s.t.Helper()
	s.fleet("")
	s.Write("fleet.tf", strings.Replace(read(s.t, s.Path("fleet.tf")), "provider \"fleet\" {", fmt.Sprintf("provider \"fleet\" {\n  owner = %q", owner), 1))
}

// owner is who has the set on a cluster, by its inventory.
func (s *setup) owner(cluster string) string {
	s.t.Helper()
	parent := live(s.t, cluster, secrets, "fleet-system", "fleet-"+s.name)
	if parent == nil {
		return ""
	}
	return parent.GetAnnotations()["fleet.fleetform.io/owner"]
}

// TestAccManifest_twoOwners has two configurations with the same set: the second is told who owns it, and may take it over; then
// the first is refused.
func TestAccManifest_twoOwners(t *testing.T) {
	s, other := newSetup(t, fleettest.Terraform(t)), newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	other.name = s.name
	arguments := fmt.Sprintf("namespace = %q\n", ns)
	s.own("team-a")
	s.set(arguments, configMap("conf", "v"), configMap("old", "v"))
	s.Apply()
	before := uids(t, configmaps, ns, "conf")

	other.own("team-b")
	other.set(arguments, configMap("conf", "v"))
	contains(t, other.PlanFails(), "eu-1, eu-2, us-1: the set \""+s.name+"\" on this cluster belongs to owner \"team-a\", this configuration is \"team-b\"",
		"set takeover = \"team-a\"")
	other.set(arguments+"takeover = \"team-c\"", configMap("conf", "v"))
	contains(t, other.PlanFails(), "belongs to owner \"team-a\"")

	other.set(arguments+"takeover = \"team-a\"", configMap("conf", "v"))
	contains(t, other.Plan(), "eu-1, eu-2, us-1: the set belongs to owner \"team-a\", and applying takes it over")
	other.Apply()
	other.PlanEmpty()
	if got := other.owner("us-1"); got != "team-b" {
		t.Errorf("us-1 belongs to %q", got)
	}
	if diff := cmp.Diff(before, uids(t, configmaps, ns, "conf")); diff != "" {
		t.Errorf("an object was recreated: %s", diff)
	}
	if left := uids(t, configmaps, ns, "old"); len(left) > 0 {
		t.Errorf("old is left over on %v", left)
	}

	t.Log("the first configuration has lost it")
	s.set(arguments, configMap("conf", "w"))
	contains(t, s.PlanFails(), "belongs to owner \"team-b\", this configuration is \"team-a\"")
	contains(t, s.MustFail("destroy", "-auto-approve", "-no-color"), "belongs to owner \"team-b\"", "terraform state rm")
	if got := uids(t, configmaps, ns, "conf"); len(got) != 3 {
		t.Errorf("conf is on %v", got)
	}
	s.Must("state", "rm", "fleet_manifest.set")

	t.Log("once done, takeover has no effect")
	other.set(arguments+"takeover = \"team-a\"", configMap("conf", "w"))
	if out := other.Plan(); strings.Contains(out, "takes it over") {
		t.Errorf("the set is taken over again:\n%s", out)
	}
	other.Apply()
	other.Destroy()
}

// TestAccManifest_renamedOwner gives the owner another name: no object changes, and the clusters are told.
func TestAccManifest_renamedOwner(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\n", ns)
	s.own("before")
	s.set(arguments, configMap("conf", "v"))
	s.Apply()
	s.own("after")
	contains(t, s.PlanFails(), "belongs to owner \"before\", this configuration is \"after\"")
	s.set(arguments+"takeover = \"before\"", configMap("conf", "v"))
	before := versions(t, configmaps, ns, "conf")
	contains(t, s.Plan(), "take the set over from owner \\\"before\\\" on eu-1, eu-2, us-1")
	s.Apply()
	s.PlanEmpty()
	if diff := cmp.Diff(before, versions(t, configmaps, ns, "conf")); diff != "" {
		t.Errorf("an object was touched: %s", diff)
	}
	s.set(arguments, configMap("conf", "v"))
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_lostStateOfAnother loses the state, and another configuration takes the set over.
func TestAccManifest_lostStateOfAnother(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nsecrets_in_state = true\n", ns)
	manifests := []string{configMap("conf", "v"), deployment("web", 1), passwordManifest}
	s.own("lost")
	s.set(arguments, manifests...)
	s.Apply()
	before := []map[string]string{uids(t, configmaps, ns, "conf"), uids(t, deployments, ns, "web"), uids(t, secrets, ns, "pw")}
	s.Must("state", "rm", "fleet_manifest.set")
	s.own("found")
	contains(t, s.PlanFails(), "belongs to owner \"lost\", this configuration is \"found\"")
	s.set(arguments+"takeover = \"lost\"", manifests...)
	s.Apply()
	s.PlanEmpty()
	after := []map[string]string{uids(t, configmaps, ns, "conf"), uids(t, deployments, ns, "web"), uids(t, secrets, ns, "pw")}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("an object was recreated: %s", diff)
	}
	s.Destroy()
	if left := uids(t, configmaps, ns, "conf"); len(left) > 0 {
		t.Errorf("left behind on %v", left)
	}
}
