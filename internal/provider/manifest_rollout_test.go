package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
	"github.com/fleetform/terraform-provider-fleet/internal/progress"
)

// waves are a rollout with eu-1 as the canary, then eu-2, and us-1 in no wave.
func waves(arguments string) string {
	return fmt.Sprintf(`rollout = {
  waves = [
    { name = "canary", clusters = { names = ["eu-1"] } },
    { name = "eu", clusters = { names = ["eu-2"] } },
  ]
  %s
}
`, arguments)
}

// noNodeOnEU2 are overrides with which no node of eu-2 takes a Deployment.
const noNodeOnEU2 = `overrides = [{ clusters = { names = ["eu-2"] }, target = { kind = "Deployment" }, merge_patch = jsonencode({ spec = { template = { spec = { nodeSelector = { no-node = "x" } } } } }) }]`

// revisions are what the clusters run, by the state.
func (s *setup) revisions() map[string]any {
	s.t.Helper()
	out := map[string]any{}
	status, _ := s.manifest()["status"].(map[string]any)
	for name, v := range status {
		out[name] = dig(v, "revision")
	}
	return out
}

func (s *setup) revision() string {
	s.t.Helper()
	text, _ := s.manifest()["revision"].(string)
	return text
}

// run is what the cluster runs by the state.
func (s *setup) run(want map[string]string) {
	s.t.Helper()
	got := s.revisions()
	for name, revision := range want {
		if got[name] != revision {
			s.t.Errorf("%s runs %v, want %s; all: %v", name, got[name], revision, got)
		}
	}
}

// kept are the revisions whose content a cluster keeps, and what it returns to.
func (s *setup) kept(cluster string) (contents, previous string) {
	s.t.Helper()
	secret := live(s.t, cluster, secrets, "fleet-system", "fleet-"+s.name)
	if secret == nil {
		return "", ""
	}
	list, err := fleettest.Get(s.t, cluster).AdminDynamic(s.t).Resource(secrets).Namespace("fleet-system").List(s.t.Context(), metav1.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	var there []string
	for _, obj := range list.Items {
		if rest, ok := strings.CutPrefix(obj.GetName(), "fleet-"+s.name+"."); ok {
			there = append(there, strings.TrimSuffix(rest, ".0")+"=1")
		}
	}
	slices.Sort(there)
	a := secret.GetAnnotations()
	if stated := a["fleet.fleetform.io/contents"]; stated != strings.Join(there, ",") {
		s.t.Errorf("the inventory on %s says that it keeps %q, and there is %q", cluster, stated, there)
	}
	return a["fleet.fleetform.io/contents"], a["fleet.fleetform.io/previous-revision"]
}

// TestAccManifest_halt has a change that no node takes stop in the canary's wave, and the next one go everywhere.
func TestAccManifest_halt(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"5s\" }\n", ns) + waves("")
	s.fleet("")
	s.set(arguments, deployment("web", 2))
	out := s.Apply()
	first := s.revision()
	contains(t, out, "roll out revision "+first+" on eu-1: wave canary", "roll out revision "+first+" on us-1: wave rest")
	s.PlanEmpty()

	t.Log("halt")
	s.set(arguments, homeless("web"))
	contains(t, s.Plan(), "from "+first)
	out = s.ApplyFails()
	second := s.revision()
	contains(t, out, "Rollout halted in wave \"canary\"", "eu-1 Deployment.apps "+ns+"/web: not ready after 5s", "Unschedulable",
		"Revision "+second[:4]+" (new): eu-1.", "Revision "+first[:4]+" (kept): eu-2, us-1.", "Not started: waves \"eu\", \"rest\"", "eu-1 goes back to "+first[:4])
	s.run(map[string]string{"eu-1": second, "eu-2": first, "us-1": first})

	t.Log("the next apply tries it again, and goes no further")
	contains(t, s.ApplyFails(), "Rollout halted in wave \"canary\"")
	s.run(map[string]string{"eu-1": second, "eu-2": first, "us-1": first})

	t.Log("resume with a mended manifest")
	s.set(arguments, deployment("web", 1))
	s.Apply()
	third := s.revision()
	s.run(map[string]string{"eu-1": third, "eu-2": third, "us-1": third})
	if r, _ := replicasOn(t, ns, "web"); r["eu-1"] != 1 || r["us-1"] != 1 {
		t.Errorf("replicas are %v", r)
	}
	s.PlanEmpty()
	for cluster := range s.kubeconfigs {
		if contents, previous := s.kept(cluster); previous != first || !strings.Contains(contents, third) || strings.Contains(contents, second) {
			t.Errorf("%s keeps %q and returns to %q; want %s and %s, not %s", cluster, contents, previous, third, first, second)
		}
	}

	t.Log("another name takes along what is kept")
	s.name += "-b"
	s.set(arguments, deployment("web", 1))
	s.Apply()
	if contents, previous := s.kept("eu-1"); previous != first || !strings.Contains(contents, third) {
		t.Errorf("after the move, eu-1 keeps %q and returns to %q", contents, previous)
	}
	s.PlanEmpty()
	s.Destroy()
	if contents, _ := s.kept("eu-1"); contents != "" {
		t.Errorf("after the destroy, eu-1 keeps %q", contents)
	}
}

