package deploy

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// quick is a pulse that tests need not wait for.
var quick = pulse{beat: 20 * time.Millisecond, lapse: 2 * time.Second, watch: 10 * time.Millisecond}

// newRun is a run of its own, as another process would be, on one cluster through a proxy.
func newRun(t *testing.T, set Set, p pulse) (*site, *fleettest.Proxy) {
	t.Helper()
	c := fleettest.Get(t, "eu-1")
	proxy := fleettest.NewProxy(t, c)
	pool := cluster.NewPool(cluster.Config{Kubeconfigs: map[string]string{c.Name: proxy.Kubeconfig(t)}})
	resolved, err := pool.Resolve(c.Name, cluster.Connection{})
	if err != nil {
		t.Fatal(err)
	}
	r := NewRunner(pool, 1, "test", func(_ context.Context, _ slog.Level, text string, fields map[string]any) { t.Log(text, fields) })
	r.pulse = p
	s, err := r.open(t.Context(), set, fleet.Cluster{Name: c.Name, UID: c.UID(t), Access: resolved.Access()}, Applied{})
	if err != nil {
		t.Fatal(err)
	}
	return s, proxy
}

func isBeat(r fleettest.Request) bool {
	return r.Method == http.MethodPatch && strings.Contains(string(r.Body), "heartbeat") && !strings.Contains(string(r.Body), "phase")
}

func beats(p *fleettest.Proxy) int {
	n := 0
	for _, r := range p.Requests() {
		if isBeat(r) {
			n++
		}
	}
	return n
}

// begun begins a run that has to be let begin.
func begun(t *testing.T, s *site) context.Context {
	t.Helper()
	ctx, _, err := s.begin(t.Context(), ClusterState{}, false)
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

func newSet(t *testing.T) Set {
	t.Helper()
	fleettest.Require(t)
	return Set{Name: fleettest.Name(t), Owner: "test", Instance: "one", Inventory: fleettest.Namespace(t)}
}

func TestHold_heartbeat(t *testing.T) {
	s, proxy := newRun(t, newSet(t), quick)
	working := begun(t, s)
	fleettest.Eventually(t, "two heartbeats", func() bool { return beats(proxy) >= 2 })

	t.Log("an API server that fails for a while")
	proxy.Inject(fleettest.Fault{Match: isBeat, Status: http.StatusInternalServerError, Times: 3})
	proxy.Forget()
	fleettest.Eventually(t, "heartbeats again", func() bool { return beats(proxy) >= 5 })

	t.Log("somebody else writes to the parent")
	annotate(t, s, "someone", "was here")
	proxy.Forget()
	fleettest.Eventually(t, "heartbeats again", func() bool { return beats(proxy) >= 3 })
	if working.Err() != nil {
		t.Errorf("the run was stopped: %v", context.Cause(working))
	}

	if found := s.end(t.Context(), inventory.Failed, nil); len(found) > 0 {
		t.Fatal(found)
	}
	proxy.Forget()
	parent, err := s.store.Read(t.Context())
	if err != nil || parent.Phase != inventory.Failed || parent.Run.ID != s.runner.run.ID {
		t.Errorf("got %+v, %v", parent, err)
	}
	time.Sleep(5 * quick.beat)
	if n := beats(proxy); n > 0 {
		t.Errorf("%d heartbeats after the run had ended", n)
	}
}

func annotate(t *testing.T, s *site, name, value string) {
	t.Helper()
	secrets := fleettest.Get(t, s.name).Admin(t).CoreV1().Secrets(s.set.Inventory)
	fleettest.Eventually(t, "the annotation, between two heartbeats", func() bool {
		got, err := secrets.Get(t.Context(), "fleet-"+s.set.Name, metav1.GetOptions{})
		if err != nil {
			return false
		}
		got.Annotations[name] = value
		_, err = secrets.Update(t.Context(), got, metav1.UpdateOptions{})
		return err == nil
	})
}

func TestHold_parentDeleted(t *testing.T) {
	s, _ := newRun(t, newSet(t), quick)
	working := begun(t, s)
	secrets := fleettest.Get(t, s.name).Admin(t).CoreV1().Secrets(s.set.Inventory)
	if err := secrets.Delete(t.Context(), "fleet-"+s.set.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	<-working.Done()
	if !errors.Is(context.Cause(working), errParentGone) {
		t.Errorf("the run was stopped by %v", context.Cause(working))
	}
	if found := s.end(t.Context(), inventory.Applied, nil); len(found) != 1 || !errors.Is(found[0], errParentGone) {
		t.Errorf("the run ended with %v", found)
	}
	if parent, err := s.store.Read(t.Context()); parent != nil || err != nil {
		t.Errorf("the parent was brought back: %+v, %v", parent, err)
	}
}

// TestHold_taken lets one run fall silent until another takes over; then the first must not write any more.
func TestHold_taken(t *testing.T) {
	set := newSet(t)
	silent := quick
	silent.beat = time.Hour
	first, _ := newRun(t, set, silent)
	begun(t, first)
	second, _ := newRun(t, set, quick)
	begun(t, second)
	if found := first.end(t.Context(), inventory.Applied, nil); len(found) != 1 || !errors.Is(found[0], errTaken) {
		t.Errorf("the first run ended with %v", found)
	}
	if found := second.end(t.Context(), inventory.Failed, nil); len(found) > 0 {
		t.Error(found)
	}
	if parent, err := second.store.Read(t.Context()); err != nil || parent == nil || parent.Run.ID != second.runner.run.ID {
		t.Errorf("got %+v, %v", parent, err)
	}
}

func TestHold_refusesWhileAnotherLives(t *testing.T) {
	set := newSet(t)
	first, _ := newRun(t, set, quick)
	begun(t, first)
	second, proxy := newRun(t, set, quick)
	_, _, err := second.begin(t.Context(), ClusterState{}, false)
	var busy *AtWorkError
	if !errors.As(err, &busy) || busy.Run.ID != first.runner.run.ID || busy.Ended {
		t.Errorf("got %v", err)
	}
	if n := proxy.Count(http.MethodPatch, "") + proxy.Count(http.MethodPost, ""); n > 0 {
		t.Errorf("the second run wrote %d times", n)
	}
	if found := first.end(t.Context(), inventory.Failed, nil); len(found) > 0 {
		t.Fatal(found)
	}
	begun(t, second)
	second.end(t.Context(), inventory.Failed, nil)
}

// TestHold_ended takes over at once from a process of this machine that is gone, or not the one it was.
func TestHold_ended(t *testing.T) {
	if (inventory.Run{Place: inventory.ThisRun().Place, PID: os.Getpid()}).Ended() {
		t.Error("this process counts as gone")
	}
	if inventory.ThisRun().Place == "" {
		t.Skip("this system does not tell one process from another")
	}
	ended := exec.CommandContext(t.Context(), "true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	reused := inventory.ThisRun()
	reused.Started = "1"
	gone := inventory.ThisRun()
	gone.PID = ended.Process.Pid
	for what, run := range map[string]inventory.Run{"gone": gone, "another process has its number": reused} {
		t.Run(what, func(t *testing.T) {
			patient := pulse{beat: time.Hour, lapse: time.Hour, watch: time.Hour}
			set := newSet(t)
			first, _ := newRun(t, set, patient)
			first.runner.run = run
			begun(t, first)
			second, _ := newRun(t, set, patient)
			begun(t, second)
			second.end(t.Context(), inventory.Failed, nil)
		})
	}
}
