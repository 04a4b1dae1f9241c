package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// planCluster decides about one cluster. Which of the cases holds is told from the state and the configuration, never
// from whether the cluster happens to answer right now, because the same plan is made again at apply.
func (r *Runner) planCluster(ctx context.Context, set Set, name string, state State) (ClusterPlan, Problems) {
	prior, known := state[name]
	if known && prior.replacedBy(set.Clusters[name]) {
		prior, known = ClusterState{}, false
	}
	plan, found := r.planCase(ctx, set.on(prior), name, prior, known)
	plan.assign(set, name, prior, known)
	found = append(found, planParent(&plan, set, name, prior)...)
	if known {
		found = append(found, r.planMove(ctx, set, withCluster(prior, r.target(set, state, name).Cluster), &plan)...)
	}
	if _, stays := set.Clusters[name]; stays && !known && plan.Deferred == "" && !plan.Gone {
		if !plan.Unknown || !set.WriteOnlyUnknown && !set.maySkip(set.Clusters[name]) {
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
	if h, held := set.Held[name]; held {
		if plan, keeps := h.keepHeld(prior, known); keeps {
			return plan, nil
		}
		set.WriteOnlyUnknown = set.WriteOnlyUnknown || h.stale
	}
	switch {
	case !known && set.WriteOnlyUnknown:
		// How many objects it gets, and which, is not known.
		return ClusterPlan{Unknown: true}, nil
	case !known && neverAnswered(set, c):
		// Also under defer: a plan made before the fleet_cluster was registered could not know that it is offline.
		return ClusterPlan{Unknown: true}, nil
	case known && prior.unreachable() && set.unreachable(c) == fleet.UnreachableDefer:
		return r.keepAll(ctx, set, prior, "the cluster does not answer"), nil
	case known && prior.unread():
		return r.planOffline(ctx, set, prior, false)
	}
	if known && !delegated(c) {
		if plan, quiet := r.planQuiet(ctx, set, prior); quiet {
			return plan, nil
		}
	}
	if known && prior.Applied.Moving != "" {
		// Half of the objects have another manager than the other half.
		return ClusterPlan{Unknown: true}, nil
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
	return ClusterPlan{Deferred: why, Owed: !ok || quiet.Unsettled, Objects: prior.asTheyAre()}
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
	if why != "" {
		return ClusterPlan{Deferred: why, Owed: true, Objects: prior.asTheyAre()}, nil
	}
	plan := ClusterPlan{Leaving: true, Objects: map[fleet.ObjectKey]ObjectPlan{}}
	return plan, prune(set, plan, prior)
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
		treat, err := set.treat(prior.Cluster, key, set.labelsOf(prior.Cluster, key, fields))
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
			if isNamespace(w.Key) && plans[i].Action == ActionCreate {
				s.expect(w.Key.Name)
			}
			if w.Key.Kind == "CustomResourceDefinition" && plans[i].Action != ActionNone {
				for _, d := range manifest.DefinedKinds([]manifest.Object{{Unstructured: w.Object, Key: w.Key}}) {
					changing[d.GroupKind.String()] = true
				}
			}
		}
	}
	plan.skip(skips, prior)
	found = append(found, prune(s.set, plan, prior)...)
	if text := s.server.unsure(); text != "" && plan.acts() {
		found = append(found, Problem{Cluster: s.name, Err: errors.New(text), Warning: true})
	}
	return plan, found
}

func isNamespace(key fleet.ObjectKey) bool { return key.Group == "" && key.Kind == "Namespace" }

// expect notes that a namespace is created by the set, and that nothing is in it yet.
func (s *site) expect(namespace string) {
	if s.coming == nil {
		s.coming = map[string]bool{}
	}
	s.coming[namespace] = true
}

// untouched tells of an object that nobody has asked for whether it cannot be there: the apply has just created its namespace. What Kubernetes itself puts into
// every namespace may be.
func (s *site) untouched(key fleet.ObjectKey) bool {
	return s.coming[key.Namespace] && key != fleet.ObjectKey{Kind: "ServiceAccount", Namespace: key.Namespace, Name: "default"} &&
		key != fleet.ObjectKey{Kind: "ConfigMap", Namespace: key.Namespace, Name: "kube-root-ca.crt"}
}

// Keys are the plan's objects in a stable order.
func (c ClusterPlan) Keys() []fleet.ObjectKey {
	return slices.SortedFunc(maps.Keys(c.Objects), fleet.ObjectKey.Compare)
}
