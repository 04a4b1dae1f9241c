package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccManifest_objectOfTwoSets names an object in two sets. An object belongs to one set, and the plan says so.
func TestAccManifest_objectOfTwoSets(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	other := fleettest.Name(t)
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q", ns)
	both := func(output string) {
		t.Helper()
		contains(t, output, "ConfigMap "+ns+"/shared", "the object belongs to the set ", `"`+s.name+`"`, `"`+other+`"`, "names it, too; an object belongs to one set")
	}

	t.Log("neither is there yet, nor are the clusters known")
	s.set(arguments, configMap("shared", "v"), configMap("mine", "v"))
	s.another("other", other, arguments, configMap("shared", "v"), configMap("theirs", "v"))
	both(s.PlanFails())
	s.Apply("-target=fleet_cluster.this")
	out := s.PlanFails()
	both(out)
	contains(t, out, "eu-1, eu-2, us-1 ConfigMap "+ns+"/shared")

	t.Log("one is there, and the other comes")
	s.Write("other.tf", "")
	s.Apply()
	s.another("other", other, arguments, configMap("shared", "v"), configMap("theirs", "v"))
	out = s.PlanFails()
	both(out)
	if n := strings.Count(fleettest.Flat(out), "ConfigMap "+ns+"/shared"); n != 1 {
		t.Errorf("the object is named %d times:\n%s", n, out)
	}

	t.Log("it moves from the one to the other in one plan")
	s.set(arguments, configMap("mine", "v"))
	both(s.PlanFails())
	contains(t, s.PlanFails("-target=fleet_manifest.other"), "To move it to \""+other+"\", first give it up in \""+s.name+"\"",
		`rules = [{ target = { kind = "ConfigMap", name = "shared" }, deletion = "orphan" }]`)
	t.Log("so it is given up first, and then adopted")
	before := uids(t, configmaps, ns, "shared")
	orphan := arguments + "\nrules = [{ target = { kind = \"ConfigMap\", name = \"shared\" }, deletion = \"orphan\" }]"
	s.set(orphan, configMap("mine", "v"))
	s.another("other", other, arguments, configMap("theirs", "v"))
	s.Apply()
	s.set(arguments, configMap("mine", "v"))
	s.another("other", other, arguments, configMap("shared", "v"), configMap("theirs", "v"))
	s.Apply()
	s.PlanEmpty()
	if diff := cmp.Diff(before, uids(t, configmaps, ns, "shared")); diff != "" {
		t.Errorf("the object was recreated: %s", diff)
	}
	s.another("other", other, arguments, configMap("theirs", "v"))
	s.Apply()
	for _, c := range fleettest.Clusters(t) {
		remove(t, c.Name, configmaps, ns, "shared")
	}

	t.Log("once it is gone, the other may create it")
	s.another("other", other, arguments, configMap("shared", "v"), configMap("theirs", "v"))
	s.Apply()
	s.PlanEmpty()

	t.Log("another configuration is told whose it is")
	theirs := newSetup(t, fleettest.Terraform(t))
	theirs.fleet("")
	theirs.Write("fleet.tf", strings.Replace(read(t, theirs.Path("fleet.tf")), "provider \"fleet\" {", "provider \"fleet\" {\n  owner = \"somebody-else\"", 1))
	theirs.set(arguments, configMap("shared", "v"))
	theirs.Apply("-target=fleet_cluster.this")
	contains(t, theirs.PlanFails(), "eu-1, eu-2, us-1 ConfigMap "+ns+"/shared: the object belongs to the set \""+other+"\" of owner \"default\", and the set \""+theirs.name+"\" names it, too")
	remove(t, "us-1", secrets, "fleet-system", "fleet-"+other)
	contains(t, theirs.PlanFails(), "us-1 ConfigMap "+ns+"/shared: the object belongs to another set, whose inventory is not to be found (applyset.kubernetes.io/part-of=applyset-")
	s.Apply()
	s.Destroy()
}