// TestAccManifest_rollback has what a failed wave touched return to what it ran, an object that is new included.
func TestAccManifest_rollback(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"5s\" }\n", ns)
	s.fleet("")

	t.Log("the set has no waves at first")
	s.set(arguments, deployment("web", 1), configMap("old", "1"))
	s.Apply()
	first := s.revision()
	arguments += waves("on_failure = \"rollback\"")

	t.Log("the canary is healthy, the second wave is not")
	broken := noNodeOnEU2 + "\n"
	s.set(arguments+broken, deployment("web", 2), configMap("new", "1"))
	out := s.ApplyFails()
	second := s.revision()
	contains(t, out, "Rollout rolled back in wave \"eu\"", "eu-2 Deployment.apps "+ns+"/web: not ready after 5s", "Revision "+first[:4]+" (restored): eu-1, eu-2.",
		"Revision "+first[:4]+" (kept): us-1.", "the next apply tries it again")
	s.run(map[string]string{"eu-1": first, "eu-2": first, "us-1": first})
	for _, cluster := range []string{"eu-1", "eu-2", "us-1"} {
		if live(t, cluster, configmaps, ns, "old") == nil || live(t, cluster, configmaps, ns, "new") != nil || fmt.Sprint(replicas(t, cluster, ns, "web")) != "1" {
			t.Errorf("%s is not as it was", cluster)
		}
	}
	contains(t, s.Plan(), `revision = "`+first+`" -> "`+second+`"`)

	t.Log("reverted, there is nothing to do but to record it")
	s.set(arguments, deployment("web", 1), configMap("old", "1"))
	s.Apply()
	s.PlanEmpty()

	t.Log("mended, it goes everywhere, and that is what the next one returns to")
	s.set(arguments, deployment("web", 2), configMap("new", "1"))
	s.Apply()
	good := s.revision()
	s.set(arguments, homeless("web"))
	contains(t, s.ApplyFails(), "Rollout rolled back in wave \"canary\"", "Revision "+good[:4]+" (restored): eu-1.")
	s.run(map[string]string{"eu-1": good, "eu-2": good, "us-1": good})
	s.Destroy()
}

