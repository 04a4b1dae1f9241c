package provider_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// TestAccManifest_twoRuns holds up one apply and begins others of the same set. While the first lives they are refused, on its
// cluster only; once it was killed, they carry on from where it was.
func TestAccManifest_twoRuns(t *testing.T) {
	s := newSetup(t, fleettest.Terraform(t))
	ns := fleettest.Namespace(t)
	proxy := s.through("eu-1")
	delete(s.kubeconfigs, "us-1")
	s.fleet("")
	arguments := fmt.Sprintf("namespace = %q\nwait = { until = \"none\" }", ns)
	s.set(arguments, configMap("conf", "v"), deployment("web", 1))
	// The second configuration has a state and a way of its own.
	other := newSetup(t, fleettest.Terraform(t))
	other.name = s.name
	delete(other.kubeconfigs, "us-1")
	other.fleet("")
	other.set(arguments, configMap("conf", "v"), deployment("web", 1))

	proxy.Inject(fleettest.Fault{Match: func(r fleettest.Request) bool { return isWriteOf(r, "/deployments/web") }, Delay: time.Hour})
	first, firstOut := s.begin("apply", "-auto-approve", "-no-color")
	fleettest.Eventually(t, "the first apply is held up", func() bool {
		for _, r := range proxy.Requests() {
			if isWriteOf(r, "/deployments/web") {
				return true
			}
		}
		return false
	})
	conf := uids(t, configmaps, ns, "conf")

	contains(t, other.Plan(), "eu-1: another run (process", "is at work on this set; this plan may be out of date")
	// One after the other: on eu-2 they would be in each other's way.
	contains(t, other.ApplyFails(), "1 of 2 clusters failed", "eu-1: another run (process", "is at work on this set; nothing was written here", "Done on eu-2")
	contains(t, s.ApplyFails("-lock=false"), "eu-1: another run (process", "is at work on this set; nothing was written here")

	if err := syscall.Kill(-first.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err == nil {
		t.Fatalf("the first apply ended by itself:\n%s", firstOut)
	}
	proxy.Heal()
	began := time.Now()
	other.Apply()
	// It has the parent's word for it that the process was of this machine; a watch would take a minute.
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("carrying on took %s", took)
	}
	other.PlanEmpty()
	if diff := cmp.Diff(conf, uids(t, configmaps, ns, "conf")); diff != "" {
		t.Errorf("an object was recreated: %s", diff)
	}
	if got := uids(t, deployments, ns, "web"); len(got) != 2 {
		t.Errorf("web is on %v", got)
	}
	other.Destroy()
}

func isWriteOf(r fleettest.Request, path string) bool {
	return r.Method != "GET" && !r.IsDryRun() && strings.HasSuffix(r.Path, path)
}

// begin starts a command that goes on in the background, in a process group of its own; it does not outlive the test.
func (s *setup) begin(args ...string) (*exec.Cmd, *bytes.Buffer) {
	s.t.Helper()
	var out bytes.Buffer
	cmd := s.Command(args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	return cmd, &out
}
