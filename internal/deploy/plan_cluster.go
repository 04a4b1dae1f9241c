package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

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
	if known {
		found = append(found, r.planMove(ctx, set, withCluster(prior, r.target(set, state, name).Cluster), &plan)...)
	}
	if _, stays := set.Clusters[name]; stays && plan.Deferred == "" && !plan.Gone {
		plan.TakenFrom = prior.Applied.From
		if !known {
			plan.New = len(set.Objects)
		}
	}
	return plan, r.nameSets(ctx, set, r.target(set, state, name).Cluster, found)
}

func (r *Runner) planCase(ctx context.Context, set Set, name string, prior ClusterState, known bool) (ClusterPlan, Problems) {
	c, stays := set.Clusters[name]
	if stays {
		r.promise(name, set.Objects)
	}
	switch {
	case !stays && set.abandons(name):
		return forgetAll(prior), nil
	case !stays:
		return planLeaving(set, prior), nil
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
	list, found := r.want(ctx, nil, set, prior, r.salt(set, prior.Cluster.Name))
	if len(found) > 0 || len(list) != len(prior.Objects) {
		return ClusterPlan{}, false
	}
	plan := ClusterPlan{Objects: map[fleet.ObjectKey]ObjectPlan{}, Unsettled: !prior.Status.Settled()}
	for _, w := range list {
		if !w.Unchanged() {
			return ClusterPlan{}, false
		}
		plan.Objects[w.Key] = ObjectPlan{Fields: w.Prior}
	}
	return plan, true
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
	list, found := r.want(ctx, nil, set, prior, r.salt(set, prior.Cluster.Name))
	plan := ClusterPlan{Objects: map[fleet.ObjectKey]ObjectPlan{}}
	for _, w := range list {
		if w.Unchanged() {
			plan.Objects[w.Key] = ObjectPlan{Fields: w.Prior}
			continue
		}
		o := w.difference(w.Predicted())
		if (!certain || w.unsalted) && o.Action != ActionNone {
			o.Fields = nil
		}
		plan.Objects[w.Key] = o
	}
	prune(plan, prior)
	return plan, found
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
func planLeaving(set Set, prior ClusterState) ClusterPlan {
	c := prior.Cluster
	why := ""
	switch {
	case c.Mode == fleet.ModeDecommissioned:
		return forgetAll(prior)
	case c.Mode == fleet.ModeMaintenance:
		why = "the cluster is in maintenance; what is there stays until it is back"
	case prior.unreachable() && set.unreachable(c) == fleet.UnreachableDefer:
		why = "the cluster does not answer; what is there stays until it does"
	}
	plan := ClusterPlan{Leaving: why == "", Deferred: why, Owed: why != "", Objects: map[fleet.ObjectKey]ObjectPlan{}}
	if why == "" {
		prune(plan, prior)
		return plan
	}
	for key, fields := range prior.Objects {
		plan.Objects[key] = ObjectPlan{Fields: fields}
	}
	return plan
}

// prune adds the objects that are there and no longer wanted.
func prune(plan ClusterPlan, prior ClusterState) {
	for key := range prior.Objects {
		if _, wanted := plan.Objects[key]; wanted {
			continue
		}
		action := ActionDelete
		if record := prior.Applied.record(key); record != nil && !record.Created {
			action = ActionRelease
		}
		plan.Objects[key] = ObjectPlan{Action: action}
	}
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
	list, found := s.runner.want(ctx, s, s.set, prior, saltOf(parent))
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
			if w.stage == stage {
				of = append(of, w)
			}
		}
		plans := make([]ObjectPlan, len(of))
		issues := make([]Problems, len(of))
		overObjects(len(of), func(i int) { plans[i], issues[i] = s.planObject(ctx, of[i], changing) })
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
	prune(plan, prior)
	return plan, found
}

func (s *site) planObject(ctx context.Context, w wanted, changing map[string]bool) (ObjectPlan, Problems) {
	if w.Unchanged() {
		return ObjectPlan{Fields: w.Prior}, nil
	}
	guess := w.difference(w.Predicted())
	guess.Fields = nil
	if w.pending {
		return guess, nil
	}
	w.Live, w.Absent = s.seen.lookup(w.Key)
	out, err := s.server.Preview(ctx, w.Wanted)
	err = s.client.Classify(err)
	key := w.Key
	switch {
	case err == nil:
	case missingNamespace(err):
		if s.runner.promisedNamespace(s.name, w.Key.Namespace) {
			return guess, nil
		}
		return guess, Problems{{Cluster: s.name, Object: &key, Warning: true,
			Err: fmt.Errorf("the namespace %s does not exist, and nothing in this run is known to create it", w.Key.Namespace)}}
	case changing[w.Object.GroupVersionKind().GroupKind().String()] && (apierrors.IsInvalid(err) || apierrors.IsBadRequest(err)):
		return guess, nil
	case lost(err):
		guess.Fields = w.Predicted()
		return guess, Problems{{Cluster: s.name, Object: &key, Err: err, Warning: true}}
	default:
		return guess, Problems{{Cluster: s.name, Object: &key, Err: err}}
	}
	if out.Created {
		s.seen.note(w.Key, nil)
	} else if out.Live != nil {
		s.seen.note(w.Key, out.Live)
	}
	plan := w.difference(w.Predicted())
	plan.Corrected = out.Corrected
	switch {
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
	var notes Problems
	if out.Adopted {
		notes = Problems{{Cluster: s.name, Object: &key, Warning: true,
			Err: errors.New("the object was there before and is the same; the set adopts it, and will release it, not delete it, in the end")}}
	}
	return plan, notes
}

// difference is the plan for an object that will have the fields.
func (w wanted) difference(fields ssa.Fields) ObjectPlan {
	plan := ObjectPlan{Fields: fields}
	if w.Prior == nil {
		plan.Action = ActionCreate
		return plan
	}
	plan.Changes = ssa.Diff(w.Prior, fields)
	switch {
	case len(plan.Changes) == 0:
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
