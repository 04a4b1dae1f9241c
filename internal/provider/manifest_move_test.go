package provider_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// managers are the field managers of an object, "name operation", without those of the cluster itself.
func managers(obj *unstructured.Unstructured) []string {
	var out []string
	for _, e := range obj.GetManagedFields() {
		if strings.HasPrefix(e.Manager, "fleet:") {
			out = append(out, e.Manager+" "+string(e.Operation))
		}
	}
	return out
}

// values is an object without what says whose it is.
func values(obj *unstructured.Unstructured) map[string]any {
	c := obj.DeepCopy()
	c.SetManagedFields(nil)
	c.SetResourceVersion("")
	labels := c.GetLabels()
	delete(labels, "applyset.kubernetes.io/part-of")
	c.SetLabels(labels)
	return c.Object
}

// TestAccManifest_rename gives a set another name, and its inventory another namespace. No object is touched but for whose it is.
func TestAccManifest_rename(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		ns := fleettest.Namespace(t)
		s.fleet("")
		arguments := fmt.Sprintf("namespace = %q\nsecrets_in_state = true", ns)
		content := []string{configMap("conf", "v"), configMap("other", "v"), deployment("web", 2), secretManifest}
		s.set(arguments, content...)
		s.Apply()
		old := s.name
		before := map[string]map[string]any{}
		for _, c := range fleettest.Clusters(t) {
			before[c.Name] = values(live(t, c.Name, configmaps, ns, "conf"))
		}
		generation := live(t, "eu-1", deployments, ns, "web").GetGeneration()
		objects := dig(s.manifest(), "objects")

		s.name += "-new"
		s.set(arguments, content...)
		plan := s.Plan("-out=" + s.Path("plan.bin"))
		contains(t, plan, fmt.Sprintf("move the set from %s to %s on eu-1, eu-2, us-1", old, s.name), "0 to add, 1 to change, 0 to destroy")
		if strings.Contains(plan, "~ objects ") {
			t.Errorf("the plan changes objects:\n%s", plan)
		}
		s.Must("apply", "-no-color", s.Path("plan.bin"))
		s.PlanEmpty()
		if diff := cmp.Diff(objects, dig(s.manifest(), "objects")); diff != "" {
			t.Errorf("the objects in the state changed: %s", diff)
		}
		for _, c := range fleettest.Clusters(t) {
			obj := live(t, c.Name, configmaps, ns, "conf")
			if diff := cmp.Diff(before[c.Name], values(obj)); diff != "" {
				t.Errorf("%s: the object changed: %s", c.Name, diff)
			}
			for _, m := range managers(obj) {
				if !strings.HasPrefix(m, "fleet:"+s.name+" ") {
					t.Errorf("%s: the object still has the manager %s", c.Name, m)
				}
			}
			if live(t, c.Name, secrets, "fleet-system", "fleet-"+old) != nil || live(t, c.Name, secrets, "fleet-system", "fleet-"+s.name) == nil {
				t.Errorf("%s: the inventory was not moved", c.Name)
			}
		}
		if got := live(t, "eu-1", deployments, ns, "web").GetGeneration(); got != generation {
			t.Errorf("the Deployment has generation %d, it had %d", got, generation)
		}

		t.Log("a name and a change at once, and another namespace for the inventory")
		old = s.name
		s.name += "2"
		moved := fmt.Sprintf("%s\ninventory = { namespace = %q }", arguments, ns)
		s.set(moved, configMap("conf", "v2"), deployment("web", 2), secretManifest)
		contains(t, s.Apply(), fmt.Sprintf("move the set from fleet-system/%s to %s/%s on eu-1, eu-2, us-1", old, ns, s.name),
			"update ConfigMap "+ns+"/conf on eu-1, eu-2, us-1: data.k v → v2", "delete ConfigMap "+ns+"/other on eu-1, eu-2, us-1")
		s.PlanEmpty()
		if got := string(live(t, "eu-1", configmaps, ns, "conf").GetUID()); got != dig(before["eu-1"], "metadata", "uid") {
			t.Error("the object was recreated")
		}

		t.Log("what the manifest no longer says is removed under the new name, too")
		s.set(moved, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\n", deployment("web", 2), secretManifest)
		s.Apply()
		s.PlanEmpty()
		if data := live(t, "eu-1", configmaps, ns, "conf").Object["data"]; data != nil {
			t.Errorf("the removed field is still there: %v", data)
		}
		s.Destroy()
		if left := uids(t, configmaps, ns, "conf"); len(left) > 0 {
			t.Errorf("left behind on %v", left)
		}
	})
}

