package provider_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// kills is how many runs are killed, and seed decides where.
const (
	kills = 24
	seed  = 20261122
)

// TestAccManifest_killed kills Terraform and the provider with SIGKILL at random points of creates, updates and destroys, and
// then applies again. Whatever was lost, the fleet has to end up as wanted, with nothing left over and nothing created anew.
func TestAccManifest_killed(t *testing.T) {
	random := rand.New(rand.NewPCG(seed, seed))
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	proxies := map[string]*fleettest.Proxy{}
	for _, c := range fleettest.Clusters(t) {
		proxies[c.Name] = s.through(c.Name)
	}
	s.fleet("")
	content := func(generation int) []string {
		// One object comes and one goes with every generation, and one changes.
		return []string{configMap("stays", fmt.Sprint(generation)), configMap("same", "x"), configMap(fmt.Sprintf("g%d", generation%3), "x"), deployment("web", 1+generation%2)}
	}
	arguments := fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }", ns)
	summary := map[string]int{}
	generation := 0
	for i := range kills {
		what := []string{"create", "update", "destroy"}[i%3]
		switch what {
		case "create":
			if i > 0 {
				s.Destroy()
			}
		case "update":
			generation++
		}
		s.set(arguments, content(generation)...)
		before := uids(t, configmaps, ns, "same")
		point := random.IntN(16)
		killed := s.killAfter(proxies, point, map[string]string{"create": "apply", "update": "apply", "destroy": "destroy"}[what])
		if killed {
			summary[what]++
		}
		survivors := uids(t, configmaps, ns, "same")
		if what == "update" {
			if diff := cmp.Diff(before, survivors); diff != "" {
				t.Fatalf("%d %s, killed after %d writes: an object was recreated or lost: %s", i, what, point, diff)
			}
		}
		s.Apply()
		s.PlanEmpty()
		after := uids(t, configmaps, ns, "same")
		for cluster, uid := range survivors {
			if after[cluster] != uid {
				t.Fatalf("%d %s, killed after %d writes: same on %s was recreated", i, what, point, cluster)
			}
		}
		for _, name := range []string{"stays", "same", fmt.Sprintf("g%d", generation%3)} {
			if got := uids(t, configmaps, ns, name); len(got) != 3 {
				t.Fatalf("%d %s, killed after %d writes: %s is on %v", i, what, point, name, got)
			}
		}
		for other := range 3 {
			if name := fmt.Sprintf("g%d", other); other != generation%3 && len(uids(t, configmaps, ns, name)) > 0 {
				t.Fatalf("%d %s, killed after %d writes: %s is left over", i, what, point, name)
			}
		}
	}
	t.Logf("%d runs, seed %d; killed in the middle of: %v", kills, seed, summary)
	total := 0
	for _, n := range summary {
		total += n
	}
	if total < 20 {
		t.Errorf("only %d runs were killed before they had ended, want at least 20", total)
	}
	s.Destroy()
	if left := uids(t, configmaps, ns, "same"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// killAfter runs a command and kills it, with the provider, once the clusters got that many writes. It tells whether the
// command was still running then.
func (s *setup) killAfter(proxies map[string]*fleettest.Proxy, writes int, command string) bool {
	s.t.Helper()
	for _, p := range proxies {
		p.Forget()
		// Slow enough that the kill falls between two requests.
		p.Inject(fleettest.Fault{Match: func(r fleettest.Request) bool { return r.Method != "GET" && !r.IsDryRun() }, Delay: 40 * time.Millisecond})
	}
	defer func() {
		for _, p := range proxies {
			p.Heal()
		}
	}()
	cmd, _ := s.begin(command, "-auto-approve", "-no-color")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// Killed or not, how it ended is for the next apply to find out.
		if err := cmd.Wait(); err != nil {
			s.t.Logf("%s: %v", command, err)
		}
	}()
	for {
		n := 0
		for _, p := range slices.Collect(maps.Values(proxies)) {
			for _, r := range p.Requests() {
				if r.Method != "GET" && !r.IsDryRun() {
					n++
				}
			}
		}
		if n > writes {
			if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
				s.t.Fatal(err)
			}
			<-ended
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestAccManifest_lostState loses the state of a set and applies again: the same owner carries on, and the plan says so, with
// what it is going to remove.
func TestAccManifest_lostState(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q", ns)
	s.set(arguments, configMap("conf", "v"), configMap("old", "v"))
	s.Apply()
	before := uids(t, configmaps, ns, "conf")
	s.Must("state", "rm", "fleet_manifest.set")
	s.set(arguments, configMap("conf", "v"))
	contains(t, s.Plan(), "eu-1, eu-2, us-1: the set is on this cluster already", "it removes those that it does not have: ConfigMap "+ns+"/old")
	s.Apply()
	s.PlanEmpty()
	if diff := cmp.Diff(before, uids(t, configmaps, ns, "conf")); diff != "" {
		t.Errorf("an object was recreated: %s", diff)
	}
	if left := uids(t, configmaps, ns, "old"); len(left) > 0 {
		t.Errorf("old is left over on %v", left)
	}
	t.Log("another owner is refused")
	s.Must("state", "rm", "fleet_manifest.set")
	s.Write("fleet.tf", strings.Replace(read(t, s.Path("fleet.tf")), "provider \"fleet\" {", "provider \"fleet\" {\n  owner = \"somebody-else\"", 1))
	contains(t, s.PlanFails(), "belongs to owner \"default\", this configuration is \"somebody-else\"")
	s.fleet("")
	s.Apply()
	s.Destroy()
}
