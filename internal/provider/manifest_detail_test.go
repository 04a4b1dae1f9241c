package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// entries are the keys of a cluster in objects.
func (s *setup) entries(cluster string) []string {
	s.t.Helper()
	of, _ := dig(s.manifest(), "objects", cluster).(map[string]any)
	return slices.Sorted(maps.Keys(of))
}

// TestAccManifest_digest says in digests what fields say: a change, drift of a field that is somebody else's now, what is missing, what is removed, and nothing
// where nothing changes.
func TestAccManifest_digest(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	proxies := s.throughAll()
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q\nsecrets_in_state = true\ndetail = \"digest\"\n", ns)
	secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {password: hunter2hunter2}\n"
	s.set(arguments, deployment("web", 1), configMap("conf", "one"), secret)
	contains(t, s.Apply(), "create 3 objects on eu-1, eu-2, us-1")
	if got := s.entries("eu-1"); !slices.Equal(got, []string{"all objects"}) {
		t.Errorf("objects has %v", got)
	}
	s.PlanEmpty()

	t.Log("a change, with the value before it, though no state has it")
	s.set(arguments, deployment("web", 2), configMap("conf", "one"), secret)
	out := s.Plan()
	contains(t, out, "update Deployment.apps "+ns+"/web on eu-1, eu-2, us-1: spec.replicas 1 → 2")
	s.Apply()
	for _, p := range proxies {
		p.Forget()
	}
	s.PlanEmpty()
	if got := s.entries("eu-1"); len(got) != 2 {
		t.Errorf("after the change, objects has %v", got)
	}
	s.Apply("-refresh-only")
	if got := s.entries("eu-1"); !slices.Equal(got, []string{"all objects"}) {
		t.Errorf("after a refresh, objects has %v", got)
	}

	t.Log("drift, of a field that kubectl owns now")
	fleettest.Get(t, "eu-2").MustKubectl(t, "", "scale", "deployment", "web", "-n", ns, "--replicas=7")
	out = s.Plan()
	contains(t, out, "correct Deployment.apps "+ns+"/web on eu-2: spec.replicas 7 → 2", "Drift on 1 of 3 clusters", "is 7, should be 2 by kubectl")
	s.Apply()
	s.PlanEmpty()
	if r, _ := replicasOn(t, ns, "web"); r["eu-2"] != 2 {
		t.Errorf("replicas are %v", r)
	}

	t.Log("drift of a secret, and what is missing")
	patch(t, "us-1", secrets, ns, "key", `{"data":{"password":"b3RoZXI="}}`)
	remove(t, "eu-1", configmaps, ns, "conf")
	out = s.Plan()
	contains(t, out, "create ConfigMap "+ns+"/conf on eu-1", "correct Secret "+ns+"/key on us-1")
	s.Apply()
	s.PlanEmpty()

	t.Log("removed")
	s.set(arguments, deployment("web", 2), secret)
	contains(t, s.Plan(), "delete ConfigMap "+ns+"/conf on eu-1, eu-2, us-1")
	s.Apply()
	if live(t, "eu-1", configmaps, ns, "conf") != nil {
		t.Error("conf is still there")
	}
	s.PlanEmpty()

	t.Log("to fields and back, without a write")
	for _, p := range proxies {
		p.Forget()
	}
	s.set(strings.Replace(arguments, `"digest"`, `"fields"`, 1), deployment("web", 2), secret)
	s.Apply()
	s.PlanEmpty()
	s.Apply("-refresh-only")
	if got := s.field("eu-1", "Deployment.apps "+ns+"/web", "spec.replicas"); fmt.Sprint(got) != "2" {
		t.Errorf("spec.replicas is %v, objects has %v", got, s.entries("eu-1"))
	}
	s.PlanEmpty()
	s.set(arguments, deployment("web", 2), secret)
	s.Apply()
	if got := s.entries("eu-1"); !slices.Equal(got, []string{"all objects"}) {
		t.Errorf("back in digests, objects has %v", got)
	}
	s.PlanEmpty()
	for name, p := range proxies {
		if got := changing(p); len(got) > 0 {
			t.Errorf("%s was written to: %v", name, got)
		}
	}

	t.Log("no secret stands anywhere")
	text, err := json.Marshal(s.manifest()["objects"])
	if err != nil || strings.Contains(string(text), "hunter2") {
		t.Errorf("objects: %v %s", err, text)
	}
	s.Destroy()
}

// TestAccManifest_digestLost loses a cluster between plan and apply: what the plan announced is said again, and the apply fails for that cluster alone.
func TestAccManifest_digestLost(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q\ndetail = \"digest\"\n", ns)
	s.set(arguments, deployment("web", 1), configMap("conf", "one"))
	s.Apply()
	s.set(arguments, deployment("web", 2), configMap("conf", "one"))
	s.Plan("-out=plan")
	p.Refuse()
	out := s.MustFail("apply", "-no-color", "plan")
	contains(t, out, "Error: 1 of 3 clusters failed", "us-1: ")
	saysNot(t, out, "inconsistent")
	p.Listen(t)
	s.Apply()
	s.PlanEmpty()
	s.Destroy()
}

// TestAccManifest_digestLostState takes a set up again whose state is lost: what is as it should be, what changes and what is missing have the entries after the
// apply that the plan announced.
func TestAccManifest_digestLostState(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q\nsecrets_in_state = true\ndetail = \"digest\"\n", ns)
	secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {password: hunter2hunter2}\n"
	s.set(arguments, deployment("web", 1), configMap("conf", "one"), secret)
	s.Apply()

	for _, lost := range []struct{ what, says string }{
		{"nothing else", ""},
		{"an object is missing and another one differs", "update Deployment.apps " + ns + "/web on eu-1: spec.replicas 7 → 1"},
	} {
		t.Log(lost.what)
		s.Must("state", "rm", "fleet_manifest.set")
		if lost.says != "" {
			remove(t, "eu-1", configmaps, ns, "conf")
			fleettest.Get(t, "eu-1").MustKubectl(t, "", "scale", "deployment", "web", "-n", ns, "--replicas=7")
		}
		contains(t, s.Apply(), lost.says)
		s.PlanEmpty()
		s.Apply("-refresh-only")
		if got := s.entries("eu-1"); !slices.Equal(got, []string{"all objects"}) {
			t.Errorf("objects has %v", got)
		}
	}
	s.Destroy()
}
