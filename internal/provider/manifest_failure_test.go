package provider_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// breakage makes one cluster fail at apply, after a plan that could not foresee it.

type breakage struct {
	name   string
	inject func(p *fleettest.Proxy)
	says   string
}

var breakages = []breakage{
	{"cut off", func(p *fleettest.Proxy) {
		p.Inject(fleettest.Fault{Match: writes("deployments"), Times: 1000, Cut: true})
	}, "us-1"},
	{"forbidden", func(p *fleettest.Proxy) {
		p.Inject(fleettest.Fault{Match: writes("deployments"), Times: 1000, Status: 403,
			Body: `{"kind":"Status","apiVersion":"v1","status":"Failure","code":403,"reason":"Forbidden","message":"deployments.apps \"web\" is forbidden: User \"x\" cannot patch resource \"deployments\" in API group \"apps\""}`, ContentType: "application/json"})
	}, `cannot patch resource "deployments"`},
	{"rejecting", func(p *fleettest.Proxy) {
		p.Inject(fleettest.Fault{Match: writes("deployments"), Times: 1000, Status: 422,
			Body: `{"kind":"Status","apiVersion":"v1","status":"Failure","code":422,"reason":"Invalid","message":"denied by ValidatingAdmissionPolicy max-replicas: at most one replica here"}`, ContentType: "application/json"})
	}, "at most one replica here"},
}

func writes(resource string) func(fleettest.Request) bool {
	return func(r fleettest.Request) bool {
		return r.Method == "PATCH" && !r.IsDryRun() && strings.Contains(r.Path, resource)
	}
}

// TestAccManifest_partialCreate is the first apply that fails on one of three clusters. Terraform then replaces the

// resource; nothing that exists may be deleted or created anew by that.

func TestAccManifest_partialCreate(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		for _, lifecycle := range []string{"", "lifecycle { create_before_destroy = true }"} {
			for _, b := range breakages {
				t.Run(strings.TrimSpace(b.name+" "+lifecycle), func(t *testing.T) {
					s := newSetup(t, cli)
					ns := fleettest.Namespace(t)
					p := s.through("us-1")
					s.fleet("")
					s.set(fmt.Sprintf("namespace = %q\n%s", ns, lifecycle), configMap("conf", "v"), deployment("web", 2))
					b.inject(p)
					out := s.ApplyFails()
					contains(t, out, "1 of 3 clusters failed", "us-1 Deployment.apps "+ns+"/web", b.says, "Done on eu-1, eu-2", "Nothing will be deleted by it")
					if got := dig(s.manifest(), "status", "us-1", "phase"); got != "Failed" {
						t.Errorf("us-1 is %v", got)
					}
					before := uids(t, deployments, ns, "web")
					maps := uids(t, configmaps, ns, "conf")
					if len(before) != 2 || len(maps) != 3 {
						t.Fatalf("after the failed apply: %v %v", before, maps)
					}
					p.Heal()
					s.Apply()
					s.PlanEmpty()
					after := uids(t, deployments, ns, "web")
					delete(after, "us-1")
					if diff := cmp.Diff(before, after); diff != "" {
						t.Errorf("an object was recreated: %s", diff)
					}
					if diff := cmp.Diff(maps, uids(t, configmaps, ns, "conf")); diff != "" {
						t.Errorf("an object was recreated: %s", diff)
					}
					s.Destroy()
					if left := uids(t, deployments, ns, "web"); len(left) > 0 {
						t.Errorf("left behind: %v", left)
					}
				})
			}
		}
	})
}

// TestAccManifest_partialUpdate is an update that fails on one cluster: the others are done, and the next apply finishes.

func TestAccManifest_partialUpdate(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q", ns)
	s.set(arguments, deployment("web", 1))
	s.Apply()
	before := uids(t, deployments, ns, "web")
	s.set(arguments, deployment("web", 2))
	breakages[2].inject(p)
	contains(t, s.ApplyFails(), "1 of 3 clusters failed", "us-1 Deployment.apps "+ns+"/web: denied by ValidatingAdmissionPolicy max-replicas")
	if got := s.field("eu-1", "Deployment.apps "+ns+"/web", "spec.replicas"); got != 2.0 {
		t.Errorf("eu-1 has %v in state", got)
	}
	if got := s.field("us-1", "Deployment.apps "+ns+"/web", "spec.replicas"); got != 1.0 {
		t.Errorf("us-1 has %v in state", got)
	}
	p.Heal()
	out := s.Plan()
	contains(t, out, "update Deployment.apps "+ns+"/web on us-1: spec.replicas 1 → 2")
	s.Apply()
	s.PlanEmpty()
	if diff := cmp.Diff(before, uids(t, deployments, ns, "web")); diff != "" {
		t.Errorf("an object was recreated: %s", diff)
	}
}

// TestAccManifest_unreachable walks through what a dead site may and may not do.

// TestAccManifest_interrupted presses Ctrl-C in the middle of an apply that one slow cluster holds up.