// TestAccManifest_promotion moves on twice before it promotes: the clusters behind keep what they run, drift there is judged by that, and a lost state
// changes nothing about it.
func TestAccManifest_promotion(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		ns := fleettest.Namespace(t)
		through := func(wave string) string {
			return fmt.Sprintf("namespace = %q\nwait = { timeout = \"1m\" }\n", ns) + waves(fmt.Sprintf("through = %q", wave))
		}
		s.fleet("")
		s.set(through("rest"), deployment("web", 1), configMap("conf", "one"))
		s.Apply()
		first := s.revision()

		t.Log("through the canary only")
		s.set(through("canary"), deployment("web", 1), configMap("conf", "two"))
		out := s.Apply()
		second := s.revision()
		contains(t, out, "roll out revision "+second+" on eu-1: wave canary, from "+first, "keep revision "+first+" on eu-2: wave eu is behind through")
		s.run(map[string]string{"eu-1": second, "eu-2": first, "us-1": first})
		s.PlanEmpty()
		s.set(through("canary"), deployment("web", 1), configMap("conf", "three"))
		s.Apply()
		third := s.revision()
		s.run(map[string]string{"eu-1": third, "eu-2": first, "us-1": first})
		s.PlanEmpty()

		t.Log("drift behind it is judged by what runs there")
		patch(t, "us-1", configmaps, ns, "conf", `{"data":{"k":"edited"}}`)
		out = s.Plan()
		contains(t, out, "correct ConfigMap "+ns+"/conf on us-1: data.k edited → one", "Drift on 1 of 3 clusters")
		s.Apply()
		s.PlanEmpty()
		if got := value(t, "us-1", configmaps, ns, "conf", "data", "k"); got != "one" {
			t.Errorf("us-1 has %v", got)
		}
		remove(t, "eu-2", configmaps, ns, "conf")
		s.Apply()
		if got := value(t, "eu-2", configmaps, ns, "conf", "data", "k"); got != "one" {
			t.Errorf("eu-2 has %v", got)
		}

		t.Log("with a lost state")
		s.Must("state", "rm", "fleet_manifest.set")
		s.Apply()
		s.run(map[string]string{"eu-1": third, "eu-2": first, "us-1": first})
		for cluster, want := range map[string]string{"eu-1": "three", "eu-2": "one", "us-1": "one"} {
			if got := value(t, cluster, configmaps, ns, "conf", "data", "k"); got != want {
				t.Errorf("%s has %v, want %s", cluster, got, want)
			}
		}
		s.PlanEmpty()

		t.Log("promoted")
		s.set(through("eu"), deployment("web", 1), configMap("conf", "three"))
		out = s.Apply()
		contains(t, out, "roll out revision "+third+" on eu-2: wave eu, from "+first)
		s.run(map[string]string{"eu-1": third, "eu-2": third, "us-1": first})
		s.set(through("rest"), deployment("web", 1), configMap("conf", "three"))
		s.Apply()
		s.run(map[string]string{"eu-1": third, "eu-2": third, "us-1": third})
		s.PlanEmpty()
		s.Destroy()
	})
}

