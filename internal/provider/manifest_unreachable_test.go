package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

func TestAccManifest_unreachable(t *testing.T) {
	for _, policy := range []string{"error", "defer"} {
		t.Run(policy, func(t *testing.T) {
			s := newSetup(t, fleettest.Terraform(t))
			ns := fleettest.Namespace(t)
			p := s.through("us-1")
			s.fleet(fmt.Sprintf("unreachable = %q", policy))
			arguments := fmt.Sprintf("namespace = %q", ns)
			s.set(arguments, configMap("conf", "v1"), configMap("extra", "x"))
			s.Apply()
			p.Refuse()

			t.Log("nothing is owed: nothing is planned, nothing is forgotten")
			s.PlanEmpty()
			if live(t, "us-1", configmaps, ns, "conf") == nil {
				t.Fatal("an unreachable cluster lost an object")
			}

			t.Log("something is owed")
			s.set(arguments, configMap("conf", "v2"))
			if policy == "error" {
				contains(t, s.ApplyFails(), "1 of 3 clusters failed", "us-1", "Done on eu-1, eu-2")
			} else {
				s.Apply()
				if got := dig(s.manifest(), "status", "us-1", "phase"); got != "Deferred" {
					t.Errorf("us-1 is %v", got)
				}
				s.PlanEmpty()
			}
			if got := s.field("eu-1", "ConfigMap "+ns+"/conf", "data.k"); got != "v2" {
				t.Errorf("eu-1 has %v", got)
			}
			if got := s.field("us-1", "ConfigMap "+ns+"/conf", "data.k"); got != "v1" {
				t.Errorf("what is known of us-1 became %v", got)
			}

			t.Log("it returns")
			p.Listen(t)
			out := s.Plan()
			contains(t, out, "update ConfigMap "+ns+"/conf on us-1: data.k v1 → v2", "delete ConfigMap "+ns+"/extra on us-1")
			s.Apply()
			s.PlanEmpty()
			if live(t, "us-1", configmaps, ns, "extra") != nil {
				t.Error("what was owed was not pruned")
			}
			s.Destroy()
		})
	}
}

func TestAccManifest_deadFromTheStart(t *testing.T) {
	for _, policy := range []string{"error", "defer"} {
		t.Run(policy, func(t *testing.T) {
			s := newSetup(t, fleettest.Terraform(t))
			ns := fleettest.Namespace(t)
			p := s.through("us-1")
			p.Refuse()
			s.fleet(fmt.Sprintf("unreachable = %q", policy))
			s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v"))
			if policy == "error" {
				contains(t, s.ApplyFails(), "1 of 3 clusters failed", "us-1", "Done on eu-1, eu-2")
			} else {
				s.Apply()
				if got := dig(s.manifest(), "status", "us-1", "phase"); got != "Deferred" {
					t.Errorf("us-1 is %v", got)
				}
				if s.manifest()["ready"] != false {
					t.Error("a set that a cluster lacks looks ready")
				}
				s.PlanEmpty()
			}
			before := uids(t, configmaps, ns, "conf")
			if len(before) != 2 {
				t.Fatalf("conf is on %v", before)
			}
			p.Listen(t)
			s.Apply()
			s.Apply()
			s.PlanEmpty()
			after := uids(t, configmaps, ns, "conf")
			if len(after) != 3 {
				t.Errorf("conf is on %v", after)
			}
			delete(after, "us-1")
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("an object was recreated: %s", diff)
			}
			s.Destroy()
		})
	}
}

func TestAccManifest_connectionLeaves(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	write := func(names ...string) {
		s.Write("fleet.tf", fmt.Sprintf(`
provider "fleet" {
  kubeconfig_paths = []
}
resource "fleet_cluster" "this" {
  for_each = toset([%s])
  name     = each.key
  connect  = { kubeconfig_path = %q, context = each.key }
}
`, quoted(names), fleettest.Kubeconfig(t)))
	}
	write("eu-1", "eu-2", "us-1")
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v"))
	s.Apply()
	write("eu-1", "eu-2")
	s.Apply()
	s.PlanEmpty()
	if got := uids(t, configmaps, ns, "conf"); len(got) != 2 || got["us-1"] != "" {
		t.Errorf("conf is on %v", got)
	}
	s.Destroy()
}

func TestAccManifest_secretLeaves(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v"))
	s.Apply()
	gone := s.kubeconfigs["us-1"]
	delete(s.kubeconfigs, "us-1")
	s.fleet("")
	out := s.PlanFails()
	contains(t, out, "us-1", "keep it for one more apply")
	if len(uids(t, configmaps, ns, "conf")) != 3 {
		t.Error("something was deleted")
	}
	s.kubeconfigs["us-1"] = gone
	s.fleet("")
	s.Destroy()
}

