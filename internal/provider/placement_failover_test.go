package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// standby writes a placement that runs on eu-1, and on us-1 where eu-1 is lost.
func (s *setup) standby(arguments string) {
	s.t.Helper()
	s.Write("placement.tf", `
variable "lost" {
  type    = list(string)
  default = []
}
resource "fleet_placement" "this" {
  clusters           = fleet_cluster.this
  number_of_clusters = 1
  lost               = var.lost
  affinities = [
    { name = "primary", selector = { names = ["eu-1"] } },
    { name = "standby", selector = { match_labels = { region = "us" } } },
  ]
`+arguments+"\n}\n")
}

// TestAccPlacement_failover loses the primary, and gets it back: nothing moves by itself, and what is owed waits.
func TestAccPlacement_failover(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		ns := fleettest.Namespace(t)
		p := s.through("eu-1")
		// Also where sets fail for a cluster that does not answer: they do not for one that they leave.
		s.fleet(`unreachable = "error"`)
		s.standby("")
		s.set(fmt.Sprintf("clusters = fleet_placement.this.selected\nnamespace = %q", ns), deployment("web", 1))
		s.Apply()
		s.PlanEmpty()
		on := func(want ...string) {
			t.Helper()
			got := uids(t, deployments, ns, "web")
			var names []string
			for name := range got {
				names = append(names, name)
			}
			slices.Sort(names)
			if !slices.Equal(names, want) {
				t.Errorf("web is on %v, want %v", names, want)
			}
		}
		on("eu-1")

		t.Log("the simulation says what would move, and moves nothing")
		contains(t, s.Plan("-var", `lost=["eu-1"]`), `"affinity \"standby\" takes over from \"primary\""`, `"eu-1 leaves: named in lost"`, `"us-1 enters"`,
			"create 1 object on us-1", "delete Deployment.apps "+ns+"/web on eu-1")

		t.Log("a primary that does not answer is not lost")
		p.Refuse()
		if out := s.Plan(); strings.Contains(out, "leaves") || strings.Contains(out, "enters") {
			t.Errorf("something moves because eu-1 does not answer:\n%s", out)
		}

		t.Log("somebody says that it is: the standby takes over, and what is owed to the primary waits")
		s.Apply("-var", `lost=["eu-1"]`)
		on("eu-1", "us-1")
		if got := dig(s.manifest(), "status", "eu-1", "phase"); got != "Deferred" {
			t.Errorf("eu-1 is %v", got)
		}
		s.PlanEmpty("-var", `lost=["eu-1"]`)

		t.Log("it returns: the next plan removes what it still runs, and the standby stays in use")
		p.Listen(t)
		contains(t, s.Plan(), "delete Deployment.apps "+ns+"/web on eu-1")
		s.Apply()
		on("us-1")
		s.PlanEmpty()
		if _, rejected := decided(s.Workspace, "fleet_placement.this"); rejected["eu-1"] != `affinity "primary" is not returned to: "standby" is in use, and failback is not asked for` {
			t.Errorf("eu-1 is rejected: %v", rejected["eu-1"])
		}

		t.Log("back to the primary when that is asked for, visible in a plan")
		s.standby("failback = true")
		contains(t, s.Plan(), `"affinity \"primary\" takes over from \"standby\""`, `"us-1 leaves: affinity \"standby\" is in reserve: \"primary\" is in use"`, `"eu-1 enters"`)
		s.Apply()
		on("eu-1")
		s.PlanEmpty()
		s.Destroy()
		on()
	})
}

// TestAccPlacement_automaticFailover asks several times before it moves anything, and says so.
func TestAccPlacement_automaticFailover(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	p := s.through("eu-1")
	s.fleet(`unreachable = "defer"`)
	s.standby(`failover = "automatic"`)
	contains(t, s.PlanFails(), "failover: With automatic failover a cluster that does not answer loses what runs there", "Set the provider's unreachable_after")
	s.Write("fleet.tf", strings.Replace(read(t, s.Path("fleet.tf")), "connect_timeout", "unreachable_after = \"3s\"\n  connect_timeout", 1))
	s.Apply()
	s.PlanEmpty()

	t.Log("a few requests that fail are no lost cluster")
	p.Inject(fleettest.Fault{Cut: true, Times: 2})
	s.PlanEmpty()

	t.Log("silence is")
	p.Refuse()
	contains(t, s.Plan(), "(asked", "times in 3s)", `"eu-1 leaves: the cluster does not answer, and failover is automatic"`, `"us-1 enters"`)
	s.Apply()
	s.PlanEmpty()
	if selected, _ := decided(s.Workspace, "fleet_placement.this"); !slices.Equal(selected, []string{"us-1"}) {
		t.Errorf("selected %v", selected)
	}
}

// TestAccPlacement_offlineFromTheStart registers a cluster that does not answer, and chooses it, in one apply: the plan could
// not know. The next placement does.
func TestAccPlacement_offlineFromTheStart(t *testing.T) {
	fleettest.EachCLI(t, func(t *testing.T, cli string) {
		s := newSetup(t, cli)
		p := s.through("eu-1")
		p.Refuse()
		s.fleet("")
		s.Write("placement.tf", "resource \"fleet_placement\" \"this\" {\n  clusters = fleet_cluster.this\n  number_of_clusters = 1\n}\n")
		contains(t, s.Plan(), `"eu-1 enters"`)
		s.Apply()
		s.PlanEmpty()
		s.Write("later.tf", "resource \"fleet_placement\" \"later\" {\n  clusters = fleet_cluster.this\n  number_of_clusters = 1\n}\n")
		contains(t, s.Plan(), `"eu-2 enters"`, `"eu-1" = "the cluster does not answer, and was not chosen before"`)
		s.Apply()
		s.PlanEmpty()
	})
}
