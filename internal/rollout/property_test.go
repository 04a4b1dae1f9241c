package rollout_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

const target = "new"

var (
	counts    = rapid.SampledFrom([]string{"0", "1", "2", "100", "0%", "10%", "34%", "50%", "100%"})
	positive  = rapid.SampledFrom([]string{"1", "2", "100", "10%", "34%", "50%", "100%"})
	durations = rapid.SampledFrom([]time.Duration{0, time.Second, 7 * time.Second, time.Minute, 20 * time.Minute})
)

func drawCount(t *rapid.T, from *rapid.Generator[string], label string) rollout.Count {
	c, err := rollout.ParseCount(from.Draw(t, label))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// drawWorld draws a fleet of up to eight clusters, a strategy for it, and what becomes of each.
func drawWorld(t *rapid.T) *world {
	names := make([]string, rapid.IntRange(0, 8).Draw(t, "clusters"))
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	s := rollout.Strategy{
		MaxFailures:      drawCount(t, counts, "max_failures"),
		ProgressDeadline: 5 * time.Minute,
		OnFailure:        rapid.SampledFrom([]rollout.OnFailure{"", rollout.Halt, rollout.Rollback, rollout.Continue}).Draw(t, "on_failure"),
	}
	if rapid.Bool().Draw(t, "limited") {
		s.MaxConcurrency = drawCount(t, positive, "max_concurrency")
	}
	through := []string{""}
	for i := range rapid.IntRange(0, 3).Draw(t, "waves") {
		w := rollout.Wave{Name: fmt.Sprintf("w%d", i), Soak: durations.Draw(t, "soak")}
		for _, name := range slices.Concat(names, []string{"nobody"}) {
			if rapid.Bool().Draw(t, w.Name+" has "+name) {
				w.Clusters = append(w.Clusters, name)
			}
		}
		if rapid.Bool().Draw(t, "own") {
			w.MaxConcurrency = drawCount(t, positive, "wave max_concurrency")
		}
		through = append(through, w.Name)
		s.Waves = append(s.Waves, w)
	}
	s.Through = rapid.SampledFrom(through).Draw(t, "through")
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	p := rollout.Progress{Revision: target, Clusters: map[string]rollout.Cluster{}}
	behave := map[string]behaviour{}
	for _, name := range names {
		p.Clusters[name] = rapid.Custom(drawCluster).Draw(t, name)
		behave[name] = behaviour{
			takes: durations.Draw(t, "takes"), settles: durations.Draw(t, "settles"),
			fails: rapid.SampledFrom([]string{"", "", "", "denied"}).Draw(t, "fails"),
			never: rapid.IntRange(0, 5).Draw(t, "never") == 5,
			stuck: rapid.SampledFrom([]string{"", "", "", "refused"}).Draw(t, "stuck"),
		}
	}
	return newWorld(s, p, behave)
}

func drawCluster(t *rapid.T) rollout.Cluster {
	runs := rapid.SampledFrom([]string{"old", "older", "", target}).Draw(t, "runs")
	c := rollout.Cluster{State: rollout.Waiting, Revision: runs, Previous: runs}
	switch {
	case rapid.IntRange(0, 4).Draw(t, "deferred") == 4:
		c.State = rollout.Deferred
	case runs == target:
		c.State, c.Healthy = rollout.Applied, true
	}
	return c
}

// waveOf is the index of the cluster's wave; that of the clusters in none is one past the last.
func waveOf(s rollout.Strategy, name string) int {
	if i := slices.IndexFunc(s.Waves, func(w rollout.Wave) bool { return slices.Contains(w.Clusters, name) }); i >= 0 {
		return i
	}
	return len(s.Waves)
}

func membersOf(w *world, wave int) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(w.progress.Clusters)), func(name string) bool {
		c := w.progress.Clusters[name]
		return c.Leaving || c.State == rollout.Deferred || waveOf(w.strategy, name) != wave
	})
}

// slots computes anew how many clusters of a wave may be in flight.
func slots(w *world, wave int) int {
	c := w.strategy.MaxConcurrency
	if wave < len(w.strategy.Waves) && w.strategy.Waves[wave].MaxConcurrency != (rollout.Count{}) {
		c = w.strategy.Waves[wave].MaxConcurrency
	}
	total := len(membersOf(w, wave))
	n := min(c.Value, total)
	if c == (rollout.Count{}) {
		n = total
	} else if c.Percent {
		n = total * c.Value / 100
	}
	return max(n, 1)
}

