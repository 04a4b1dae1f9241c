package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// planCluster decides about one cluster. Which of the cases holds is told from the state and the configuration, never
// from whether the cluster happens to answer right now, because the same plan is made again at apply.
func (r *Runner) planCluster(ctx context.Context, set Set, name string, state State) (ClusterPlan, Problems) {
	prior, known := state[name]
	if c := set.Clusters[name]; known && prior.Cluster.UID != "" && c.UID != "" && c.UID != prior.Cluster.UID {
		// The fleet_cluster was replaced on purpose: what was on the old cluster is not on this one.
		prior, known = ClusterState{}, false
	}
	plan, found := r.planCase(ctx, set.on(prior), name, prior, known)
	found = append(found, planParent(&plan, set, name, prior)...)
	if known {
		found = append(found, r.planMove(ctx, set, withCluster(prior, r.target(set, state, name).Cluster), &plan)...)
	}
	if _, stays := set.Clusters[name]; stays && !known && plan.Deferred == "" && !plan.Gone {
		if !plan.Unknown || !set.maySkip(set.Clusters[name]) {
			plan.New = len(set.objects(name))
		}
	}
	found = append(found, r.judge(ctx, set.on(prior), name, prior, plan, found)...)
	return plan, r.nameSets(ctx, set, r.target(set, state, name).Cluster, found)
}

func (r *Runner) planCase(ctx context.Context, set Set, name string, prior ClusterState, known bool) (ClusterPlan, Problems) {
	c, stays := set.Clusters[name]
	if stays {
		r.promise(name, set.objects(name))
	}
	switch {
	case !stays && set.abandons(name):
		return forgetAll(prior), nil
	case !stays:
		return planLeaving(set, prior)
	case c.Mode == fleet.ModeDecommissioned:
		return forgetAll(prior), nil
	case c.Mode == fleet.ModeMaintenance:
		return r.keepAll(ctx, set, withCluster(prior, c), "the cluster is in maintenance"), nil
	case set.UnknownAccess[name], known && set.UnknownUID[name]:
		return ClusterPlan{Unknown: true}, nil
	}
	prior.Cluster = c
	switch {
	case !known && neverAnswered(set, c):
		// Also under defer: a plan made before the fleet_cluster was registered could not know that it is offline.
		return ClusterPlan{Unknown: true}, nil
	case known && prior.unreachable() && set.unreachable(c) == fleet.UnreachableDefer:
		return r.keepAll(ctx, set, prior, "the cluster does not answer"), nil
	case known && prior.unread():
		return r.planOffline(ctx, set, prior, false)
	}
	if known {
		if plan, quiet := r.planQuiet(ctx, set, prior); quiet {
			return plan, nil
		}
		if prior.Applied.Moving != "" {
			// Half of the objects have another manager than the other half.
			return ClusterPlan{Unknown: true}, nil
		}
	}
	s, err := r.open(ctx, set, c, prior.Applied)
	var unknown *cluster.UnknownError
	switch {
	case errors.As(err, &unknown):
		return ClusterPlan{Unknown: true}, nil
	case lost(err) && set.UnknownUID[name]:
		// The fleet_cluster is about to be registered as offline, and after that nothing is certain either.
		return ClusterPlan{Unknown: true}, Problems{{Cluster: name, Err: err, Warning: true}}
	case lost(err):
		// An earlier pass may have asked it, and what it then said for certain has to be said again.
		plan, found := r.planOffline(ctx, set, prior, true)
		return plan, append(found, Problem{Cluster: name, Err: err, Warning: true})
	case err != nil:
		return ClusterPlan{}, problems(name, nil, err)
	}
	return s.plan(ctx, prior, known)
}

// planQuiet tells without asking the cluster that nothing is to be done there.
func (r *Runner) planQuiet(ctx context.Context, set Set, prior ClusterState) (ClusterPlan, bool) {
	list, skips, found := r.want(ctx, nil, set, prior, r.salt(set, prior.Cluster.Name))
	if len(found) > 0 {
		return ClusterPlan{}, false
	}
	plan := ClusterPlan{Objects: map[fleet.ObjectKey]ObjectPlan{}, Unsettled: !prior.Status.Settled()}
	for _, w := range list {
		switch {
		case w.mayBeGone():
		case w.Unchanged():
			plan.Objects[w.Key] = ObjectPlan{Fields: w.Prior}
		default:
			return ClusterPlan{}, false
		}
	}
	plan.skip(skips, prior)
	return plan, len(plan.Objects) == len(prior.Objects)
}