// TestAccManifest_newBehindThrough has a cluster join behind the wave that is promoted: it gets what its wave runs, and nothing where that is nothing.
func TestAccManifest_newBehindThrough(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	arguments := func(clusters string) string {
		return fmt.Sprintf("clusters = { for k, c in fleet_cluster.this : k => c if contains(%s, k) }\nnamespace = %q\nwait = { timeout = \"1m\" }\n", clusters, ns) + waves(`through = "canary"`)
	}
	s.fleet("")

	t.Log("nothing runs behind it")
	s.set(arguments(`["eu-1", "eu-2"]`), configMap("conf", "one"))
	out := s.Apply()
	first := s.revision()
	contains(t, out, "hold back on eu-2: wave eu is behind through, and runs nothing yet")
	if got := dig(s.manifest(), "status", "eu-2", "phase"); got != "Held" || live(t, "eu-2", configmaps, ns, "conf") != nil {
		t.Errorf("eu-2 is %v", got)
	}
	if ready := s.manifest()["ready"]; ready != true {
		t.Errorf("ready is %v", ready)
	}
	s.PlanEmpty()

	t.Log("the wave of the new cluster runs what was promoted before")
	s.set(strings.Replace(arguments(`["eu-1", "eu-2"]`), `"canary"`, `"rest"`, 1), configMap("conf", "one"))
	s.set(strings.Replace(arguments(`["eu-1", "eu-2"]`), `through = "canary"`, `through = "rest"`, 1), configMap("conf", "one"))
	s.Apply()
	s.set(arguments(`["eu-1", "eu-2"]`), configMap("conf", "two"))
	s.Apply()
	second := s.revision()
	s.set(arguments(`["eu-1", "eu-2", "us-1"]`), configMap("conf", "two"))
	s.Apply()
	s.run(map[string]string{"eu-1": second, "eu-2": first, "us-1": first})
	if got := value(t, "us-1", configmaps, ns, "conf", "data", "k"); got != "one" {
		t.Errorf("us-1 has %v", got)
	}
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_rolloutUnreachable has a wave whose only cluster does not answer be passed over, and caught up later.
func TestAccManifest_rolloutUnreachable(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("eu-1")
	arguments := fmt.Sprintf("namespace = %q\nunreachable = \"defer\"\nwait = { timeout = \"1m\" }\n", ns) + waves("")
	s.fleet("")
	s.set(arguments, configMap("conf", "one"))
	s.Apply()
	first := s.revision()
	p.Refuse()
	s.set(arguments, configMap("conf", "two"))
	out := s.Apply()
	second := s.revision()
	contains(t, out, "Wave \"canary\" is passed over, and so tests nothing: its 1 cluster (eu-1) cannot be reached")
	s.run(map[string]string{"eu-1": first, "eu-2": second, "us-1": second})
	if got := dig(s.manifest(), "status", "eu-1", "phase"); got != "Deferred" {
		t.Errorf("eu-1 is %v", got)
	}
	p.Listen(t)
	contains(t, s.Apply(), "roll out revision "+second+" on eu-1: wave canary, from "+first)
	s.run(map[string]string{"eu-1": second})
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_rolloutInterrupted presses Ctrl-C in the middle of a wave; the next apply goes on from there.
func TestAccManifest_rolloutInterrupted(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"5m\" }\n", ns) + waves("")
	s.fleet("")
	s.set(arguments, deployment("web", 1))
	s.Apply()
	first := s.revision()
	s.set(arguments+noNodeOnEU2, deployment("web", 2))
	cmd, out := s.begin("apply", "-auto-approve", "-no-color")
	fleettest.Eventually(t, "the second wave is at work", func() bool {
		return fmt.Sprint(replicas(t, "eu-2", ns, "web")) == "2"
	})
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatalf("an interrupted apply reports success:\n%s", out)
	}
	contains(t, out.String(), "Rollout interrupted in wave \"eu\"", "Not started: wave \"rest\"", "The next apply goes on where this one stopped")
	second := s.revision()
	s.run(map[string]string{"eu-1": second, "eu-2": second, "us-1": first})
	s.set(arguments, deployment("web", 2))
	s.Apply()
	s.run(map[string]string{"us-1": s.revision()})
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_moveKeepsTheOld has a placement move to a cluster that cannot take the set: the old home keeps it.
func TestAccManifest_moveKeepsTheOld(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	arguments := func(cluster string) string {
		return fmt.Sprintf("clusters = { for k, c in fleet_cluster.this : k => c if k == %q }\nnamespace = %q\nwait = { timeout = \"5s\" }\n", cluster, ns)
	}
	s.fleet("")
	s.set(arguments("eu-1"), deployment("web", 1))
	s.Apply()
	fleettest.Get(t, "us-1").MustKubectl(t, "", "create", "quota", "none", "-n", ns, "--hard=pods=0")
	s.set(arguments("us-1"), deployment("web", 1))
	for range 2 {
		contains(t, s.ApplyFails(), "us-1 Deployment.apps "+ns+"/web: not ready after 5s", "eu-1: the set stays here for now, because a cluster that is new to it failed")
	}
	if live(t, "eu-1", deployments, ns, "web") == nil {
		t.Error("the old home has lost it")
	}
	fleettest.Get(t, "us-1").MustKubectl(t, "", "delete", "quota", "none", "-n", ns)
	fleettest.Get(t, "us-1").MustKubectl(t, "", "rollout", "restart", "deployment", "web", "-n", ns)
	s.Apply()
	if live(t, "eu-1", deployments, ns, "web") != nil {
		t.Error("the old home still has it")
	}
	s.PlanEmpty()
	s.Destroy()
}

// database is an object whose controller is the test.
func database(group string, size int) string {
	return fmt.Sprintf("apiVersion: %s/v1\nkind: Database\nmetadata: {name: main}\nspec: {size: %d}\n", group, size)
}

// TestAccManifest_soak has the canary lose its health while it soaks, in one rollout for a moment and in the next one for good.
func TestAccManifest_soak(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	group := strings.ReplaceAll(ns, "-", "") + ".example.org"
	resource := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "databases"}
	set := func(size int, deadline string) {
		s.set(fmt.Sprintf(`namespace = %q
clusters = { for k, c in fleet_cluster.this : k => c if k != "us-1" }
wait = {
  timeout       = "1m"
  health_checks = [{ group = %q, kind = "Database", current = "object.status.phase == 'Ready'" }]
}
rollout = {
  waves             = [{ name = "canary", clusters = { names = ["eu-1"] }, soak = "3s" }]
  progress_deadline = %q
}
`, ns, group, deadline), databases(group), database(group, size))
	}
	// ready makes the database of a size ready on a cluster, or not.
	ready := func(cluster string, size int, phase string) {
		t.Helper()
		fleettest.Eventually(t, "the database on "+cluster+" has its size", func() bool {
			obj, err := fleettest.Get(t, cluster).AdminDynamic(t).Resource(resource).Namespace(ns).Get(t.Context(), "main", metav1.GetOptions{})
			return err == nil && fmt.Sprint(dig(obj.Object, "spec", "size")) == fmt.Sprint(size)
		})
		patch(t, cluster, resource, ns, "main", fmt.Sprintf(`{"status":{"phase":%q}}`, phase), "status")
	}
	s.fleet("")
	set(1, "1m")
	end := s.applying()
	ready("eu-1", 1, "Ready")
	ready("eu-2", 1, "Ready")
	if ok, out := end(); !ok {
		t.Fatalf("the first apply failed:\n%s", out)
	}
	first := s.revision()

	t.Log("for a moment: it soaks anew, and goes on")
	set(2, "1m")
	end = s.applying()
	ready("eu-1", 2, "Ready")
	ready("eu-1", 2, "Starting")
	ready("eu-1", 2, "Ready")
	ready("eu-2", 2, "Ready")
	if ok, out := end(); !ok {
		t.Fatalf("the second apply failed:\n%s", out)
	}
	second := s.revision()
	s.run(map[string]string{"eu-1": second, "eu-2": second})

	t.Log("for good: the rollout halts at the deadline")
	set(3, "2s")
	end = s.applying()
	ready("eu-1", 3, "Ready")
	fleettest.Eventually(t, "the canary is applied", func() bool {
		return live(t, "eu-1", secrets, "fleet-system", "fleet-"+s.name).GetAnnotations()["fleet.fleetform.io/phase"] == "applied"
	})
	ready("eu-1", 3, "Broken")
	ok, out := end()
	if ok {
		t.Fatalf("the third apply succeeded:\n%s", out)
	}
	contains(t, out, "Rollout halted in wave \"canary\"", "eu-1 it lost its health while its wave soaked: Database."+group+" "+ns+"/main")
	s.run(map[string]string{"eu-1": s.revision(), "eu-2": second})
	if first == second {
		t.Error("two sizes have one revision")
	}
	ready("eu-1", 3, "Ready")
	set(2, "1m")
	end = s.applying()
	ready("eu-1", 2, "Ready")
	if ok, out := end(); !ok {
		t.Fatalf("the revert failed:\n%s", out)
	}
	s.Destroy()
}