func TestAccManifest_interrupted(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	s.fleet("")
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v"), deployment("web", 1))
	p.Inject(fleettest.Fault{Match: writes("deployments"), Times: 1000, Delay: time.Minute})
	cmd := s.Command("apply", "-auto-approve", "-no-color")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fleettest.Eventually(t, "the Deployment is on the other clusters", func() bool { return len(uids(t, deployments, ns, "web")) == 2 })
	fleettest.Eventually(t, "us-1 is being written to", func() bool { return live(t, "us-1", configmaps, ns, "conf") != nil })
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatalf("an interrupted apply reports success:\n%s", out.String())
	}
	contains(t, out.String(), "us-1")
	before := uids(t, deployments, ns, "web")
	delete(before, "us-1")
	p.Heal()
	s.Apply()
	s.PlanEmpty()
	after := uids(t, deployments, ns, "web")
	if len(after) != 3 {
		t.Errorf("web is on %v", after)
	}
	delete(after, "us-1")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("an object was recreated: %s", diff)
	}
	s.Destroy()
}

// TestAccManifest_replacement replaces a healthy set in each way Terraform knows: no object may notice.

func TestAccManifest_replacement(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		for _, lifecycle := range []string{"", "lifecycle { create_before_destroy = true }"} {
			t.Run(strings.TrimSpace("replace "+lifecycle), func(t *testing.T) {
				s := newSetup(t, cli)
				ns := fleettest.Namespace(t)
				s.fleet("")
				s.set(fmt.Sprintf("namespace = %q\n%s", ns, lifecycle), configMap("conf", "v"), configMap("old", "v"))
				s.Apply()
				before := uids(t, configmaps, ns, "conf")
				s.set(fmt.Sprintf("namespace = %q\n%s", ns, lifecycle), configMap("conf", "v"))
				s.Apply("-replace=fleet_manifest.set")
				s.PlanEmpty()
				if diff := cmp.Diff(before, uids(t, configmaps, ns, "conf")); diff != "" {
					t.Errorf("an object was recreated: %s", diff)
				}
				if left := uids(t, configmaps, ns, "old"); len(left) > 0 {
					t.Errorf("what the new instance does not want is still on %v", left)
				}
				s.Must("taint", "fleet_manifest.set")
				s.Apply()
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

// TestAccManifest_deadFromTheStart begins with a site that is offline.

// TestAccManifest_connectionLeaves removes a cluster, its fleet_cluster and its connection in one change.

// TestAccManifest_secretLeaves removes a connection whose secret only the provider's configuration had.

// TestAccManifest_otherCluster has a name lead to another cluster than the one the set was put on.

// TestAccManifest_modes takes a cluster out of service for a while, and for good.

// TestAccManifest_lostBetween loses a cluster between a saved plan and its apply. The others are done, and the error is ours.

// TestAccManifest_foreignContent destroys a set whose namespace somebody else has put something into, and leaves alone a copy

// that somebody made of one of its objects.

func TestAccManifest_foreignContent(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Name(t)
	other := fleettest.Namespace(t)
	s.fleet("")
	s.set(fmt.Sprintf("namespace = %q", ns), fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n", ns), configMap("conf", "v"))
	s.Apply()
	put(t, "us-1", configmaps, ns, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"theirs"},"data":{"k":"v"}}`)
	copied := live(t, "us-1", configmaps, ns, "conf")
	copied.SetNamespace(other)
	copied.SetUID("")
	copied.SetResourceVersion("")
	copied.SetManagedFields(nil)
	text, err := copied.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	put(t, "us-1", configmaps, other, string(text))
	s.PlanEmpty()
	contains(t, s.Destroy(), "us-1 Namespace "+ns+": kept, because others have something in it: configmaps theirs")
	if live(t, "us-1", configmaps, ns, "theirs") == nil || live(t, "us-1", configmaps, other, "conf") == nil {
		t.Error("something that others made was deleted")
	}
	if live(t, "us-1", configmaps, ns, "conf") != nil || len(uids(t, namespaces, "", ns)) != 1 {
		t.Error("the set's own objects are left over")
	}
	remove(t, "us-1", namespaces, "", ns)
}

// TestAccManifest_replacedAndMoved has a failed first apply followed by a change that takes a cluster out of the set.

func TestAccManifest_replacedAndMoved(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	p := s.through("us-1")
	s.fleet("")
	s.set(fmt.Sprintf("namespace = %q", ns), configMap("conf", "v"), deployment("web", 1))
	breakages[2].inject(p)
	s.ApplyFails()
	p.Heal()
	if len(uids(t, configmaps, ns, "conf")) != 3 {
		t.Fatal("the failed apply should have got this far")
	}
	s.set(fmt.Sprintf("namespace = %q\nclusters = { for k, c in fleet_cluster.this : k => c if k != \"us-1\" }", ns), configMap("conf", "v"), deployment("web", 1))
	s.Apply()
	s.PlanEmpty()
	if got := uids(t, configmaps, ns, "conf"); len(got) != 2 || got["us-1"] != "" {
		t.Errorf("conf is on %v", got)
	}
	s.Destroy()
}

// TestAccManifest_forbiddenToRead has one cluster take back the right to read. The others are not held up by it.