// salt is the cluster's salt if this process has read it.
func (r *Runner) salt(set Set, cluster string) []byte {
	o := r.observation(set, cluster)
	o.mu.Lock()
	defer o.mu.Unlock()
	return saltOf(o.parent)
}

// planOffline plans a known cluster without asking it. certain says to give the values that asking would most likely
// have given; otherwise what would change is left to the apply.
func (r *Runner) planOffline(ctx context.Context, set Set, prior ClusterState, certain bool) (ClusterPlan, Problems) {
	list, skips, found := r.want(ctx, nil, set, prior, r.salt(set, prior.Cluster.Name))
	plan := ClusterPlan{Objects: map[fleet.ObjectKey]ObjectPlan{}}
	for _, w := range list {
		if w.mayBeGone() {
			continue
		}
		if w.Unchanged() {
			plan.Objects[w.Key] = ObjectPlan{Fields: w.Prior}
			continue
		}
		o := w.difference(w.Predicted())
		if (!certain || w.unsalted) && o.Action != ActionNone {
			o.Fields = nil
		}
		if w.writeOnly {
			o = w.resent()
		}
		plan.Objects[w.Key] = o
	}
	plan.skip(skips, prior)
	return plan, append(found, prune(set, plan, prior)...)
}

func withCluster(prior ClusterState, c fleet.Cluster) ClusterState {
	prior.Cluster = c
	return prior
}

// keepAll leaves everything as it is known, and tells whether that is all there should be.
func (r *Runner) keepAll(ctx context.Context, set Set, prior ClusterState, why string) ClusterPlan {
	quiet, ok := r.planQuiet(ctx, set, prior)
	plan := ClusterPlan{Deferred: why, Owed: !ok || quiet.Unsettled, Objects: map[fleet.ObjectKey]ObjectPlan{}}
	for key, fields := range prior.Objects {
		plan.Objects[key] = ObjectPlan{Fields: fields}
	}
	return plan
}

func forgetAll(prior ClusterState) ClusterPlan {
	plan := ClusterPlan{Gone: true, Leaving: len(prior.Objects) > 0 || len(prior.Applied.Objects) > 0, Objects: map[fleet.ObjectKey]ObjectPlan{}}
	for key := range prior.Objects {
		plan.Objects[key] = ObjectPlan{Action: ActionForget}
	}
	return plan
}

// planLeaving plans a cluster that the set is to leave.
func planLeaving(set Set, prior ClusterState) (ClusterPlan, Problems) {
	c := prior.Cluster
	why := ""
	switch {
	case c.Mode == fleet.ModeDecommissioned:
		return forgetAll(prior), nil
	case c.Mode == fleet.ModeMaintenance:
		why = "the cluster is in maintenance; what is there stays until it is back"
	case prior.unreachable() && (set.unreachable(c) == fleet.UnreachableDefer || prior.Applied.Member):
		// A cluster that the set leaves is pruned only by a plan that has read it: a failover must not fail because of what failed.
		why = "the cluster does not answer; what is there stays until it does"
	}
	plan := ClusterPlan{Leaving: why == "", Deferred: why, Owed: why != "", Objects: map[fleet.ObjectKey]ObjectPlan{}}
	if why == "" {
		return plan, prune(set, plan, prior)
	}
	for key, fields := range prior.Objects {
		plan.Objects[key] = ObjectPlan{Fields: fields}
	}
	return plan, nil
}

// prune adds the objects that are there and no longer wanted.
func prune(set Set, plan ClusterPlan, prior ClusterState) Problems {
	var found Problems
	for key, fields := range prior.Objects {
		if _, wanted := plan.Objects[key]; wanted {
			continue
		}
		record := prior.Applied.record(key)
		if set.WriteOnlyUnknown && record != nil && record.Hidden {
			plan.Objects[key] = ObjectPlan{Fields: fields}
			continue
		}
		treat, err := set.treat(prior.Cluster, key, labelsOf(fields))
		if err != nil {
			found = append(found, Problem{Cluster: prior.Cluster.Name, Object: &key, Err: err})
		}
		plan.Objects[key] = ObjectPlan{Action: treat.removal(record == nil || record.Created)}
	}
	return found
}

// labelsOf are the labels among an object's fields.
func labelsOf(fields ssa.Fields) map[string]string {
	labels := map[string]string{}
	for text, value := range fields {
		if !strings.HasPrefix(text, "metadata.labels") {
			continue
		}
		path, err := fleet.ParsePath(text)
		var label string
		if err == nil && len(path) == 3 && path[2].FieldName != nil && json.Unmarshal([]byte(value), &label) == nil {
			labels[*path[2].FieldName] = label
		}
	}
	return labels
}