// TestAccManifest_concurrency goes by what the provider tells of its progress: one cluster at a time, and those that leave last.
func TestAccManifest_concurrency(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	s.Write("fleet.tf", strings.Replace(read(t, s.Path("fleet.tf")), "provider \"fleet\" {\n", "provider \"fleet\" {\n  progress = \"progress.json\"\n", 1))
	set := func(clusters, value string) {
		s.set(fmt.Sprintf("clusters = { for k, c in fleet_cluster.this : k => c if contains(%s, k) }\nnamespace = %q\nrollout = { max_concurrency = \"1\" }\n", clusters, ns), configMap("conf", value))
	}
	set(`["eu-1", "us-1"]`, "one")
	s.Apply()
	set(`["eu-1", "eu-2"]`, "two")
	s.Apply()
	var busy, order []string
	for line := range strings.Lines(read(t, s.Path("progress.json"))) {
		var e progress.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Kind == progress.Begin {
			busy, order = nil, nil
		}
		if e.Kind != progress.Step {
			continue
		}
		busy = slices.DeleteFunc(busy, func(name string) bool { return name == e.Cluster })
		if e.Phase.Active() {
			if busy = append(busy, e.Cluster); len(busy) > 1 {
				t.Errorf("at work on %v at once", busy)
			}
			if !slices.Contains(order, e.Cluster) {
				order = append(order, e.Cluster)
			}
		}
	}
	if want := []string{"eu-1", "eu-2", "us-1"}; !slices.Equal(order, want) {
		t.Errorf("worked on %v, want %v", order, want)
	}
	if live(t, "us-1", configmaps, ns, "conf") != nil {
		t.Error("us-1 has left the set, and still has it")
	}
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_continue has a failure in the first wave stop nothing, and the apply fail in the end.
func TestAccManifest_continue(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	fleettest.Get(t, "eu-1").MustKubectl(t, "", "create", "quota", "none", "-n", ns, "--hard=pods=0")
	s.set(fmt.Sprintf("namespace = %q\nwait = { timeout = \"3s\" }\n", ns)+waves("on_failure = \"continue\""), deployment("web", 1))
	contains(t, s.ApplyFails(), "Error: 1 of 3 clusters failed", "eu-1 Deployment.apps "+ns+"/web: not ready after 3s", "Done on eu-2, us-1.")
	fleettest.Get(t, "eu-1").MustKubectl(t, "", "delete", "quota", "none", "-n", ns)
	s.Destroy()
}

// TestAccManifest_haltedCreate has a first apply halt. Its replacement deletes nothing, and carries on.
func TestAccManifest_haltedCreate(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		ns := fleettest.Namespace(t)
		arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"3s\" }\n", ns) + waves("max_failures = \"0\"")
		s.fleet("")
		s.set(arguments, homeless("web"), configMap("conf", "one"))
		contains(t, s.ApplyFails(), "Rollout halted in wave \"canary\"", "Nothing yet: eu-2, us-1.", "the next plan as a replacement")
		before := uids(t, configmaps, ns, "conf")
		s.set(arguments, deployment("web", 1), configMap("conf", "one"))
		s.Apply()
		if after := uids(t, configmaps, ns, "conf"); after["eu-1"] != before["eu-1"] || len(after) != 3 {
			t.Errorf("conf was %v and is %v", before, after)
		}
		s.PlanEmpty()
		s.Destroy()
	})
}

