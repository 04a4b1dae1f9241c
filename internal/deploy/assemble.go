package deploy

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

// assemble tells how far every cluster is, and finishes those with which there is nothing to do.
func (l *rolling) assemble(ctx context.Context) {
	l.progress = rollout.Progress{Revision: l.set.Revision, Clusters: map[string]rollout.Cluster{}}
	starts := false
	for _, name := range slices.Sorted(maps.Keys(l.plan.Clusters)) {
		c := l.plan.Clusters[name]
		prior := l.runner.target(l.set, l.state, name)
		_, stays := l.set.Clusters[name]
		one := rollout.Cluster{State: rollout.Waiting, Revision: c.From, Leaving: !stays}
		if l.set.Rollout == nil && prior.Status.Phase == PhaseApplied {
			// Nothing is rolled back, and the inventory does not say it: the set was there before.
			one.Previous = l.set.Revision
		}
		switch {
		case c.Gone, !stays && (prior.Status.Phase == PhaseHeld || l.runner.hasLeft(l.set.on(prior), prior.Cluster)):
			l.quiet(ctx, name)
			continue
		case c.Deferred != "":
			one.State, one.Message = rollout.Deferred, c.Deferred
			l.quiet(ctx, name)
		case c.Held && !c.Changes():
			l.quiet(ctx, name)
		case !c.Changes():
			l.quiet(ctx, name)
			one.State, one.Revision = rollout.Applied, l.set.Revision
			one.Healthy = l.set.Rollout == nil || !l.set.Wait.Ready || prior.Status.Ready()
		case !c.Held:
			starts = true
		}
		l.progress.Clusters[name] = one
	}
	l.progress = rollout.Resume(l.progress)
	if l.set.Rollout == nil || !starts {
		return
	}
	l.set.completed = l.completed()
	l.askArrived(ctx)
}

// quiet finishes a cluster that needs no work.
func (l *rolling) quiet(ctx context.Context, name string) {
	after, keep, found := l.runner.applyCluster(ctx, l.set, l.state, name, l.plan.Clusters[name], nil)
	if l.found = append(l.found, found...); keep {
		l.out[name] = after
	}
}

// completed is the revision that all clusters run that take part, but for those that failed; empty where they do not run the same, because a
// rollout has stopped half-way.
func (l *rolling) completed() string {
	last := ""
	for name, c := range l.plan.Clusters {
		if status := l.state[name].Status; c.Held || c.Deferred != "" || c.Leaving || c.From == "" || status.Phase != PhaseApplied {
			continue
		}
		if last != "" && c.From != last {
			return ""
		}
		last = c.From
	}
	return last
}

// askArrived asks the clusters that have the revision already since when they are healthy, and what they return to.
func (l *rolling) askArrived(ctx context.Context) {
	var names []string
	for name, c := range l.progress.Clusters {
		if c.State == rollout.Applied {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var mu sync.Mutex
	l.runner.overClusters(ctx, "recall", l.set, names, nil, func(name string) {
		prior := l.runner.target(l.set, l.state, name)
		s, err := l.runner.open(ctx, l.set.on(prior), prior.Cluster, prior.Applied)
		var p *inventory.Parent
		if err == nil {
			p, err = s.parent(ctx, false)
		}
		if err != nil {
			l.runner.log(ctx, slog.LevelWarn, "what the cluster returns to is not known", map[string]any{"set": l.set.Name, "cluster": name, "error": err.Error()})
		}
		if p == nil || p.Revision != l.set.Revision {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		l.update(name, func(c *rollout.Cluster) {
			if c.Previous = p.Previous; p.Phase == inventory.Applied {
				c.Since = p.Heartbeat
			}
		})
	})
}