// plan asks the cluster what each changing object would become.
func (s *site) plan(ctx context.Context, prior ClusterState, known bool) (ClusterPlan, Problems) {
	parent, err := s.parent(ctx, false)
	if err != nil {
		return ClusterPlan{}, s.problems(nil, err)
	}
	if foreign(s.set, parent) {
		return ClusterPlan{}, problems(s.name, nil, otherOwner(s.set, parent))
	}
	if parent != nil && parent.MovedTo != "" {
		return ClusterPlan{Unknown: true}, nil
	}
	list, skips, found := s.runner.want(ctx, s, s.set, prior, saltOf(parent))
	s.skips = skips
	surplus := 0
	if !known && parent != nil {
		notes, err := s.succeed(ctx, prior, parent, list)
		if err != nil {
			return ClusterPlan{}, s.problems(nil, err)
		}
		found = append(found, notes...)
		surplus = s.surplus(list)
	}
	plan := ClusterPlan{Surplus: surplus, Objects: map[fleet.ObjectKey]ObjectPlan{}, Unsettled: known && !prior.Status.Settled()}
	// Definitions come first: an object whose definition changes cannot be judged by the old one.
	changing := map[string]bool{}
	for _, stage := range manifest.Stages {
		var of []wanted
		for _, w := range list {
			if w.stage == stage && !w.mayBeGone() {
				of = append(of, w)
			}
		}
		plans := make([]ObjectPlan, len(of))
		issues := make([]Problems, len(of))
		overObjects(len(of), func(i int) {
			issues[i] = s.hearing(ctx, of[i], func(ctx context.Context) (found Problems) {
				plans[i], found = s.planObject(ctx, of[i], changing)
				return found
			})
		})
		for i, w := range of {
			plan.Objects[w.Key] = plans[i]
			found = append(found, issues[i]...)
			if plans[i].Action == ActionNone && (w.Record == nil || w.Record.Sent != w.Body) {
				plan.Noted = true
			}
			if w.Key.Kind == "CustomResourceDefinition" && plans[i].Action != ActionNone {
				for _, d := range manifest.DefinedKinds([]manifest.Object{{Unstructured: w.Object, Key: w.Key}}) {
					changing[d.GroupKind.String()] = true
				}
			}
		}
	}
	plan.skip(skips, prior)
	return plan, append(found, prune(s.set, plan, prior)...)
}

func (s *site) planObject(ctx context.Context, w wanted, changing map[string]bool) (ObjectPlan, Problems) {
	if w.Unchanged() {
		return ObjectPlan{Fields: w.Prior}, nil
	}
	guess := w.difference(w.Predicted())
	guess.Fields = nil
	if w.writeOnly {
		guess = w.resent()
	}
	if w.pending {
		return guess, nil
	}
	w.Live, w.Absent = s.seen.lookup(w.Key)
	out, err := s.server.Preview(ctx, w.Wanted)
	err = s.client.Classify(err)
	key := w.Key
	var immutable *ssa.ImmutableError
	switch {
	case err == nil:
	case missingNamespace(err):
		if s.runner.promisedNamespace(s.name, w.Key.Namespace) {
			return guess, nil
		}
		return guess, Problems{{Cluster: s.name, Object: &key, Warning: true,
			Err: fmt.Errorf("the namespace %s does not exist, and nothing in this run is known to create it", w.Key.Namespace)}}
	case errors.As(err, &immutable) && w.treat.ReplaceImmutable:
		return ObjectPlan{Action: ActionReplace, Changes: guess.Changes, Why: immutable.Message}, nil
	case changing[w.Object.GroupVersionKind().GroupKind().String()] && (apierrors.IsInvalid(err) || apierrors.IsBadRequest(err)):
		return guess, nil
	case lost(err):
		guess.Fields = w.Predicted()
		return guess, Problems{{Cluster: s.name, Object: &key, Err: err, Warning: true}}
	default:
		// What cannot be done is not what would change, but for what somebody else has changed.
		plan := ObjectPlan{Fields: w.Prior}
		var conflict *ssa.ConflictError
		if errors.As(err, &conflict) {
			plan.Corrected = conflict.Drifted
		}
		return plan, Problems{{Cluster: s.name, Object: &key, Err: w.hides.redact(w.Object, err)}}
	}
	s.seen.notePreview(w.Key, out.Object)
	if out.Created {
		s.seen.note(w.Key, nil)
	} else if out.Live != nil {
		s.seen.note(w.Key, out.Live)
	}
	return w.planned(out), nil
}