// TestAccManifest_killedInWaves kills promotions at random points and applies again: whatever was lost, the canary runs the new revision, and the
// others what was promoted last.
func TestAccManifest_killedInWaves(t *testing.T) {
	random := rand.New(rand.NewPCG(seed, 6))
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	proxies := s.throughAll()
	s.fleet("")
	set := func(through string, generation int) {
		s.set(fmt.Sprintf("namespace = %q\n", ns)+waves(fmt.Sprintf("through = %q", through)), configMap("conf", fmt.Sprint(generation)), configMap(fmt.Sprintf("g%d", generation%2), "x"))
	}
	check := func(what string, want map[string]int) {
		t.Helper()
		for cluster, generation := range want {
			has, gone := fmt.Sprintf("g%d", generation%2), fmt.Sprintf("g%d", 1-generation%2)
			if got := value(t, cluster, configmaps, ns, "conf", "data", "k"); got != fmt.Sprint(generation) || live(t, cluster, configmaps, ns, has) == nil || live(t, cluster, configmaps, ns, gone) != nil {
				t.Errorf("%s: %s has %v, want generation %d", what, cluster, got, generation)
			}
		}
	}
	set("rest", 0)
	s.Apply()
	promoted, killed := 0, 0
	for generation := 1; generation <= 6; generation++ {
		for _, through := range []string{"canary", "rest"} {
			set(through, generation)
			point := random.IntN(14)
			if s.killAfter(proxies, point, "apply") {
				killed++
			}
			what := fmt.Sprintf("generation %d through %s, killed after %d writes", generation, through, point)
			if through == "canary" && generation%3 == 0 {
				s.Must("state", "rm", "fleet_manifest.set")
				what += ", and the state lost"
			}
			s.Apply()
			s.PlanEmpty()
			if through == "rest" {
				promoted = generation
			}
			check(what, map[string]int{"eu-1": generation, "eu-2": promoted, "us-1": promoted})
		}
	}
	if killed < 8 {
		t.Errorf("only %d runs were killed before they had ended, want at least 8", killed)
	}
	s.Destroy()
}

// TestAccManifest_leavesBesideAFailure has one cluster leave the set while another, which was there before, fails: nothing is to replace the first.
func TestAccManifest_leavesBesideAFailure(t *testing.T) {
	for _, rolling := range []string{"", waves("on_failure = \"continue\"")} {
		s := newSetup(t, fleettest.Terraform(t))
		ns := fleettest.Namespace(t)
		arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"5s\" }\n", ns) + rolling
		s.fleet("")
		s.set(arguments, deployment("web", 1))
		s.Apply()
		s.set(arguments+`clusters = { for k, c in fleet_cluster.this : k => c if k != "us-1" }
`+noNodeOnEU2, deployment("web", 1))
		contains(t, s.ApplyFails(), "eu-2 Deployment.apps "+ns+"/web: not ready after 5s")
		if live(t, "us-1", deployments, ns, "web") != nil {
			t.Error("us-1 still has it")
		}
		s.Destroy()
	}
}

