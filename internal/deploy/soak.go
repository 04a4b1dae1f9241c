package deploy

import (
	"context"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/health"
	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

// How often a cluster whose wave soaks is looked at: a few times while it soaks.
const (
	looksPerSoak  = 10
	shortestPause = time.Second
	longestPause  = 15 * time.Second
)

// soak watches the clusters of a wave that soaks, and ends watching those of any other.
func (l *rolling) soak(ctx context.Context, step rollout.Step) {
	soaking := map[string]time.Duration{}
	for _, wave := range step.Waves {
		if wave.Name != step.Wave || step.Verdict != rollout.Running || !l.set.Wait.Ready {
			continue
		}
		for _, w := range l.strategy.Waves {
			if w.Name == wave.Name && w.Soak > 0 {
				for _, name := range w.Clusters {
					soaking[name] = w.Soak
				}
			}
		}
	}
	for name, end := range l.soaking {
		if _, on := soaking[name]; !on || l.progress.Clusters[name].State != rollout.Applied {
			end()
			delete(l.soaking, name)
		}
	}
	for name, soak := range soaking {
		c, member := l.progress.Clusters[name]
		if _, watched := l.soaking[name]; !member || watched || c.State != rollout.Applied || !c.Healthy || l.turns[name] != nil {
			continue
		}
		watching, end := context.WithCancel(ctx)
		l.soaking[name] = end
		go l.watch(watching, name, l.out[name], min(longestPause, max(shortestPause, soak/looksPerSoak)))
	}
}

// watch tells when a cluster loses its health, and when it has it again.
func (l *rolling) watch(ctx context.Context, name string, state ClusterState, pause time.Duration) {
	was := true
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		healthy, message, err := l.runner.inspect(ctx, l.set, state)
		if ctx.Err() != nil {
			return
		}
		if err != nil || healthy == was {
			// A cluster that does not answer for a moment says nothing about its objects.
			continue
		}
		was = healthy
		select {
		case <-ctx.Done():
			return
		case l.events <- func() {
			l.update(name, func(c *rollout.Cluster) {
				if c.State == rollout.Applied {
					c.Healthy, c.Since, c.Message = healthy, time.Now(), message
				}
			})
		}:
		}
	}
}

// inspect tells whether all of the set's objects on a cluster are healthy, and if not, why.
func (r *Runner) inspect(ctx context.Context, set Set, state ClusterState) (healthy bool, message string, err error) {
	s, err := r.open(ctx, set.on(state), state.Cluster, state.Applied)
	if err != nil {
		return false, "", err
	}
	parent, err := s.parent(ctx, false)
	if err != nil {
		return false, "", s.client.Classify(err)
	}
	live, err := s.members(ctx, state, parent)
	if err != nil {
		return false, "", s.client.Classify(err)
	}
	for key := range state.Objects {
		if live[key] == nil {
			return false, key.String() + ": somebody deleted it", nil
		}
	}
	worst, message := s.worst(live, state)
	return worst == health.Current, message, nil
}

// takeBack returns a cluster to what it ran, as soon as nothing else is done to it.
func (l *rolling) takeBack(ctx context.Context, name string) {
	l.update(name, func(c *rollout.Cluster) { c.State = rollout.RollingBack })
	if t := l.turns[name]; t != nil {
		l.back[name] = true
		t.release(errTakenBack)
		return
	}
	l.rollBack(ctx, name)
}

// rollBack begins to return a cluster to what it ran.
func (l *rolling) rollBack(ctx context.Context, name string) {
	l.working++
	previous := l.progress.Clusters[name].Previous
	prior, set := l.out[name], l.set
	set.report.back(name)
	go func() {
		l.slots <- struct{}{}
		after, found := l.runner.rollBack(ctx, set, l.state, prior, previous)
		<-l.slots
		l.events <- func() {
			l.working--
			l.out[name] = after
			l.found = append(l.found, found...)
			errs := found.Errors()
			l.update(name, func(c *rollout.Cluster) {
				if c.State = rollout.RolledBack; len(errs) > 0 {
					c.State, c.Message = rollout.Stuck, errs.message()
					return
				}
				c.Revision = previous
			})
			set.report.returned(name, after, found)
		}
	}()
}

// rollBack makes a cluster run what it ran before, by what it keeps of it.
func (r *Runner) rollBack(ctx context.Context, set Set, fleetState State, prior ClusterState, revision string) (ClusterState, Problems) {
	name := prior.Cluster.Name
	s, err := r.open(ctx, set, prior.Cluster, prior.Applied)
	if err != nil {
		return prior, problems(name, nil, err)
	}
	back, err := s.to(ctx, set.Clusters[name], revision)
	if err != nil {
		return prior, problems(name, nil, err)
	}
	back, found := back.dividedAs(name, fleetState)
	if len(found.Errors()) > 0 {
		return prior, found
	}
	state := State{name: prior}
	plan, found := r.planCluster(ctx, back, name, state)
	if len(found.Errors()) > 0 {
		return prior, found
	}
	after, _, more := r.applyCluster(ctx, back, state, name, plan, nil)
	return after, more
}
