package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// machine is one call of Next.
type machine struct {
	strategy Strategy
	progress Progress
	now      time.Time
	waves    []wave
	status   []WaveStatus // of waves, by index
	stand    map[string]standing
	leaving  []string
	step     Step
}

// Next tells what to do now. The strategy must be valid.
func Next(s Strategy, p Progress, now time.Time) Step {
	m := &machine{strategy: s, progress: p, now: now, waves: arrange(s, p), stand: map[string]standing{}}
	m.step.Verdict = Running
	m.survey()
	at, why := m.broken()
	switch {
	case p.Interrupted:
		if i := slices.IndexFunc(m.status, func(w WaveStatus) bool { return w.Phase != PhaseHeld && w.Healthy < w.Total }); i >= 0 {
			m.step.Wave = m.waves[i].Name
		}
		m.stop("interrupted: nothing more is started", Stopped)
	case at >= 0:
		m.status[at].Phase = PhaseFailed
		m.step.Wave = m.waves[at].Name
		m.reason("%s", why)
		if s.OnFailure == Rollback {
			m.rollBack()
		} else {
			m.stop("halted: clusters that are done keep the new revision, the others keep theirs", Halted)
		}
	default:
		m.advance()
	}
	m.step.Waves = m.status
	for _, names := range []*[]string{&m.step.Start, &m.step.Watch, &m.step.Expire, &m.step.RollBack, &m.step.Hold} {
		slices.Sort(*names)
	}
	return m.step
}

func (m *machine) reason(format string, args ...any) {
	m.step.Reasons = append(m.step.Reasons, fmt.Sprintf(format, args...))
}

// survey judges every cluster, counts, and lists what is in flight, in whichever wave it is.
func (m *machine) survey() {
	for _, w := range m.waves {
		status := WaveStatus{Name: w.Name, Phase: PhaseWaiting}
		for _, name := range w.members {
			c := m.progress.Clusters[name]
			m.stand[name] = m.judge(c, w.Soak)
			status.add(m.stand[name])
			m.note(name, m.deadline(c, w.Soak))
			if w.held && m.stand[name] == waiting {
				m.step.Hold = append(m.step.Hold, name)
			}
		}
		count := w.MaxConcurrency
		if count == (Count{}) {
			count = m.strategy.MaxConcurrency
		}
		status.Slots = min(count.slots(status.Total), status.Total)
		switch {
		case status.Total == 0:
			status.Phase = PhaseEmpty
		case w.held:
			status.Phase = PhaseHeld
		}
		m.status = append(m.status, status)
	}
	for _, name := range slices.Sorted(maps.Keys(m.progress.Clusters)) {
		if c := m.progress.Clusters[name]; c.Leaving {
			m.leaving = append(m.leaving, name)
			m.stand[name] = m.judge(c, 0)
			m.note(name, m.deadline(c, 0))
		}
	}
}

// note lists a cluster that somebody works on.
func (m *machine) note(name string, deadline time.Time) {
	switch x := m.stand[name]; {
	case x == expired:
		m.step.Expire = append(m.step.Expire, name)
	case x.inFlight():
		m.step.Watch = append(m.step.Watch, name)
		if x != returning && !deadline.IsZero() {
			m.recheck(deadline)
		}
	}
}

func (m *machine) recheck(at time.Time) {
	if d := at.Sub(m.now); m.step.Recheck == 0 || d < m.step.Recheck {
		m.step.Recheck = d
	}
}

func (s *WaveStatus) add(x standing) {
	s.Total++
	switch {
	case x == deferred:
		s.Total--
		s.Deferred++
	case x == waiting:
		s.Waiting++
	case x == healthy:
		s.Healthy++
	case x.hasFailed():
		s.Failed++
	case x == returned, x == stuck:
		s.Returned++
	default:
		s.InFlight++
	}
}

// broken is the index of the wave in which the rollout failed, and why; -1 where it did not.
func (m *machine) broken() (at int, why string) {
	if m.strategy.OnFailure == Continue {
		return -1, ""
	}
	failures, total, last, undone := 0, 0, -1, -1
	var names []string
	for i, w := range m.waves {
		for _, name := range w.members {
			x := m.stand[name]
			if x.undone() {
				undone = i
			}
			if x.hasFailed() || x.undone() && x != stuck && m.progress.Clusters[name].Message != "" {
				failures, last = failures+1, i
				names = append(names, name)
			}
		}
		if !w.held {
			total += m.status[i].Total
		}
	}
	if limit := m.strategy.MaxFailures.Of(total); failures > limit {
		return last, fmt.Sprintf("%s failed (%s) and max_failures = %q tolerates %d of %s",
			fleet.Plural(failures, "cluster"), strings.Join(names, ", "), m.strategy.MaxFailures, limit, fleet.Plural(total, "cluster"))
	}
	if undone >= 0 {
		// A rollback that has begun is carried to its end, whatever the counts have become meanwhile.
		return max(undone, last), "a rollback is under way"
	}
	for i, s := range m.status {
		if !m.waves[i].held && s.Total > 0 && s.Failed == s.Total {
			return i, fmt.Sprintf("wave %q failed: not one of its %s became healthy", s.Name, fleet.Plural(s.Total, "cluster"))
		}
	}
	return -1, ""
}

