package deploy

import (
	"maps"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

func (l *rolling) tell(reasons []string) {
	if l.set.Rollout == nil || slices.Equal(l.reasons, reasons) {
		return
	}
	l.reasons = reasons
	l.set.report.note(reasons)
}

// ranks are the waves for whoever watches, with those that leave the set last.
func (l *rolling) ranks() []rollout.Rank {
	var ranks []rollout.Rank
	if l.set.Rollout != nil {
		ranks = rollout.Ranks(l.strategy, l.progress)
	} else {
		all := rollout.Rank{Name: everyCluster}
		for name, c := range l.progress.Clusters {
			if !c.Leaving {
				all.Clusters = append(all.Clusters, name)
			}
		}
		ranks = append(ranks, all)
	}
	leaving := rollout.Rank{Name: "leaving"}
	for name, c := range l.progress.Clusters {
		if c.Leaving {
			leaving.Clusters = append(leaving.Clusters, name)
		}
	}
	ranks = append(ranks, leaving)
	for i := range ranks {
		slices.Sort(ranks[i].Clusters)
	}
	return slices.DeleteFunc(ranks, func(r rollout.Rank) bool { return len(r.Clusters) == 0 })
}

// Outline says what is worth knowing of the waves before they begin; nothing where there are none, or nothing is to be rolled out.
func (p Plan) Outline(set Set) []string {
	progress := rollout.Progress{Revision: set.Revision, Clusters: map[string]rollout.Cluster{}}
	begins := false
	for name, c := range p.Clusters {
		one := rollout.Cluster{State: rollout.Waiting, Revision: c.From, Leaving: c.Leaving}
		if c.Deferred != "" {
			one.State = rollout.Deferred
		}
		progress.Clusters[name] = one
		begins = begins || c.Changes() && !c.Held && !c.Leaving
	}
	if set.Rollout == nil || !begins {
		return nil
	}
	return rollout.Outline(*set.Rollout, progress)
}

// reportQuiet tells of the clusters that need no work.
func (l *rolling) reportQuiet() {
	for _, name := range slices.Sorted(maps.Keys(l.progress.Clusters)) {
		if c := l.plan.Clusters[name]; !c.Changes() {
			l.set.report.applied(name, c, l.out[name], nil)
		}
	}
}