// planned is the plan for an object of which the API server has told what would become of it.
func (w wanted) planned(out ssa.Outcome) ObjectPlan {
	plan := w.difference(w.Predicted())
	switch {
	case w.writeOnly:
		plan = w.resent()
	case w.unsalted:
		plan.Fields = nil
	case w.Prior != nil && len(ssa.Diff(w.Prior, out.Fields)) == 0:
		plan = ObjectPlan{Fields: w.Prior}
	case len(ssa.Diff(plan.Fields, out.Fields)) > 0:
		// What the API server makes of it could not be told without asking, so a second plan that cannot ask
		// could not repeat it.
		plan.Fields = nil
		if plan.Action == ActionNone {
			plan.Action = ActionUpdate
		}
	}
	if w.Record != nil && w.Record.Stale != "" {
		plan.Why = staleWords[w.Record.Stale]
		if plan.Action == ActionNone {
			plan.Action = ActionCorrect
		}
	}
	plan.Corrected, plan.Reported, plan.Forced = out.Corrected, out.Reported, out.Forced
	plan.Changes = slices.DeleteFunc(plan.Changes, func(d ssa.Difference) bool { _, yielded := out.Yielded[d.Path]; return yielded })
	for path, manager := range out.Yielded {
		if w.Record == nil || w.Record.Yielded[path] != manager {
			plan.yield(path, manager)
		}
	}
	if plan.Released = out.Released; len(plan.Released) > 0 && plan.Action == ActionNone {
		plan.Action = ActionUpdate
	}
	if w.Prior != nil || out.Live == nil {
		return plan
	}
	// State does not know the object, and it is there: somebody's, or the set's own from before.
	if plan.Changes = ssa.Diff(out.Before, out.Fields); w.writeOnly {
		plan.Changes = nil
	}
	switch {
	case out.Adopted:
		plan.Action, plan.Absorbed, plan.Dropped = ActionAdopt, out.Absorbed, out.Dropped
	case w.writeOnly, len(plan.Changes) > 0:
		plan.Action = ActionUpdate
	default:
		plan.Action = ActionNone
	}
	return plan
}

// resent is the plan for a write-only object that is to be sent. What it will be is not known, not even in digests: its content may be
// another at apply.
func (w wanted) resent() ObjectPlan {
	switch {
	case w.Prior == nil:
		return ObjectPlan{Action: ActionCreate}
	case w.Record != nil && w.Record.Sent == w.Body:
		return ObjectPlan{Action: ActionCorrect, Why: "it is not as it was sent"}
	}
	return ObjectPlan{Action: ActionUpdate, Why: "write-only content"}
}

func (o *ObjectPlan) yield(path, manager string) {
	if o.Yielded == nil {
		o.Yielded = map[string]string{}
	}
	o.Yielded[path] = manager
}

// staleWords say why an object is applied again of which no field changes.
var staleWords = map[ssa.Stale]string{
	ssa.StaleLabel: "the label that says it belongs to the set is gone",
	ssa.StaleUID:   "somebody deleted it and created it anew",
	ssa.StaleYield: "the manager that a field was left to has given it up",
}

// difference is the plan for an object that will have the fields.
func (w wanted) difference(fields ssa.Fields) ObjectPlan {
	plan := ObjectPlan{Fields: fields}
	if w.Prior == nil {
		plan.Action = ActionCreate
		return plan
	}
	differences := ssa.Diff(w.Prior, fields)
	for _, d := range differences {
		// A field that is given up keeps its value.
		if path, err := fleet.ParsePath(d.Path); err != nil || d.To != "" || !fleet.MatchAny(w.treat.ignored, path) {
			plan.Changes = append(plan.Changes, d)
		}
	}
	switch {
	case len(differences) == 0:
	case w.Record != nil && w.Record.Sent == w.Body:
		plan.Action = ActionCorrect
	default:
		plan.Action = ActionUpdate
	}
	return plan
}

// missingNamespace tells an object whose namespace is missing from an object that is missing itself.
func missingNamespace(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &status) {
		return false
	}
	details := status.Status().Details
	return details != nil && details.Kind == "namespaces"
}

// Keys are the plan's objects in a stable order.
func (c ClusterPlan) Keys() []fleet.ObjectKey {
	return slices.SortedFunc(maps.Keys(c.Objects), fleet.ObjectKey.Compare)
}
