package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/progress"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// Expected are the values a plan announced as certain, by cluster and object. An apply that ends up with others fails,
// and says so, rather than claim that the plan came true.
type Expected map[string]map[fleet.ObjectKey]ssa.Fields

// target is what is known of a cluster, with the connection that holds now.
func (r *Runner) target(set Set, state State, name string) ClusterState {
	prior, known := state[name]
	if c, stays := set.Clusters[name]; stays {
		if known && prior.replacedBy(c) {
			prior = ClusterState{}
		}
		prior.Cluster = c
	}
	return prior
}

// applyCluster works on one cluster and tells whether the state still has anything to say of it.
func (r *Runner) applyCluster(ctx context.Context, set Set, state State, name string, plan ClusterPlan, expected map[fleet.ObjectKey]ssa.Fields) (after ClusterState, keep bool, found Problems) {
	prior := r.target(set, state, name)
	_, stays := set.Clusters[name]
	defer func() { after.Status.Wave = plan.Wave }()
	if !stays {
		// It leaves under the name it has.
		set = set.on(prior)
	}
	switch {
	case plan.Gone, !stays && r.hasLeft(set, prior.Cluster):
		return prior, false, nil
	case plan.Deferred != "":
		if plan.Owed && prior.Status.Phase != PhaseDeferred {
			prior.Status.Phase, prior.Status.Message = PhaseDeferred, plan.Deferred
		}
		if prior.Status.Revision = plan.Revision; !stays {
			prior.Applied.owe(prior.Cluster)
		}
		return prior, true, nil
	case !plan.Changes() && plan.Held && plan.Revision == "":
		prior.Status = Status{Phase: PhaseHeld}
		return prior, true, nil
	case !stays && prior.Status.Phase == PhaseHeld:
		return prior, false, nil
	case !plan.Changes():
		if prior.Status.Phase == "" {
			// A set without objects is applied as soon as it is wanted.
			prior.Status.Phase = PhaseApplied
		}
		prior.Status.Revision = plan.Revision
		return prior, true, nil
	}
	set.report.step(name, progress.Applying, 0, 0, "connecting")
	if _, known := state[name]; known && (plan.Move != "" || plan.Unknown || prior.Applied.Moving != "") {
		moved, found := r.move(ctx, set, prior)
		if prior = moved; len(found) > 0 {
			prior.Status.Phase, prior.Status.Message = PhaseFailed, found[0].brief()
			if !stays {
				prior.Applied.owe(prior.Cluster)
			}
			return prior, true, found
		}
	}
	s, err := r.open(ctx, set, prior.Cluster, prior.Applied)
	if err != nil {
		if _, known := state[name]; !known && lost(err) && set.unreachable(prior.Cluster) == fleet.UnreachableDefer && len(expected) == 0 {
			prior.Status = Status{Phase: PhaseDeferred, Message: "the cluster does not answer"}
			return prior, true, nil
		}
		prior.Status.Phase, prior.Status.Message = PhaseFailed, err.Error()
		if !stays {
			prior.Applied.owe(prior.Cluster)
			err = owed(err)
		}
		return prior, true, problems(name, nil, err)
	}
	if plan.recordsOnly() {
		if after, done, found := s.note(ctx, prior, plan); done {
			return after, true, found
		}
	}
	after, found = s.apply(ctx, prior, !stays, plan, expected)
	found = r.nameSets(ctx, set, prior.Cluster, found)
	if !stays && len(found.Errors()) == 0 {
		return after, false, found
	}
	if !stays {
		after.Applied.owe(prior.Cluster)
	}
	return after, true, found
}

