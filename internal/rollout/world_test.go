package rollout_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

// behaviour is what becomes of a cluster that is worked on.
type behaviour struct {
	takes   time.Duration // to be written
	settles time.Duration // from written to healthy
	fails   string        // at the end of writing
	never   bool          // healthy
	flaps   time.Duration // loses and gains its health this often, once healthy
	stuck   string        // why it cannot be rolled back
}

// event changes the fleet from outside.
type event struct {
	at     time.Duration
	about  string
	happen func(*world)
}

// world carries out the machine's steps on pretended clusters, by a pretended clock.
type world struct {
	strategy rollout.Strategy
	progress rollout.Progress
	behave   map[string]behaviour
	events   []event
	now      time.Time
	due      map[string]time.Time // when something next happens to a cluster
	check    func(w *world, step rollout.Step)
	log      strings.Builder
	killed   int // 1 in so many steps kills the process; 0 never does
	random   func(n int) int
}

var epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func newWorld(s rollout.Strategy, p rollout.Progress, behave map[string]behaviour) *world {
	return &world{strategy: s, progress: rollout.Resume(p), behave: behave, now: epoch, due: map[string]time.Time{}}
}

// run goes on until the machine has a verdict.
func (w *world) run(fail func(format string, args ...any)) rollout.Step {
	logged := ""
	for range 10_000 {
		step := rollout.Next(w.strategy, w.progress, w.now)
		if again := rollout.Next(w.strategy, w.progress, w.now); fmt.Sprint(step) != fmt.Sprint(again) {
			fail("two answers to one question:\n%+v\n%+v", step, again)
		}
		if line := describe(step); line != logged {
			fmt.Fprintf(&w.log, "%s  %s\n", w.now.Sub(epoch), line)
			logged = line
		}
		if w.check != nil {
			w.check(w, step)
		}
		w.carryOut(step)
		if step.Verdict != rollout.Running {
			return step
		}
		if w.killed > 0 && w.random(w.killed) == 0 {
			w.kill()
			continue
		}
		if len(step.Start)+len(step.RollBack)+len(step.Expire) == 0 && !w.tick(step) {
			fail("nothing is going to happen, and the rollout is not over:\n%s", w.log.String())
			return step
		}
	}
	fail("the rollout does not end:\n%.3000s", w.log.String())
	return rollout.Step{}
}

func (w *world) carryOut(step rollout.Step) {
	w.each(step.Expire, func(name string, c *rollout.Cluster) {
		c.State, c.Healthy, c.Message = rollout.Failed, false, "not healthy after "+w.strategy.ProgressDeadline.String()
		delete(w.due, name)
	})
	w.each(step.Start, func(name string, c *rollout.Cluster) {
		c.State, c.Started, c.Since = rollout.Applying, w.now, w.now
		c.Revision = w.progress.Revision
		w.due[name] = w.now.Add(w.behave[name].takes)
	})
	w.each(step.RollBack, func(name string, c *rollout.Cluster) {
		c.State = rollout.RollingBack
		w.due[name] = w.now.Add(w.behave[name].takes)
	})
}

func (w *world) each(names []string, do func(string, *rollout.Cluster)) {
	for _, name := range names {
		c := w.progress.Clusters[name]
		do(name, &c)
		w.progress.Clusters[name] = c
	}
}

// tick moves the clock to what happens next, and lets it happen.
func (w *world) tick(step rollout.Step) bool {
	var next time.Time
	consider := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	for _, at := range w.due {
		consider(at)
	}
	for _, e := range w.events {
		consider(epoch.Add(e.at))
	}
	if step.Recheck > 0 {
		consider(w.now.Add(step.Recheck))
	}
	if next.IsZero() {
		return false
	}
	w.now = next
	for len(w.events) > 0 && !epoch.Add(w.events[0].at).After(w.now) {
		fmt.Fprintf(&w.log, "%s  -- %s\n", w.now.Sub(epoch), w.events[0].about)
		w.events[0].happen(w)
		w.events = w.events[1:]
	}
	for _, name := range slices.Sorted(maps.Keys(w.due)) {
		if !w.due[name].After(w.now) {
			delete(w.due, name)
			w.each([]string{name}, w.happen)
		}
	}
	return true
}

// happen lets a cluster go on.
func (w *world) happen(name string, c *rollout.Cluster) {
	b := w.behave[name]
	switch {
	case c.State == rollout.RollingBack && b.stuck != "":
		c.State, c.Message = rollout.Stuck, b.stuck
	case c.State == rollout.RollingBack:
		c.State, c.Revision = rollout.RolledBack, c.Previous
	case c.State == rollout.Applying && b.fails != "":
		c.State, c.Message = rollout.Failed, b.fails
	case c.State == rollout.Applying && b.settles == 0 && !b.never, c.State == rollout.Applied && !c.Healthy:
		c.State, c.Healthy, c.Since = rollout.Applied, true, w.now
		if b.flaps > 0 {
			w.due[name] = w.now.Add(b.flaps)
		}
	case c.State == rollout.Applying:
		c.State = rollout.Applied
		if !b.never {
			w.due[name] = w.now.Add(b.settles)
		}
	case c.State == rollout.Applied:
		c.Healthy, c.Since = false, w.now
		w.due[name] = w.now.Add(b.flaps)
	}
}

// kill ends the process, at once, and begins a new apply.
func (w *world) kill() {
	clear(w.due)
	w.progress = rollout.Resume(w.progress)
}

// describe prints a step for the log.
func describe(step rollout.Step) string {
	var parts []string
	for _, p := range []struct {
		verb  string
		names []string
	}{{"start", step.Start}, {"expire", step.Expire}, {"roll back", step.RollBack}, {"watch", step.Watch}, {"hold", step.Hold}} {
		if len(p.names) > 0 {
			parts = append(parts, p.verb+" "+strings.Join(p.names, " "))
		}
	}
	line := string(step.Verdict)
	if step.Wave != "" {
		line += fmt.Sprintf(" %q", step.Wave)
	}
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, "; ")
	}
	return strings.Join(append([]string{line}, step.Reasons...), "\n    ")
}

func fatal(t *testing.T) func(string, ...any) {
	return func(format string, args ...any) {
		t.Helper()
		t.Fatalf(format, args...)
	}
}
