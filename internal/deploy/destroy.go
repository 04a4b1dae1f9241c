package deploy

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/progress"
	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

// Destroy removes the set from every cluster that state knows. What it returns is what is still owed, empty when all
// is gone. A cluster whose inventory names another instance of the same owner is left alone: a replacement has taken over.
func (r *Runner) Destroy(ctx context.Context, set Set, state State) (State, Problems) {
	// What was to be taken over was so by the applies before this.
	set.Takeover = ""
	set.report = r.begin(set, "destroy", []rollout.Rank{{Name: everyCluster, Clusters: slices.Sorted(maps.Keys(state))}})
	left, found := r.leave(ctx, set, state, func(s *site, prior ClusterState) (ClusterState, bool, Problems) {
		parent, err := s.parent(ctx, true)
		if err != nil {
			return prior, true, s.problems(nil, err)
		}
		if parent != nil && parent.Owner == set.Owner && parent.Instance != "" && parent.Instance != set.Instance {
			return prior, false, nil
		}
		after, found := s.apply(ctx, prior, true, ClusterPlan{}, nil)
		return after, len(found.Errors()) > 0, found
	})
	set.report.end(found)
	return left, found
}

// HandOver leaves every object where it is and tells the clusters that a successor is about to carry on with them. It
// is what becomes of a resource that is destroyed only to be replaced.
func (r *Runner) HandOver(ctx context.Context, set Set, state State) Problems {
	_, found := r.leave(ctx, set, state, func(s *site, prior ClusterState) (ClusterState, bool, Problems) {
		parent, err := s.uncontended(ctx)
		if err != nil || parent == nil || parent.Owner != set.Owner {
			return prior, false, s.problems(nil, err)
		}
		parent.Phase = inventory.HandedOver
		return prior, false, s.problems(nil, s.store.Write(ctx, parent))
	})
	return found
}

// leave visits every cluster that state knows and that is not gone for good.
func (r *Runner) leave(ctx context.Context, set Set, state State, visit func(*site, ClusterState) (ClusterState, bool, Problems)) (State, Problems) {
	left := State{}
	var found Problems
	var mu sync.Mutex
	r.overClusters(ctx, "leave", set, slices.Sorted(maps.Keys(state)), accessOf(state), func(name string) {
		prior := state[name]
		var came Problems
		defer func() { set.report.applied(name, ClusterPlan{}, ClusterState{}, came) }()
		if prior.Cluster.Mode == fleet.ModeDecommissioned || r.hasLeft(set.on(prior), prior.Cluster) || prior.Status.Phase == PhaseHeld {
			return
		}
		set.report.step(name, progress.Applying, 0, 0, "connecting")
		own := set.on(prior)
		var err error
		if prior.Applied.Moving != "" {
			var found Problems
			if prior, found = r.move(ctx, own, prior); len(found) > 0 {
				err = found[0]
			}
		}
		var s *site
		if err == nil {
			s, err = r.open(ctx, own, prior.Cluster, prior.Applied)
		}
		after, owed := prior, true
		came = problems(name, nil, err)
		if err == nil {
			after, owed, came = visit(s, prior)
		}
		mu.Lock()
		defer mu.Unlock()
		if owed {
			left[name] = after
		}
		found = append(found, came...)
	})
	return left, found
}
