package provider_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// throughAll puts a proxy in front of every cluster.
func (s *setup) throughAll() map[string]*fleettest.Proxy {
	s.t.Helper()
	proxies := map[string]*fleettest.Proxy{}
	for _, c := range fleettest.Clusters(s.t) {
		proxies[c.Name] = s.through(c.Name)
	}
	return proxies
}

// changing are the requests that changed something, as far as they were to.
func changing(p *fleettest.Proxy) []string {
	var out []string
	for _, r := range p.Requests() {
		if r.Method != "GET" && !r.IsDryRun() {
			out = append(out, r.Method+" "+r.Path)
		}
	}
	return out
}

const secretManifest = "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {password: one}\n"

// TestAccManifest_import loses a set from the state and imports it, in each way Terraform knows. The first plan records the
// arguments, and its apply writes nothing to any cluster.
func TestAccManifest_import(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		for _, way := range []string{"command", "block"} {
			t.Run(way, func(t *testing.T) {
				s := newSetup(t, cli)
				ns := fleettest.Namespace(t)
				proxies := s.throughAll()
				s.fleet("")
				s.set(fmt.Sprintf("namespace = %q\nsecrets_in_state = true", ns), configMap("conf", "v"), deployment("web", 2), secretManifest)
				s.Apply()
				objects := dig(s.manifest(), "objects")
				before := uids(t, deployments, ns, "web")
				s.Must("state", "rm", "fleet_manifest.set")
				if way == "command" {
					s.Must("import", "-no-color", "fleet_manifest.set", s.name)
					if diff := cmp.Diff(objects, dig(s.manifest(), "objects")); diff != "" {
						t.Errorf("the objects in state are others after the import: %s", diff)
					}
				} else {
					s.Write("import.tf", fmt.Sprintf("import {\n  to = fleet_manifest.set\n  id = %q\n}\n", s.name))
				}
				for _, p := range proxies {
					p.Forget()
				}
				plan := s.PlanJSON()
				for _, r := range plan.ResourceChanges {
					if r.Address != "fleet_manifest.set" {
						continue
					}
					if diff := cmp.Diff(dig(r.Change.Before, "objects"), dig(r.Change.After, "objects")); diff != "" {
						t.Errorf("the plan changes objects: %s", diff)
					}
					if got := fmt.Sprint(dig(r.Change.After, "changes")); got != "[record what is there already on eu-1, eu-2, us-1]" {
						t.Errorf("changes are %s", got)
					}
				}
				s.Apply()
				for name, p := range proxies {
					if writes := changing(p); len(writes) > 0 {
						t.Errorf("%s was written to: %v", name, writes)
					}
				}
				s.PlanEmpty()
				if diff := cmp.Diff(before, uids(t, deployments, ns, "web")); diff != "" {
					t.Errorf("an object was recreated: %s", diff)
				}
				t.Log("what was imported is the set's own")
				s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v2"), deployment("web", 2))
				contains(t, s.Apply(), "delete Secret "+ns+"/token on eu-1, eu-2, us-1", "update ConfigMap "+ns+"/conf on eu-1, eu-2, us-1: data.k v → v2")
				s.PlanEmpty()
				s.Destroy()
				if left := uids(t, deployments, ns, "web"); len(left) > 0 {
					t.Errorf("left behind on %v", left)
				}
			})
		}
	})
}

