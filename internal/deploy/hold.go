package deploy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// How a run shows that it lives, and how long another run takes to believe that it does not.
const (
	// heartbeat is how often a run that works on a cluster says so there.
	heartbeat = 15 * time.Second
	// heartbeatLapse is how old the last heartbeat of a run is that counts as dead.
	heartbeatLapse = 60 * time.Second
	// watchEvery is how often another run's heartbeat is looked at.
	watchEvery = time.Second
)

// pulse are these times as a Runner uses them.
type pulse struct {
	beat, lapse, watch time.Duration
}

// AtWorkError says that another run is at work on the set.
type AtWorkError struct {
	Run inventory.Run
	// Ended tells that it has ended while it was watched, so that only the plan is out of date.
	Ended bool
}

func (e *AtWorkError) Error() string {
	if e.Ended {
		return fmt.Sprintf("%s has ended just now, and the plan does not know what it did; plan and apply again", runText(e.Run))
	}
	return fmt.Sprintf("%s is at work on this set; nothing was written here. Wait until it has ended, and then plan and apply again; if it hangs, end that process, "+
		"and the next apply carries on from where it was. If it is another configuration, give one of the two an owner of its own, or the set another name", runText(e.Run))
}

// runText names a run the same way on every cluster.
func runText(r inventory.Run) string {
	text := "another run"
	if r.Host != "" {
		text += fmt.Sprintf(" (process %d on %s)", r.PID, r.Host)
	}
	if !r.Since.IsZero() {
		// In full minutes it is mostly the same on all clusters, which are then one line.
		text += " since " + r.Since.UTC().Format("2006-01-02 15:04 MST")
	}
	return text
}

// busy tells whether the parent says that another run is at work, and nothing says that it is dead.
func (r *Runner) busy(p *inventory.Parent) bool {
	return p != nil && p.Phase == inventory.Applying && p.Run.ID != "" && p.Run.ID != r.run.ID &&
		time.Since(p.Heartbeat) < r.pulse.lapse && !p.Run.Ended()
}

// atWork warns at plan of another run; it looks only at what was read.
func (r *Runner) atWork(set Set, cluster string) Problems {
	o := r.observation(set, cluster)
	o.mu.Lock()
	parent := o.parent
	o.mu.Unlock()
	if !r.busy(parent) || foreign(set, parent) {
		return nil
	}
	return Problems{{Cluster: cluster, Warning: true,
		Err: fmt.Errorf("%s is at work on this set; this plan may be out of date when it has ended, and an apply fails while it is alive", runText(parent.Run))}}
}

// uncontended reads the parent and makes sure that no other run is at work. One that may be alive is watched: a run that is
// alive renews its heartbeat, and one that has not done so for long enough is dead.
func (s *site) uncontended(ctx context.Context) (*inventory.Parent, error) {
	parent, err := s.parent(ctx, true)
	if err != nil || parent == nil {
		return nil, err
	}
	if foreign(s.set, parent) || !s.runner.busy(parent) {
		return parent.Clone(), nil
	}
	s.runner.log(ctx, slog.LevelInfo, "watching another run", map[string]any{"set": s.set.Name, "cluster": s.name, "host": parent.Run.Host, "pid": parent.Run.PID})
	// Clocks differ: no heartbeat of another machine is trusted to be in the future.
	wait := min(s.runner.pulse.lapse-time.Since(parent.Heartbeat), s.runner.pulse.lapse)
	for deadline := time.Now().Add(wait); time.Now().Before(deadline); {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(min(s.runner.pulse.watch, time.Until(deadline))):
		}
		now, err := s.parent(ctx, true)
		if err != nil {
			return nil, err
		}
		if now == nil || now.Phase != inventory.Applying {
			return nil, &AtWorkError{Run: parent.Run, Ended: true}
		}
		if now.Run.ID != parent.Run.ID || !now.Heartbeat.Equal(parent.Heartbeat) {
			return nil, &AtWorkError{Run: now.Run}
		}
	}
	return parent.Clone(), nil
}

// The ways in which a run loses the set that it works on. It stops then, and writes to the inventory no more.
var (
	errParentGone = errors.New("somebody deleted the set's inventory while this run was at work; the next apply writes it anew")
	errTaken      = errors.New("another run has taken the set over while this one was at work, because it heard nothing of this one for too long")
)

// hold is a run's hold on the set on one cluster. While it lasts, the parent's heartbeat is renewed.
type hold struct {
	site   *site
	parent *inventory.Parent
	cancel context.CancelCauseFunc
	quit   chan struct{}
	ended  sync.WaitGroup
	// lost is why the hold was lost; it is set before ended is done.
	lost error
}

// take begins to renew the heartbeat of the parent that was just written. The context it returns ends when the hold is lost.
func (s *site) take(ctx context.Context, parent *inventory.Parent) context.Context {
	working, cancel := context.WithCancelCause(ctx)
	h := &hold{site: s, parent: parent.Clone(), cancel: cancel, quit: make(chan struct{})}
	s.hold = h
	h.ended.Go(func() { h.renew(ctx) })
	return working
}

// renew writes heartbeats until the run ends. What fails for other reasons than a lost hold is tried again.
func (h *hold) renew(ctx context.Context) {
	ticks := time.NewTicker(h.site.runner.pulse.beat)
	defer ticks.Stop()
	for {
		select {
		case <-h.quit:
			return
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		err := h.guard(ctx, func() error { return h.site.store.Beat(ctx, h.parent, time.Now()) })
		switch {
		case errors.Is(err, errParentGone), errors.Is(err, errTaken):
			h.lost = err
			h.cancel(err)
			return
		case err != nil:
			h.site.runner.log(ctx, slog.LevelWarn, "no heartbeat", map[string]any{"set": h.site.set.Name, "cluster": h.site.name, "error": err.Error()})
		}
	}
}

// guard writes to the parent as long as it is this run's: what somebody else has changed besides is no hindrance.
func (h *hold) guard(ctx context.Context, write func() error) error {
	for {
		err := write()
		if !errors.Is(err, inventory.ErrChanged) {
			return err
		}
		now, err := h.site.store.Read(ctx)
		switch {
		case err != nil:
			return err
		case now == nil:
			return errParentGone
		case now.Run.ID != h.site.runner.run.ID:
			return errTaken
		}
		h.parent.Refresh(now)
	}
}

// release ends the heartbeat and lets the parent be written for the last time, unless the hold was lost.
func (h *hold) release(ctx context.Context, write func(*inventory.Parent) error) error {
	close(h.quit)
	h.ended.Wait()
	defer h.cancel(nil)
	if h.lost != nil {
		return h.lost
	}
	return h.guard(ctx, func() error { return write(h.parent) })
}