// apply runs the stages in order, then removes what is no longer wanted. A stage begins only when the one before it
// succeeded, and nothing is removed after a failure, because what follows may rest on what failed.
func (s *site) apply(ctx context.Context, prior ClusterState, leaving bool, plan ClusterPlan, expected map[fleet.ObjectKey]ssa.Fields) (ClusterState, Problems) {
	after := prior
	after.Objects = maps.Clone(prior.Objects)
	if after.Objects == nil {
		after.Objects = map[fleet.ObjectKey]ssa.Fields{}
	}
	after.Applied.Objects = maps.Clone(prior.Applied.Objects)
	if after.Applied.Objects == nil {
		after.Applied.Objects = map[string]ssa.Record{}
	}
	after.Applied.Inventory = s.set.Inventory
	s.unknown = s.set.unknownObjects(s.name, prior)
	for _, key := range slices.Collect(maps.Keys(after.Applied.Objects)) {
		known, err := fleet.ParseObjectKey(key)
		if err == nil && after.Objects[known] == nil {
			var treat treatment
			if treat, err = s.set.treat(prior.Cluster, known, nil); err == nil && treat.Missing == fleet.MissingIgnore {
				// The record tells that it was there once, and is not to be created again.
				continue
			}
		}
		if err != nil || after.Objects[known] == nil {
			// What was not there any more is not the set's, should it come back.
			delete(after.Applied.Objects, key)
		}
	}
	revision := prior.Status.Revision
	fail := func(found Problems) (ClusterState, Problems) {
		after.Status = Status{Phase: PhaseFailed, Health: prior.Status.Health, Message: found.Errors()[0].brief()}
		if s.set.Rollout != nil {
			after.Status.Revision = revision
		}
		after.Applied.Kinds = maps.Clone(s.kinds)
		return after, found
	}
	ctx, parent, err := s.begin(ctx, prior, leaving)
	if err != nil {
		return fail(s.problems(nil, err))
	}
	after.Touched, after.Applied.Parent = true, Parentage{Removal: removalDigest(parent.Removal), Stored: parent.Contents[parent.Revision] > 0}
	var list []wanted
	var found Problems
	if !leaving {
		revision = parent.Revision
		s.set.turn.begun(parent)
		if err := s.keepContents(ctx, parent); err != nil {
			return fail(append(s.problems(nil, err), s.end(ctx, inventory.Failed, nil)...))
		}
	}
	if !leaving {
		list, s.skips, found = s.runner.want(ctx, s, s.set, prior, saltOf(parent))
		if err := s.sameSkips(plan); err != nil {
			found = append(found, s.problems(nil, err)...)
		}
		if len(found) > 0 {
			return fail(append(found, s.end(ctx, inventory.Failed, nil)...))
		}
	}
	// Told once, before anything is written: it takes a digest of all fields of each object.
	due := slices.DeleteFunc(slices.Clone(list), func(w wanted) bool { return w.Unchanged() || w.mayBeGone() })
	done := s.reportBegun(len(list), len(due), leaving)
	for _, stage := range manifest.Stages {
		of := slices.DeleteFunc(slices.Clone(due), func(w wanted) bool { return w.stage != stage })
		if found = append(found, s.applyStage(ctx, stage, of, &after, plan, expected)...); len(found.Errors()) > 0 {
			return fail(append(found, s.end(ctx, inventory.Failed, nil)...))
		}
		done = s.reportStage(len(of), len(list), done)
	}
	found = append(found, s.prune(ctx, list, prior, parent, &after)...)
	if len(found.Errors()) == 0 && !leaving && s.set.Wait.Ready {
		s.set.report.step(s.name, progress.Settling, len(list), len(list), "waiting until all objects are healthy")
		found = append(found, s.waitReady(s.set.turn.written(ctx), list)...)
	}
	if len(found.Errors()) > 0 {
		return fail(append(found, s.end(ctx, inventory.Failed, nil)...))
	}
	if found = append(found, s.end(ctx, inventory.Applied, list)...); len(found.Errors()) > 0 {
		return fail(found)
	}
	after.Applied.Kinds = s.usedKinds(list)
	after.Applied.owe(fleet.Cluster{})
	after.Applied.From = ""
	after.Status = Status{Phase: PhaseApplied, Revision: plan.Revision}
	s.noteSkips(&after)
	if s.set.Wait.Ready {
		after.Status.Health = health.Current
	}
	return after, found
}

func (p Problem) brief() string {
	if p.Object == nil {
		return p.Err.Error()
	}
	return p.Object.String() + ": " + p.Err.Error()
}