// TestAccManifest_importAll loses the whole state and gets everything back by importing it, while somebody drifts an object.
func TestAccManifest_importAll(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q", ns)
	s.set(arguments, configMap("conf", "v"), configMap("old", "v"), deployment("web", 2))
	s.Apply()
	before, maps := uids(t, deployments, ns, "web"), uids(t, configmaps, ns, "conf")
	for _, file := range []string{"terraform.tfstate", "terraform.tfstate.backup"} {
		if err := os.Remove(s.Path(file)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	patch(t, "eu-2", deployments, ns, "web", `{"spec":{"replicas":4}}`)
	s.set(arguments, configMap("conf", "v"), configMap("new", "v"), deployment("web", 2))
	for _, c := range fleettest.Clusters(t) {
		s.Must("import", "-no-color", fmt.Sprintf("fleet_cluster.this[%q]", c.Name), c.Name)
	}
	s.Must("import", "-no-color", "fleet_manifest.set", s.name+"@eu-1,eu-2,us-1")
	out := s.Plan()
	contains(t, out, "create ConfigMap "+ns+"/new on eu-1, eu-2, us-1", "delete ConfigMap "+ns+"/old on eu-1, eu-2, us-1", "update Deployment.apps "+ns+"/web on eu-2: spec.replicas (none) → 2")
	s.Apply()
	s.PlanEmpty()
	if diff := cmp.Diff(before, uids(t, deployments, ns, "web")); diff != "" {
		t.Errorf("an object was recreated: %s", diff)
	}
	if diff := cmp.Diff(maps, uids(t, configmaps, ns, "conf")); diff != "" {
		t.Errorf("an object was recreated: %s", diff)
	}
	s.Destroy()
}

// TestAccManifest_importOwner imports the set of another configuration, which the next apply takes over.
func TestAccManifest_importOwner(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q", ns)
	s.set(arguments, configMap("conf", "v"))
	s.Apply()
	before := uids(t, configmaps, ns, "conf")
	theirs := newSetup(t, fleettest.Terraform(t))
	theirs.name = s.name
	theirs.fleet("")
	theirs.Write("fleet.tf", strings.Replace(read(t, theirs.Path("fleet.tf")), "provider \"fleet\" {", "provider \"fleet\" {\n  owner = \"somebody-else\"", 1))
	theirs.set(arguments, configMap("conf", "v"))
	theirs.Apply("-target=fleet_cluster.this")
	contains(t, theirs.PlanFails(), "belongs to owner \"default\"")
	contains(t, theirs.Must("import", "-no-color", "fleet_manifest.set", s.name), "belongs to another configuration", "eu-1 owner \"default\"", "The next apply takes it over")
	contains(t, theirs.Plan(), "take the set over from owner \\\"default\\\" on eu-1, eu-2, us-1")
	theirs.Apply()
	theirs.PlanEmpty()
	if diff := cmp.Diff(before, uids(t, configmaps, ns, "conf")); diff != "" {
		t.Errorf("an object was recreated: %s", diff)
	}
	s.set(arguments, configMap("conf", "v2"))
	contains(t, s.PlanFails(), "belongs to owner \"somebody-else\"")
	theirs.Destroy()
	if left := uids(t, configmaps, ns, "conf"); len(left) > 0 {
		t.Errorf("left behind on %v", left)
	}
}

// TestAccManifest_importErrors asks for what cannot be imported.
func TestAccManifest_importErrors(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q\ninventory = { namespace = %q }", ns, ns)
	s.set(arguments+"\nclusters = { for k, c in fleet_cluster.this : k => c if k != \"us-1\" }", configMap("conf", "v"))
	s.Apply()
	s.Must("state", "rm", "fleet_manifest.set")
	fails := func(id string, says ...string) {
		t.Helper()
		contains(t, s.MustFail("import", "-no-color", "fleet_manifest.set", id), says...)
	}
	fails("We.b", "Invalid import ID", `"We.b"`)
	fails(s.name+"@eu_1", "Invalid import ID", `"eu_1" is no name of a cluster`)
	fails(s.name+"x", `No set "`+s.name+`x"`, "None of eu-1, eu-2, us-1 has a set", s.name+" (eu-1, eu-2)", `Did you mean "`+s.name+`"?`)
	fails(s.name+"@eu-1,eu-9", "could not be looked for on 1 of 2 clusters", `no connection for cluster "eu-9"`, "provider kubeconfigs (eu-1, eu-2, us-1)", "The set was found on eu-1", `"`+s.name+`@eu-1"`)
	fails(s.name+"@eu-1,us-1", `No set "`+s.name+`" on us-1`, "It is on eu-1")
	p.Refuse()
	fails(s.name, "could not be looked for on 1 of 3 clusters", "us-1", "does not answer", "found on eu-1, eu-2", s.name+"@eu-1,eu-2")
	t.Log("the reachable ones by name; the inventory is found in a namespace of its own")
	s.Must("import", "-no-color", "fleet_manifest.set", s.name+"@eu-1,eu-2")
	p.Listen(t)
	s.Apply()
	s.PlanEmpty()
	s.Must("state", "rm", "fleet_manifest.set")
	s.Write("fleet.tf", fmt.Sprintf("provider \"fleet\" {\n  kubeconfig_paths = [%q]\n}\nresource \"fleet_cluster\" \"this\" {\n  for_each = toset([\"eu-1\", \"eu-2\", \"us-1\"])\n  name = each.key\n}\n", fleettest.Kubeconfig(t)))
	fails(s.name, "No clusters to look on", "Contexts of kubeconfig files are looked at only where they are named")
	s.Must("import", "-no-color", "fleet_manifest.set", s.name+"@eu-1,eu-2")
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}
