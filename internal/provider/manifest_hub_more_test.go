package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

func TestAccHub_existing(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	theirs := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"conf"},"data":{"k":"theirs"}}`
	put(t, "us-1", configmaps, ns, theirs)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns)
	for existing, want := range map[string]string{"error": "which adopts none", "if_same": "whether it is the same cannot be seen through the hub"} {
		s.set(arguments+fmt.Sprintf("\nexisting = %q", existing), configMap("conf", "ours"))
		contains(t, s.ApplyFails(), "edge", "ConfigMap "+ns+"/conf", want)
		if got := dig(live(t, "us-1", configmaps, ns, "conf").Object, "data", "k"); got != "theirs" {
			t.Errorf("%s: k is %v", existing, got)
		}
		if works := s.hub.Works(t, s.managed); len(works) != 0 {
			t.Errorf("%s: a work was left", existing)
		}
	}

	t.Log("adopted, it is released at the end")
	s.set(arguments+"\nexisting = \"adopt\"", configMap("conf", "ours"), configMap("own", "x"))
	s.Apply()
	s.PlanEmpty()
	if got := dig(live(t, "us-1", configmaps, ns, "conf").Object, "data", "k"); got != "ours" {
		t.Errorf("k is %v", got)
	}
	for _, c := range s.work(0).Spec.ManifestConfigs {
		if c.UpdateStrategy.ServerSideApply.Force {
			t.Errorf("the agent was left to force %s", c.ResourceIdentifier.Name)
		}
	}

	t.Log("another set's object is not adopted")
	applyAs(t, "us-1", "work-agent-other", fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"taken","namespace":%q,"labels":{%q:"other"}},"data":{"k":"theirs"}}`, ns, fleet.PartOfLabel))
	s.set(arguments+"\nexisting = \"adopt\"", configMap("conf", "ours"), configMap("own", "x"), configMap("taken", "ours"))
	contains(t, s.ApplyFails(), "ConfigMap "+ns+"/taken", "the object belongs to another set", "work-agent-other")
	if got := dig(live(t, "us-1", configmaps, ns, "taken").Object, "data", "k"); got != "theirs" {
		t.Errorf("k is %v", got)
	}
	s.set(arguments+"\nexisting = \"adopt\"", configMap("conf", "ours"), configMap("own", "x"))
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
	kept := live(t, "us-1", configmaps, ns, "conf")
	if kept == nil || live(t, "us-1", configmaps, ns, "own") != nil {
		t.Fatal("what was adopted went, or what was created stayed")
	}
	if got := dig(kept.Object, "data", "k"); got != "ours" || len(kept.GetLabels()) > 0 || len(kept.GetOwnerReferences()) > 0 {
		t.Errorf("what was adopted is %v", kept.Object)
	}
}

func TestAccHub_orphan(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }\nrules = [{ target = { name = \"kept\" }, deletion = \"orphan\" }]", ns), configMap("kept", "1"), configMap("gone", "1"))
	s.Apply()
	if o := s.work(0).Spec.DeleteOption; o == nil || o.PropagationPolicy != workv1.DeletePropagationPolicyTypeSelectivelyOrphan {
		t.Errorf("the work says %+v", o)
	}

	t.Log("another policy for an object that does not change is the agent's as well")
	s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }\nrules = [{ target = { name = \"gone\" }, deletion = \"orphan\" }]", ns), configMap("kept", "1"), configMap("gone", "1"))
	contains(t, s.Plan(), "is told to treat it in another way")
	s.Apply()
	s.PlanEmpty()
	s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }\nconflicts = \"force\"", ns), configMap("kept", "1"), configMap("gone", "1"))
	s.Apply()
	s.PlanEmpty()
	for _, c := range s.work(0).Spec.ManifestConfigs {
		if !c.UpdateStrategy.ServerSideApply.Force {
			t.Errorf("the agent does not force %s", c.ResourceIdentifier.Name)
		}
	}
	if o := s.work(0).Spec.DeleteOption; o != nil {
		t.Errorf("the work says %+v", o)
	}
	s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }\nrules = [{ target = { name = \"kept\" }, deletion = \"orphan\" }]", ns), configMap("kept", "1"), configMap("gone", "1"))
	s.Apply()
	s.PlanEmpty()

	t.Log("what is to stay stays, although its agent cannot apply it any more")
	patch(t, "us-1", configmaps, ns, "kept", `{"data":{"k":"by hand"}}`)
	s.Destroy()
	kept := live(t, "us-1", configmaps, ns, "kept")
	if kept == nil || live(t, "us-1", configmaps, ns, "gone") != nil {
		t.Fatal("deletion was not followed")
	}
	if got := dig(kept.Object, "data", "k"); got != "by hand" || len(kept.GetOwnerReferences()) > 0 {
		t.Errorf("what stays is %v", kept.Object)
	}
}