// stop starts nothing more and waits for what is in flight.
func (m *machine) stop(why string, verdict Verdict) {
	m.reason("%s", why)
	if len(m.step.Watch) == 0 {
		m.step.Verdict, m.step.Recheck = verdict, 0
		return
	}
	m.reason("waiting for %s in flight: %s", fleet.Plural(len(m.step.Watch), "cluster"), strings.Join(m.step.Watch, ", "))
}

// rollBack returns what was touched to its previous revision, each wave within its concurrency.
func (m *machine) rollBack() {
	var kept []string
	for i, w := range m.waves {
		free := m.status[i].Slots
		var next []string
		for _, name := range w.members {
			c, x := m.progress.Clusters[name], m.stand[name]
			touched := x == settling || x == healthy || x.hasFailed()
			switch {
			case touched && c.Previous == "":
				kept = append(kept, name)
			case x == settling && c.Previous != m.progress.Revision:
				// It has a slot already, and nobody need wait for its health any more.
				free--
				m.step.RollBack = append(m.step.RollBack, name)
			case x.inFlight():
				free--
			case touched && c.Previous != m.progress.Revision:
				next = append(next, name)
			}
		}
		m.step.RollBack = append(m.step.RollBack, next[:max(0, min(free, len(next)))]...)
	}
	m.step.Watch = slices.DeleteFunc(m.step.Watch, func(name string) bool {
		return slices.Contains(m.step.RollBack, name) || slices.Contains(kept, name)
	})
	if len(kept) > 0 {
		m.reason("nothing to return to on %s: the set was not there before", strings.Join(kept, ", "))
	}
	if len(m.step.RollBack) == 0 && len(m.step.Watch) == 0 {
		m.step.Verdict, m.step.Recheck = Restored, 0
		return
	}
	m.reason("rolling back what was touched")
}

// advance goes on with the first wave that is not over, then with what leaves the set.
func (m *machine) advance() {
	for i := range m.waves {
		w, s := &m.waves[i], &m.status[i]
		switch {
		case w.held:
			continue
		case s.Total == 0 && s.Deferred == 0:
			m.reason("wave %q has no clusters: passed over", w.Name)
			continue
		case s.Total == 0:
			m.reason("wave %q: none of its %s takes part now: passed over", w.Name, fleet.Plural(s.Deferred, "cluster"))
			continue
		}
		m.step.Wave = w.Name
		if m.run(w, s) || m.soak(i) {
			return
		}
		s.Phase = PhaseDone
	}
	if len(m.step.Hold) > 0 {
		m.reason("held behind through = %q: %s", m.strategy.Through, strings.Join(m.step.Hold, ", "))
	}
	if m.leave() || len(m.step.Watch) > 0 {
		return
	}
	m.step.Verdict, m.step.Recheck = Complete, 0
}

// run starts what the wave has slots for, and tells whether there is anything left to do in it.
func (m *machine) run(w *wave, s *WaveStatus) bool {
	s.Phase = PhaseRunning
	m.start(w.members, s.Slots-s.InFlight)
	if s.Waiting == 0 && s.InFlight == 0 {
		return false
	}
	m.reason("wave %q: %d of %s healthy, %d failed, %d of %s in use", w.Name, s.Healthy, fleet.Plural(s.Total, "cluster"), s.Failed,
		s.InFlight+len(m.step.Start), fleet.Plural(s.Slots, "slot"))
	return true
}

// start starts those of the clusters that wait, as many as there are free slots.
func (m *machine) start(names []string, free int) {
	for _, name := range names {
		if m.stand[name] == waiting && free > 0 {
			free--
			m.step.Start = append(m.step.Start, name)
		}
	}
}

// soak tells whether the wave is still being watched, which is only worth the time if something waits for it.
func (m *machine) soak(i int) bool {
	w := m.waves[i]
	follows := slices.ContainsFunc(m.leaving, func(name string) bool { return m.stand[name] == waiting })
	for j := i + 1; j < len(m.waves); j++ {
		follows = follows || !m.waves[j].held && m.status[j].Waiting > 0
	}
	var until time.Time
	for _, name := range w.members {
		if at := m.progress.Clusters[name].Since.Add(w.Soak); m.stand[name] == healthy && at.After(until) {
			until = at
		}
	}
	if !follows || !until.After(m.now) {
		return false
	}
	m.status[i].Phase = PhaseSoaking
	m.recheck(until)
	m.reason("wave %q is healthy, and soaks for %s", w.Name, w.Soak)
	return true
}

// leave removes the set from the clusters that leave it, once those that stay are served.
func (m *machine) leave() bool {
	var pending []string
	inFlight := 0
	for _, name := range m.leaving {
		switch x := m.stand[name]; {
		case x == waiting:
			pending = append(pending, name)
		case x.inFlight():
			inFlight++
		}
	}
	if len(pending) == 0 {
		return inFlight > 0
	}
	if missing := m.unserved(); len(missing) > 0 {
		m.reason("kept on %s, which leaves the set: %s came to it and failed", strings.Join(pending, ", "), strings.Join(missing, ", "))
		return inFlight > 0
	}
	m.start(m.leaving, m.strategy.MaxConcurrency.slots(len(m.leaving))-inFlight)
	m.reason("removing the set from %s", fleet.Plural(len(pending), "cluster"))
	return true
}

// unserved are the clusters that are new to the set and failed; what leaves may have been to make room for them.
func (m *machine) unserved() []string {
	var names []string
	for _, w := range m.waves {
		for _, name := range w.members {
			if m.stand[name].hasFailed() && m.progress.Clusters[name].Previous == "" {
				names = append(names, name)
			}
		}
	}
	return names
}