// checkStep holds a step against what is promised, worked out from the progress and not by the machine.
func checkStep(t *rapid.T, w *world, step rollout.Step) {
	isFailed := func(name string) bool {
		return w.progress.Clusters[name].State == rollout.Failed || slices.Contains(step.Expire, name)
	}
	for wave := range len(w.strategy.Waves) + 1 {
		inFlight, begins := 0, 0
		for _, name := range membersOf(w, wave) {
			c := w.progress.Clusters[name]
			begin := slices.Contains(step.Start, name) || slices.Contains(step.RollBack, name)
			busy := c.State == rollout.Applying || c.State == rollout.RollingBack || c.State == rollout.Applied && !c.Healthy && c.Revision == target
			// Where a wave failed nobody waits any more for health on a cluster that has nothing to return to.
			busy = busy && !isFailed(name) && (slices.Contains(step.Watch, name) || begin)
			if begin || busy {
				inFlight++
			}
			if begin {
				begins++
			}
		}
		if begins > 0 && inFlight > slots(w, wave) {
			t.Fatalf("wave %d: %d in flight, at most %d may be: %+v", wave, inFlight, slots(w, wave), step)
		}
	}
	failures, total, through := 0, 0, len(w.strategy.Waves)
	for i, v := range w.strategy.Waves {
		if v.Name == w.strategy.Through {
			through = i
		}
	}
	for wave := range through + 1 {
		for _, name := range membersOf(w, wave) {
			total++
			if isFailed(name) {
				failures++
			}
		}
	}
	limit := min(w.strategy.MaxFailures.Value, total)
	if w.strategy.MaxFailures.Percent {
		limit = total * w.strategy.MaxFailures.Value / 100
	}
	for _, name := range step.Start {
		mine := waveOf(w.strategy, name)
		if mine > through {
			t.Fatalf("%s starts behind %q", name, w.strategy.Through)
		}
		if w.strategy.OnFailure != rollout.Continue && failures > limit {
			t.Fatalf("%s starts after %d failures of %d tolerated", name, failures, limit)
		}
		for wave := range mine {
			members := membersOf(w, wave)
			healthy := 0
			for _, other := range members {
				c := w.progress.Clusters[other]
				if c.State == rollout.Applied && c.Healthy && c.Revision == target {
					healthy++
				} else if !isFailed(other) {
					t.Fatalf("%s of wave %d starts while %s of wave %d is %s", name, mine, other, wave, c.State)
				}
				if wave < len(w.strategy.Waves) && c.Healthy && w.now.Sub(c.Since) < w.strategy.Waves[wave].Soak && !isFailed(other) {
					t.Fatalf("%s of wave %d starts while %s of wave %d still soaks", name, mine, other, wave)
				}
			}
			if w.strategy.OnFailure != rollout.Continue && len(members) > 0 && healthy == 0 {
				t.Fatalf("%s of wave %d starts, and nobody in wave %d is healthy", name, mine, wave)
			}
		}
	}
	for _, name := range slices.Concat(step.Start, step.RollBack, step.Watch, step.Hold, step.Expire) {
		if w.progress.Clusters[name].State == rollout.Deferred {
			t.Fatalf("%s is deferred, and has a part in %+v", name, step)
		}
	}
}

// TestEveryStepKeepsThePromises also holds that each rollout ends, or run fails.
func TestEveryStepKeepsThePromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for name, b := range w.behave {
			if rapid.IntRange(0, 5).Draw(t, "flaps") == 5 {
				b.flaps = durations.Draw(t, "flap") + time.Second
			}
			w.behave[name] = b
		}
		w.check = func(w *world, step rollout.Step) { checkStep(t, w, step) }
		w.events = drawEvents(t, w)
		if rapid.Bool().Draw(t, "killed") {
			w.killed, w.random = 4, func(n int) int {
				if w.now.Sub(epoch) > 2*time.Hour {
					return 1 // at some time it has to be allowed to come to an end
				}
				return rapid.IntRange(0, n-1).Draw(t, "kill")
			}
		}
		step := w.run(func(format string, args ...any) { t.Fatalf(format, args...) })
		for _, name := range slices.Sorted(maps.Keys(w.progress.Clusters)) {
			c := w.progress.Clusters[name]
			if c.State == rollout.Applying || c.State == rollout.RollingBack {
				t.Fatalf("%s is still %s at the end", name, c.State)
			}
			if step.Verdict == rollout.Complete && c.State == rollout.Waiting && !slices.Contains(step.Hold, name) {
				t.Fatalf("complete, and %s was never started:\n%s", name, w.log.String())
			}
		}
	})
}