// TestAccHub_label takes the label off a work by which it is found.
func TestAccHub_label(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns), configMap("a", "1"), deployment("web", 1))
	s.Apply()
	before := uids(t, deployments, ns, "web")["us-1"]
	s.edit(0, func(w *workv1.ManifestWork) { w.Labels = nil })
	contains(t, s.ApplyFails(), "somebody changed its ManifestWork on the hub since the plan")
	s.Apply()
	s.PlanEmpty()
	if after := uids(t, deployments, ns, "web")["us-1"]; after != before {
		t.Error("the deployment was created anew")
	}
	s.Destroy()
}

func TestAccHub_definitions(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns, name := fleettest.Name(t), fleettest.Name(t)
	group := name + ".example.com"
	s.set("wait = { timeout = \"60s\" }",
		fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n", ns),
		fmt.Sprintf("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.%s}\nspec:\n  group: %s\n  scope: Namespaced\n  names: {plural: widgets, singular: widget, kind: Widget}\n"+
			"  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]\n", group, group),
		fmt.Sprintf("apiVersion: %s/v1\nkind: Widget\nmetadata: {name: w, namespace: %s}\nspec: {size: 3}\n", group, ns))
	s.Apply()
	s.PlanEmpty()
	out := s.Destroy()
	contains(t, out, "kept, because whether others have something in it cannot be told from here")
	if live(t, "us-1", namespaces, "", ns) == nil || live(t, "us-1", crds, "", "widgets."+group) == nil {
		t.Error("what others may have something in was deleted")
	}
	remove(t, "us-1", namespaces, "", ns)
	remove(t, "us-1", crds, "", "widgets."+group)
}

// filled is a ConfigMap of so many KiB.
func filled(name string, kib int) string {
	return configMap(name, strings.Repeat("x", kib*1024))
}

func TestAccHub_split(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns)
	s.set(arguments, filled("a", 190), filled("b", 190), filled("c", 190))
	s.Apply()
	s.PlanEmpty()
	if got := len(s.hub.Works(t, s.managed)); got != 2 {
		t.Fatalf("there are %d works", got)
	}
	before := uids(t, configmaps, ns, "b")

	t.Log("it grows beyond its work: one moves, and is there all the time")
	s.set(arguments, filled("a", 300), filled("b", 190), filled("c", 190))
	s.Apply()
	s.PlanEmpty()
	if after := uids(t, configmaps, ns, "b"); after["us-1"] != before["us-1"] {
		t.Error("an object that moved was deleted in between")
	}
	for _, w := range s.hub.Works(t, s.managed) {
		size := 0
		for _, m := range w.Spec.Workload.Manifests {
			size += len(m.Raw)
		}
		if size > 500*1024 {
			t.Errorf("%s has %d bytes", w.Name, size)
		}
	}

	t.Log("what fits nowhere")
	s.set(arguments, filled("a", 300), filled("b", 190), filled("c", 500))
	contains(t, s.ApplyFails(), "edge", "ConfigMap "+ns+"/c", "a hub of Open Cluster Management carries at most 480 KiB")
	s.Destroy()
}