// TestAccManifest_rolloutRemoved takes the waves away and brings them back.
func TestAccManifest_rolloutRemoved(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	arguments := fmt.Sprintf("namespace = %q\nwait = { timeout = \"5s\" }\n", ns)
	s.fleet("")
	for _, text := range []string{"one", "two"} {
		s.set(arguments+waves(""), configMap("conf", text))
		s.Apply()
	}

	t.Log("without, clusters run what the set says, and nothing says so of each")
	s.set(arguments, configMap("conf", "three"))
	s.Apply()
	s.PlanEmpty()
	third := s.revision()
	if got := s.revisions()["eu-1"]; got != nil {
		t.Errorf("eu-1 runs %v", got)
	}

	t.Log("a rollout returns to that")
	s.set(arguments+waves("on_failure = \"rollback\""), homeless("web"))
	contains(t, s.Plan(), "on eu-1: wave canary, from "+third)
	contains(t, s.ApplyFails(), "Revision "+third[:4]+" (restored): eu-1.")
	if got := value(t, "eu-1", configmaps, ns, "conf", "data", "k"); got != "three" {
		t.Errorf("eu-1 has %v", got)
	}
	s.Destroy()
}

// TestAccManifest_keptBesideHeld has a cluster stay in the set because the one that is to replace it failed, while drift behind the promoted wave is put right.
func TestAccManifest_keptBesideHeld(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	set := func(clusters, through string) {
		s.set(fmt.Sprintf("clusters = { for k, c in fleet_cluster.this : k => c if contains(%s, k) }\nnamespace = %q\nwait = { timeout = \"5s\" }\n", clusters, ns)+
			waves(fmt.Sprintf("on_failure = \"continue\"\n  through = %q", through)), deployment("web", 1))
	}
	s.fleet("")
	set(`["eu-2", "us-1"]`, "rest")
	s.Apply()
	fleettest.Get(t, "eu-1").MustKubectl(t, "", "create", "quota", "none", "-n", ns, "--hard=pods=0")
	fleettest.Get(t, "eu-2").MustKubectl(t, "", "scale", "deployment", "web", "-n", ns, "--replicas=3")
	set(`["eu-1", "eu-2"]`, "canary")
	contains(t, s.ApplyFails(), "eu-1 Deployment.apps "+ns+"/web: not ready after 5s", "us-1: the set stays here for now")
	if got := fmt.Sprint(replicas(t, "eu-2", ns, "web")); got != "1" || live(t, "us-1", deployments, ns, "web") == nil {
		t.Errorf("eu-2 has %s replicas, us-1 %v", got, live(t, "us-1", deployments, ns, "web"))
	}
	if dig(s.manifest(), "status", "us-1") == nil {
		t.Error("the state has forgotten us-1")
	}
	fleettest.Get(t, "eu-1").MustKubectl(t, "", "delete", "quota", "none", "-n", ns)
	fleettest.Get(t, "eu-1").MustKubectl(t, "", "rollout", "restart", "deployment", "web", "-n", ns)
	s.Apply()
	if live(t, "us-1", deployments, ns, "web") != nil {
		t.Error("us-1 still has it")
	}
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_largeRevision has a revision whose content takes more than one Secret be told from drift behind the promoted wave.
func TestAccManifest_largeRevision(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	random := rand.New(rand.NewPCG(seed, 7))
	noise := func() string {
		b := make([]byte, 450<<10)
		for i := range b {
			b[i] = byte(random.IntN(256))
		}
		return base64.StdEncoding.EncodeToString(b)
	}
	large := []string{configMap("large-a", noise()), configMap("large-b", noise())}
	set := func(through, text string) {
		s.set(fmt.Sprintf("namespace = %q\n", ns)+waves(fmt.Sprintf("through = %q", through)), append(large, configMap("conf", text))...)
	}
	s.fleet("")
	set("rest", "one")
	s.Apply()
	first := s.revision()
	set("canary", "two")
	s.Apply()
	if contents := live(t, "us-1", secrets, "fleet-system", "fleet-"+s.name).GetAnnotations()["fleet.fleetform.io/contents"]; contents != first+"=2" {
		t.Errorf("us-1 keeps %q, want %s in two parts", contents, first)
	}
	patch(t, "us-1", configmaps, ns, "conf", `{"data":{"k":"edited"}}`)
	contains(t, s.Apply(), "correct ConfigMap "+ns+"/conf on us-1: data.k edited → one")
	s.PlanEmpty()
	s.Destroy()
}