func drawEvents(t *rapid.T, w *world) []event {
	var events []event
	for range rapid.IntRange(0, 4).Draw(t, "events") {
		at := rapid.Int64Range(0, 600).Draw(t, "at")
		name := fmt.Sprintf("c%d", rapid.IntRange(0, 9).Draw(t, "whom"))
		what := rapid.SampledFrom([]string{"lost", "returns", "leaves"}).Draw(t, "what")
		events = append(events, event{at: time.Duration(at) * time.Second, about: name + " " + what, happen: func(w *world) {
			delete(w.due, name)
			c := w.progress.Clusters[name]
			switch what {
			case "lost":
				c.State, c.Healthy = rollout.Deferred, false
			case "returns":
				c.State, c.Healthy = rollout.Waiting, false
			case "leaves":
				delete(w.progress.Clusters, name)
				return
			}
			w.progress.Clusters[name] = c
		}})
	}
	slices.SortStableFunc(events, func(a, b event) int { return int(a.at - b.at) })
	return events
}

// TestKillsDoNotChangeTheEnd compares a rollout that went through with one whose process died again and again.
func TestKillsDoNotChangeTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		smooth := drawWorld(t)
		for name, b := range smooth.behave {
			b.stuck = "" // one that is stuck once and not the next time would be another fleet
			smooth.behave[name] = b
		}
		rough := newWorld(smooth.strategy, rollout.Progress{Revision: target, Clusters: maps.Clone(smooth.progress.Clusters)}, smooth.behave)
		kills := 12
		rough.killed, rough.random = 3, func(n int) int {
			if kills == 0 || rapid.IntRange(0, n-1).Draw(t, "kill") > 0 {
				return 1
			}
			kills--
			return 0
		}
		fail := func(format string, args ...any) { t.Fatalf(format, args...) }
		want, got := smooth.run(fail), rough.run(fail)
		if want.Verdict != got.Verdict || want.Wave != got.Wave {
			t.Fatalf("ended as %s in %q, and with kills as %s in %q:\n%s\n%s", want.Verdict, want.Wave, got.Verdict, got.Wave, smooth.log.String(), rough.log.String())
		}
		failedWave := slices.IndexFunc(smooth.strategy.Waves, func(w rollout.Wave) bool { return w.Name == want.Wave })
		if failedWave < 0 {
			failedWave = len(smooth.strategy.Waves)
		}
		for name, a := range smooth.progress.Clusters {
			b := rough.progress.Clusters[name]
			if want.Verdict == rollout.Halted && waveOf(smooth.strategy, name) == failedWave {
				continue // which of them were in flight when the wave failed is a matter of time
			}
			if diff := cmp.Diff([]string{string(a.State), a.Revision}, []string{string(b.State), b.Revision}); want.Verdict != rollout.Restored && diff != "" {
				t.Errorf("%s (-smooth +killed):\n%s", name, diff)
			}
			if a.Revision != b.Revision && (want.Verdict != rollout.Restored || a.Previous != "") {
				t.Errorf("%s runs %q, and with kills %q", name, a.Revision, b.Revision)
			}
		}
	})
}

func TestAFailedClusterHoldsNoSlot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.strategy.OnFailure, w.strategy.Through = rollout.Continue, ""
		w.run(func(format string, args ...any) { t.Fatalf(format, args...) })
		for name, c := range w.progress.Clusters {
			if c.State != rollout.Failed && c.State != rollout.Deferred && (c.State != rollout.Applied || !c.Healthy || c.Revision != target) {
				t.Fatalf("%s ended as %+v:\n%s", name, c, w.log.String())
			}
		}
	})
}

func TestClustersStartByName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		last := map[int]string{}
		w.check = func(w *world, step rollout.Step) {
			for _, name := range step.Start {
				wave := waveOf(w.strategy, name)
				if strings.Compare(name, last[wave]) <= 0 {
					t.Fatalf("%s starts after %s", name, last[wave])
				}
				last[wave] = name
			}
		}
		w.run(func(format string, args ...any) { t.Fatalf(format, args...) })
	})
}

// TestOrderOfNamesDoesNotMatter shuffles what the user may write in any order.
func TestOrderOfNamesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		shuffled := w.strategy
		shuffled.Waves = slices.Clone(shuffled.Waves)
		for i := range shuffled.Waves {
			shuffled.Waves[i].Clusters = rapid.Permutation(shuffled.Waves[i].Clusters).Draw(t, "order")
		}
		w.check = func(w *world, step rollout.Step) {
			if diff := cmp.Diff(step, rollout.Next(shuffled, w.progress, w.now)); diff != "" {
				t.Fatalf("(-sorted +shuffled)\n%s", diff)
			}
		}
		w.run(func(format string, args ...any) { t.Fatalf(format, args...) })
	})
}