func TestAccManifest_otherCluster(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v1"))
	s.Apply()
	right := s.kubeconfigs["us-1"]
	// The same name, another cluster's address and credentials.
	s.kubeconfigs["us-1"] = s.kubeconfigs["eu-2"]
	s.fleet("")
	contains(t, s.Plan(), fleettest.Get(t, "eu-2").UID(t), fleettest.Get(t, "us-1").UID(t))
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v2"))
	contains(t, s.ApplyFails(), "1 of 3 clusters failed", "us-1: another cluster answers")
	if got := live(t, "us-1", configmaps, ns, "conf").Object["data"].(map[string]any)["k"]; got != "v1" {
		t.Errorf("us-1 has %v", got)
	}
	s.kubeconfigs["us-1"] = right
	s.fleet("")
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}

func TestAccManifest_modes(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	mode := func(m string) { s.fleet(fmt.Sprintf("mode = each.key == \"us-1\" ? %q : \"active\"", m)) }
	mode("active")
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v1"))
	s.Apply()

	mode("maintenance")
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v2"))
	s.Apply()
	p.Forget()
	if got := dig(s.manifest(), "status", "us-1", "phase"); got != "Deferred" {
		t.Errorf("us-1 is %v", got)
	}
	s.PlanEmpty()
	if n := len(p.Requests()); n > 0 {
		t.Errorf("a cluster in maintenance got %d requests:\n%s", n, requests(p))
	}

	mode("active")
	contains(t, s.Apply(), "update ConfigMap "+ns+"/conf on us-1: data.k v1 → v2")
	s.PlanEmpty()

	t.Log("it leaves the set while it is in maintenance")
	mode("maintenance")
	s.Apply()
	without := fmt.Sprintf("namespace = %q\nclusters = { for k, c in fleet_cluster.this : k => c if k != \"us-1\" }", ns)
	s.set(without, configMap("conf", "v2"))
	for range 2 {
		s.Apply()
		s.PlanEmpty()
		if live(t, "us-1", configmaps, ns, "conf") == nil {
			t.Fatal("a cluster in maintenance was pruned")
		}
	}
	mode("active")
	s.Apply()
	contains(t, s.Apply(), "delete ConfigMap "+ns+"/conf on us-1")
	s.PlanEmpty()
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v2"))
	s.Apply()

	p.Refuse()
	mode("decommissioned")
	contains(t, s.Apply(), "forget ConfigMap "+ns+"/conf on us-1")
	s.PlanEmpty()
	if dig(s.manifest(), "objects", "us-1") != nil {
		t.Error("a decommissioned cluster is still in the state")
	}
	s.Destroy()
	if live(t, "us-1", configmaps, ns, "conf") == nil {
		t.Error("what was on the decommissioned cluster should not have been touched")
	}
	remove(t, "us-1", secrets, "fleet-system", "fleet-"+s.name)
}

func TestAccManifest_lostBetween(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q\nsecrets_in_state = true", ns)
	secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {password: one}\n"
	s.Write("set.tf", "")
	s.Apply()

	t.Log("a create")
	s.set(arguments, configMap("conf", "v1"), deployment("web", 1), secret)
	s.Plan("-out=" + s.Path("plan.bin"))
	p.Refuse()
	contains(t, s.MustFail("apply", "-no-color", s.Path("plan.bin")), "1 of 3 clusters failed", "us-1", "does not answer", "Done on eu-1, eu-2")
	p.Listen(t)
	s.Apply()
	s.PlanEmpty()

	t.Log("an unreachable cluster with a Secret is owed nothing")
	p.Refuse()
	s.PlanEmpty()
	p.Listen(t)

	t.Log("an update with a kind that is new to the set")
	s.set(arguments, configMap("conf", "v2"), deployment("web", 1), secret, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\n")
	s.Plan("-out=" + s.Path("plan.bin"))
	p.Refuse()
	contains(t, s.MustFail("apply", "-no-color", s.Path("plan.bin")), "1 of 3 clusters failed", "us-1", "does not answer", "Done on eu-1, eu-2")
	p.Listen(t)
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}

func TestAccManifest_forbiddenToRead(t *testing.T) {
	for _, policy := range []string{"error", "defer"} {
		t.Run(policy, func(t *testing.T) {
			s := newSetup(t, fleettest.Terraform(t))
			ns := fleettest.Namespace(t)
			p := s.through("us-1")
			s.fleet(fmt.Sprintf("unreachable = %q", policy))
			s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v1"))
			s.Apply()
			p.Inject(fleettest.Fault{Match: func(r fleettest.Request) bool { return strings.Contains(r.Path, "configmaps") }, Status: 403,
				Body: `{"kind":"Status","apiVersion":"v1","status":"Failure","code":403,"reason":"Forbidden","message":"configmaps is forbidden: User \"x\" cannot list resource \"configmaps\""}`, ContentType: "application/json"})
			contains(t, s.PlanEmpty(), "1 cluster could not be read", `cannot list resource "configmaps"`)
			s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v2"))
			// A refusal is no absence, so defer does not excuse it.
			contains(t, s.ApplyFails(), "1 of 3 clusters failed", "us-1", `"configmaps"`, "Done on eu-1, eu-2")
			if got := live(t, "eu-2", configmaps, ns, "conf").Object["data"].(map[string]any)["k"]; got != "v2" {
				t.Errorf("eu-2 has %v", got)
			}
			p.Heal()
			s.Apply()
			s.PlanEmpty()
			s.Destroy()
		})
	}
}
