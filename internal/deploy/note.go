package deploy

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// recordsOnly tells that the plan changes nothing on the cluster, only what state notes of it.
func (c ClusterPlan) recordsOnly() bool { return c.Noted && !c.acts() }

// note finds out what the records say of objects that are as they should be, by one dry run each, and writes nothing. It
// tells whether that was all there was to do.
func (s *site) note(ctx context.Context, prior ClusterState, plan ClusterPlan) (ClusterState, bool, Problems) {
	parent, err := s.parent(ctx, true)
	if err != nil || parent == nil || parent.Owner != s.set.Owner || parent.Instance != s.set.Instance || parent.Phase != inventory.Applied {
		return prior, false, nil
	}
	live, err := s.members(ctx, prior, parent)
	if err != nil {
		return prior, false, nil
	}
	list, skips, found := s.runner.want(ctx, s, s.set, prior, saltOf(parent))
	if s.skips = skips; s.sameSkips(plan) != nil || len(found) > 0 || len(list) != len(live) || len(list) != len(prior.Objects) {
		return prior, false, nil
	}
	after := prior
	after.Applied.Objects = maps.Clone(prior.Applied.Objects)
	if after.Applied.Objects == nil {
		after.Applied.Objects = map[string]ssa.Record{}
	}
	records := make([]*ssa.Record, len(list))
	overObjects(len(list), func(i int) { records[i] = s.noteObject(ctx, list[i], live[list[i].Key]) })
	for i, record := range records {
		if record == nil {
			return prior, false, nil
		}
		after.Applied.Objects[list[i].Key.String()] = *record
	}
	after.Applied.Inventory, after.Applied.Kinds = s.set.Inventory, s.usedKinds(list)
	after.Status = Status{Phase: PhaseApplied, Health: prior.Status.Health, Revision: plan.Revision}
	s.noteSkips(&after)
	if s.set.Wait.Ready {
		if found := s.waitReady(ctx, list); len(found.Errors()) > 0 {
			after.Status = Status{Phase: PhaseFailed, Health: prior.Status.Health, Message: found.Errors()[0].brief(), Revision: plan.Revision}
			return after, true, found
		}
		after.Status.Health = health.Current
	}
	return after, true, nil
}

// noteObject is the record that applying the object would leave; nil where applying it would change anything.
func (s *site) noteObject(ctx context.Context, w wanted, live *unstructured.Unstructured) *ssa.Record {
	if w.Unchanged() {
		return w.Record
	}
	if live == nil || w.pending || w.unsalted || live.GetLabels()[fleet.PartOfLabel] != inventory.ID(s.set.Inventory, s.set.Name) {
		return nil
	}
	w.Live = live
	out, err := s.server.Preview(ctx, w.Wanted)
	if err != nil || out.Created || out.Adopted || len(out.Corrected) > 0 || len(out.Forced) > 0 || len(out.Released) > 0 || len(ssa.Diff(w.Prior, out.Fields)) > 0 {
		return nil
	}
	record := w.record(out)
	return &record
}