// TestAccHub_inTwoWorks has an object in two works, as a run leaves it that is killed while it moves one: it leaves one of them, and is there all the time.
func TestAccHub_inTwoWorks(t *testing.T) {
	s := newEdgeSetup(t)
	s.only("")
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns)
	s.set(arguments, filled("a", 390), filled("b", 190), configMap("c", "1"))
	s.Apply()
	if got := len(s.hub.Works(t, s.managed)); got != 2 {
		t.Fatalf("there are %d works", got)
	}
	before := uids(t, configmaps, ns, "c")["us-1"]
	holds := func(n int) (at []int) {
		for i, m := range s.work(n).Spec.Workload.Manifests {
			if strings.Contains(string(m.Raw), `"name":"c"`) {
				at = append(at, i)
			}
		}
		return at
	}
	from := 0
	if len(holds(0)) == 0 {
		from = 1
	}
	i, source := holds(from)[0], s.work(from)
	s.edit(1-from, func(w *workv1.ManifestWork) {
		w.Spec.Workload.Manifests = append(w.Spec.Workload.Manifests, source.Spec.Workload.Manifests[i])
		w.Spec.ManifestConfigs = append(w.Spec.ManifestConfigs, source.Spec.ManifestConfigs[i])
	})
	s.set(arguments, filled("a", 390), filled("b", 191), configMap("c", "1"))
	s.Apply()
	s.PlanEmpty()
	if n := len(holds(0)) + len(holds(1)); n != 1 {
		t.Errorf("the object is in %d works", n)
	}
	if after := uids(t, configmaps, ns, "c")["us-1"]; after != before {
		t.Error("the object was deleted in between")
	}
	s.Destroy()
}

func TestAccHub_lostState(t *testing.T) {
	s := newEdgeSetup(t)
	// An import knows of no fleet_cluster.
	s.extra = fmt.Sprintf("  connections = { edge = { ocm = { hub = \"hub\", cluster = %q } } }", s.managed)
	s.only("")
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns)
	s.set(arguments, configMap("a", "1"), configMap("b", "1"))
	s.Apply()
	before := uids(t, configmaps, ns, "a")
	s.Must("state", "rm", "fleet_manifest.set")
	s.set(arguments, configMap("a", "1"))
	contains(t, s.Plan(), "the set is on this cluster already", "ConfigMap "+ns+"/b")
	s.Apply()
	s.PlanEmpty()
	fleettest.Eventually(t, "what is no longer wanted is gone", func() bool { return live(t, "us-1", configmaps, ns, "b") == nil })
	if after := uids(t, configmaps, ns, "a"); after["us-1"] != before["us-1"] {
		t.Error("the object was created anew")
	}

	t.Log("another owner")
	s.Must("state", "rm", "fleet_manifest.set")
	text := read(t, s.Path("provider.tf"))
	s.Write("provider.tf", strings.Replace(text, fmt.Sprintf("owner = %q", s.managed), `owner = "somebody-else"`, 1))
	contains(t, s.PlanFails(), s.managed, "takeover")
	s.Write("provider.tf", text)

	t.Log("an import, and another name")
	s.Must("import", "-no-color", "fleet_manifest.set", s.name+"@edge")
	s.Apply()
	s.PlanEmpty()
	uid := string(s.work(0).UID)
	s.name = fleettest.Name(t)
	s.set(arguments, configMap("a", "2"))
	// As if its agent wrote a status to it at the same moment.
	s.proxy.Inject(fleettest.Fault{Match: func(r fleettest.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.Path, "/manifestworks/")
	}, Times: 1, Status: http.StatusConflict})
	s.Apply()
	s.PlanEmpty()
	works := s.hub.Works(t, s.managed)
	if len(works) != 1 || string(works[0].UID) != uid {
		t.Errorf("the work was not moved: %v", works)
	}
	if got := dig(live(t, "us-1", configmaps, ns, "a").Object, "data", "k"); got != "2" {
		t.Errorf("k is %v", got)
	}
	s.Destroy()
}

func TestAccHub_drain(t *testing.T) {
	s := newEdgeSetup(t)
	ns := fleettest.Namespace(t)
	s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"60s\" }", ns), configMap("a", "1"))
	s.Apply()
	text := read(t, s.Path("fleet.tf"))
	s.Write("fleet.tf", strings.Replace(text, `["edge", "eu-2"]`, `["eu-2"]`, 1))
	s.Apply()
	s.PlanEmpty()
	if live(t, "us-1", configmaps, ns, "a") != nil || len(s.hub.Works(t, s.managed)) != 0 {
		t.Error("the edge was not drained")
	}
	s.Destroy()
}