// applyStage applies those of the stage's objects that are due, several at a time, and waits for what later stages need.
func (s *site) applyStage(ctx context.Context, stage manifest.Stage, of []wanted, after *ClusterState, plan ClusterPlan, expected map[fleet.ObjectKey]ssa.Fields) Problems {
	outcomes := make([]ssa.Outcome, len(of))
	errs, heard := make([]error, len(of)), make([]Problems, len(of))
	for i := range of {
		if of[i].pending {
			// The stage before has created the definition, or this stage cannot begin.
			of[i].Resource, errs[i] = s.newResource(ctx, of[i].Object.GroupVersionKind())
		}
	}
	s.server.each(len(of), func(i int) {
		if errs[i] == nil {
			heard[i] = s.hearing(ctx, of[i], func(ctx context.Context) Problems {
				outcomes[i], errs[i] = s.applyObject(ctx, of[i], plan.Objects[of[i].Key])
				return nil
			})
		}
	})
	found := slices.Concat(heard...)
	for i, w := range of {
		key := w.Key
		if errs[i] != nil {
			found = append(found, Problem{Cluster: s.name, Object: &key, Err: w.hides.redact(w.Object, s.client.Classify(errs[i]))})
			continue
		}
		out := outcomes[i]
		after.Objects[key] = out.Fields
		after.Applied.Objects[key.String()] = w.record(out)
		if out.Created && isNamespace(key) {
			s.expect(key.Name)
		}
		s.applied[key] = health.At{UID: string(out.Object.GetUID()), Generation: out.Object.GetGeneration()}
		if want, announced := expected[key]; announced {
			if diff := ssa.Diff(want, out.Fields); len(diff) > 0 {
				found = append(found, Problem{Cluster: s.name, Object: &key, Err: changedSince(diff)})
			}
		}
	}
	if len(found.Errors()) > 0 || stage != manifest.Stages[0] {
		return found
	}
	return append(found, s.waitDefined(ctx, of)...)
}

// record is what state keeps of the object.
func (w wanted) record(out ssa.Outcome) ssa.Record {
	record := ssa.NewRecord(out.Object, w.Body, w.Sent, out.Recorded)
	record.Yielded, record.Hidden, record.Replicas = out.Yielded, w.writeOnly, w.replicas
	if text := w.hides.text(); text != "" {
		record.Hides = ssa.Digest(text)
	}
	if w.writeOnly {
		// What was sent may be another next time, and its digests would be of no use.
		record.Overlay = nil
	}
	return record
}

func (s *site) applyObject(ctx context.Context, w wanted, plan ObjectPlan) (ssa.Outcome, error) {
	if w.Live, w.Absent = s.seen.lookup(w.Key); w.Live == nil {
		w.Absent = w.Absent || s.untouched(w.Key)
	}
	defer s.seen.forget(w.Key)
	out, err := s.server.Apply(ctx, w.Wanted)
	var immutable *ssa.ImmutableError
	if errors.As(err, &immutable) && plan.Action == ActionReplace {
		out, err = s.replace(ctx, w)
	}
	if err != nil && ctx.Err() != nil {
		return out, fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	return out, err
}

// replace deletes the object, waits until it is gone, and creates it anew.
func (s *site) replace(ctx context.Context, w wanted) (ssa.Outcome, error) {
	live, err := s.server.Get(ctx, w.Resource, w.Key.Namespace, w.Key.Name)
	if err != nil && !apierrors.IsNotFound(err) {
		return ssa.Outcome{}, err
	}
	if err == nil {
		if err := s.delete(ctx, w.Resource, live); err != nil {
			return ssa.Outcome{}, fmt.Errorf("replace: %w", err)
		}
	}
	return s.server.Apply(ctx, w.Replaceable())
}

func changedSince(diff []ssa.Difference) error {
	return errors.New("the object was applied, but it did not become what the plan announced; something changed since the plan: " + fields(diff))
}

// usedKinds are where the kinds of the objects are served.
func (s *site) usedKinds(list []wanted) map[string]Served {
	used := map[string]Served{}
	for _, w := range list {
		id := w.Object.GroupVersionKind().GroupKind().String()
		if served, ok := s.kinds[id]; ok {
			used[id] = served
		}
	}
	return used
}