// TestAccManifest_renameTaken moves a set to a name that another set has.
func TestAccManifest_renameTaken(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q", ns)
	other := fleettest.Name(t)
	s.set(arguments, configMap("one", "v"))
	s.another("other", other, arguments, configMap("two", "v"))
	s.Apply()
	own := s.name
	s.name = other
	s.set(arguments, configMap("one", "v"))
	contains(t, s.PlanFails(), "Two resources with one set name")
	contains(t, s.PlanFails("-target=fleet_manifest.set"), "eu-1, eu-2, us-1: the set cannot be moved to the name \""+other+"\": a set of that name is there already (owner \"default\")")
	t.Log("a name that another is about to lose")
	s.another("other", other+"-x", arguments, configMap("two", "v"))
	contains(t, s.PlanFails(), "Two resources with one set name")
	s.name = own
	s.set(arguments, configMap("one", "v"))
	s.Apply()
	s.name = other
	s.set(arguments, configMap("one", "v"))
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_renameKilled kills moves at every write, then applies again: to the new name, or back to the old one.
func TestAccManifest_renameKilled(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	proxies := s.throughAll()
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }", ns)
	content := func(generation int) []string {
		return []string{configMap("same", "x"), configMap("stays", fmt.Sprint(generation)), configMap(fmt.Sprintf("g%d", generation%2), "x"), deployment("web", 1)}
	}
	first := s.name
	s.set(arguments, content(0)...)
	s.Apply()
	before := uids(t, configmaps, ns, "same")
	generation := live(t, "eu-1", deployments, ns, "web").GetGeneration()
	killed := 0
	for i := range 12 {
		old := s.name
		s.name = fmt.Sprintf("%s-%d", first, i)
		s.set(arguments, content(i/4)...)
		if s.killAfter(proxies, 2*i, "apply") {
			killed++
		}
		t.Logf("%d: killed after %d writes", i, 2*i)
		if i%3 == 2 {
			s.name = old
			s.set(arguments, content(i/4)...)
		}
		// Without a refresh nobody can see that a name that is back to what it was has to be brought back.
		s.Apply(fmt.Sprintf("-refresh=%t", i%4 != 3 || i%3 == 2))
		s.PlanEmpty()
		if diff := cmp.Diff(before, uids(t, configmaps, ns, "same")); diff != "" {
			t.Fatalf("%d: an object was recreated or lost: %s", i, diff)
		}
		for _, c := range fleettest.Clusters(t) {
			for _, r := range []string{"same", "stays", fmt.Sprintf("g%d", i/4%2)} {
				obj := live(t, c.Name, configmaps, ns, r)
				if obj == nil {
					t.Fatalf("%d: %s is not on %s", i, r, c.Name)
				}
				for _, m := range managers(obj) {
					if !strings.HasPrefix(m, "fleet:"+s.name+" ") {
						t.Fatalf("%d: %s on %s has the manager %s", i, r, c.Name, m)
					}
				}
			}
			if live(t, c.Name, configmaps, ns, fmt.Sprintf("g%d", (i/4+1)%2)) != nil {
				t.Fatalf("%d: what is no longer wanted is left over on %s", i, c.Name)
			}
			for _, name := range []string{old, fmt.Sprintf("%s-%d", first, i)} {
				if name != s.name && live(t, c.Name, secrets, "fleet-system", "fleet-"+name) != nil {
					t.Fatalf("%d: the inventory of %s is left over on %s", i, name, c.Name)
				}
			}
		}
	}
	if got := live(t, "eu-1", deployments, ns, "web").GetGeneration(); got != generation {
		t.Errorf("the Deployment has generation %d, it had %d", got, generation)
	}
	t.Logf("%d of 12 were killed in the middle", killed)
	if killed < 8 {
		t.Errorf("only %d of 12 were killed before they had ended", killed)
	}
	s.Destroy()
	if left := uids(t, configmaps, ns, "same"); len(left) > 0 {
		t.Errorf("left behind on %v", left)
	}
}

// TestAccManifest_renameUnreachable renames a set while a cluster is away. The cluster keeps the old name until it is back.
func TestAccManifest_renameUnreachable(t *testing.T) {
	for _, policy := range []string{"error", "defer"} {
		t.Run(policy, func(t *testing.T) {
			s := newSetup(t, fleettest.Terraform(t))
			ns := fleettest.Namespace(t)
			p := s.through("us-1")
			s.fleet(fmt.Sprintf("unreachable = %q", policy))
			arguments := fmt.Sprintf("namespace = %q", ns)
			s.set(arguments, configMap("conf", "v"))
			s.Apply()
			before := uids(t, configmaps, ns, "conf")
			p.Refuse()
			old := s.name
			s.name += "-new"
			s.set(arguments, configMap("conf", "v"))
			if policy == "error" {
				contains(t, s.ApplyFails(), "1 of 3 clusters failed", "us-1", "does not answer", "Done on eu-1, eu-2")
			} else {
				s.Apply()
				s.PlanEmpty()
			}
			if live(t, "us-1", secrets, "fleet-system", "fleet-"+old) == nil || live(t, "eu-1", secrets, "fleet-system", "fleet-"+old) != nil {
				t.Error("the set should have the new name on eu-1 and the old one on us-1")
			}
			p.Listen(t)
			contains(t, s.Apply(), fmt.Sprintf("move the set from %s to %s on us-1", old, s.name))
			s.PlanEmpty()
			if diff := cmp.Diff(before, uids(t, configmaps, ns, "conf")); diff != "" {
				t.Errorf("an object was recreated: %s", diff)
			}

			t.Log("it leaves, or everything goes, while it still has an old name")
			p.Refuse()
			s.name = old
			s.set(arguments, configMap("conf", "v"))
			if policy == "error" {
				s.ApplyFails()
				p.Listen(t)
				s.set(arguments+"\nclusters = { for k, c in fleet_cluster.this : k => c if k != \"us-1\" }", configMap("conf", "v"))
				s.Apply()
				s.PlanEmpty()
				left := maps.Clone(before)
				delete(left, "us-1")
				if diff := cmp.Diff(left, uids(t, configmaps, ns, "conf")); diff != "" {
					t.Errorf("the set is elsewhere than it should be: %s", diff)
				}
			} else {
				s.Apply()
				p.Listen(t)
			}
			s.Destroy()
			if left := uids(t, configmaps, ns, "conf"); len(left) > 0 {
				t.Errorf("left behind on %v", left)
			}
			for _, name := range []string{old, old + "-new"} {
				if live(t, "us-1", secrets, "fleet-system", "fleet-"+name) != nil {
					t.Errorf("the inventory of %s is left behind", name)
				}
			}
		})
	}
}
