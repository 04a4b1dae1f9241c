package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

const createFirst = "lifecycle { create_before_destroy = true }"

// TestAccManifest_names gives two resources of one configuration the same set name, in each way that can come about.
func TestAccManifest_names(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		ns := fleettest.Namespace(t)
		s.fleet("")
		arguments := fmt.Sprintf("namespace = %q", ns)
		twice := func(output string) {
			t.Helper()
			contains(t, output, "Two resources with one set name", `nother fleet_manifest of this configuration has the name "`+s.name+`"`, "moved {")
		}
		swapped := func(output string) {
			t.Helper()
			contains(t, output, "Two resources with one set name", `ne fleet_manifest with the name "`+s.name+`" is destroyed and another is created`, "moved {")
		}
		s.set(arguments, configMap("one", "v"))
		s.another("twin", s.name, arguments, configMap("two", "v"))

		t.Log("both are new; then with clusters that are known")
		twice(s.PlanFails())
		s.Apply("-target=fleet_cluster.this")
		twice(s.PlanFails("-parallelism=1"))
		twice(s.PlanFails("-refresh=false"))

		t.Log("one is there, and healthy, replaced or tainted")
		s.Write("twin.tf", "")
		s.Apply()
		before := uids(t, configmaps, ns, "one")
		s.another("twin", s.name, arguments, configMap("two", "v"))
		twice(s.PlanFails())
		twice(s.PlanFails("-refresh=false"))
		twice(s.PlanFails("-replace=fleet_manifest.set"))
		s.Must("taint", "fleet_manifest.set")
		twice(s.PlanFails())
		s.Must("untaint", "fleet_manifest.set")

		t.Log("one goes while the other comes")
		s.Write("set.tf", "")
		s.another("twin", s.name, arguments, configMap("one", "v"))
		swapped(s.PlanFails())
		swapped(s.PlanFails("-parallelism=1"))
		if diff := cmp.Diff(before, uids(t, configmaps, ns, "one")); diff != "" {
			t.Fatalf("a plan changed something: %s", diff)
		}

		t.Log("a moved block says that it is the same")
		s.Write("moved.tf", "moved {\n  from = fleet_manifest.set\n  to   = fleet_manifest.twin\n}\n")
		contains(t, s.Plan(), "fleet_manifest.set has moved to fleet_manifest.twin", "0 to add, 0 to change, 0 to destroy")
		s.Apply()
		s.PlanEmpty()
		if diff := cmp.Diff(before, uids(t, configmaps, ns, "one")); diff != "" {
			t.Errorf("an object was recreated: %s", diff)
		}
		s.Destroy()
	})
}

// TestAccManifest_deposed leaves a deposed object behind: its destroy stands beside the creation of the tainted one's replacement,
// and both are of one resource.
func TestAccManifest_deposed(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		for _, refresh := range []string{"-refresh=true", "-refresh=false"} {
			t.Run(strings.TrimPrefix(refresh, "-"), func(t *testing.T) {
				s := newSetup(t, cli)
				ns := fleettest.Namespace(t)
				p := s.through("us-1")
				s.fleet("")
				arguments := fmt.Sprintf("namespace = %q\n%s", ns, createFirst)
				s.set(arguments, configMap("conf", "v"), deployment("web", 1))
				s.Apply()
				before := uids(t, configmaps, ns, "conf")
				s.set(arguments, configMap("conf", "v"), deployment("web", 2))
				breakages[2].inject(p)
				s.ApplyFails("-replace=fleet_manifest.set")
				p.Heal()
				if out := s.Must("show", "-no-color"); !strings.Contains(out, "deposed") || !strings.Contains(out, "tainted") {
					t.Fatalf("the test wants a deposed and a tainted object:\n%s", out)
				}
				out := s.Plan(refresh)
				contains(t, out, "1 to add", "2 to destroy")
				s.Apply(refresh)
				s.PlanEmpty()
				if diff := cmp.Diff(before, uids(t, configmaps, ns, "conf")); diff != "" {
					t.Errorf("an object was recreated: %s", diff)
				}
				s.Destroy()
				if left := uids(t, configmaps, ns, "conf"); len(left) > 0 {
					t.Errorf("left behind on %v", left)
				}
			})
		}
	})
}
