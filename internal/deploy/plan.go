package deploy

import (
	"context"
	"sync"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// Action is what happens to an object.
type Action string

// The actions, in the words of the plan.
const (
	ActionNone    Action = ""
	ActionCreate  Action = "create"
	ActionUpdate  Action = "update"
	ActionCorrect Action = "correct"
	ActionAdopt   Action = "adopt"
	ActionReplace Action = "replace"
	ActionDelete  Action = "delete"
	ActionRelease Action = "release"
	ActionForget  Action = "forget"
)

// Plan is what an apply would do, by cluster.
type Plan struct {
	Clusters map[string]ClusterPlan
}

// ClusterPlan is what an apply would do on one cluster.
type ClusterPlan struct {
	// Unknown tells that nothing can be said before the apply.
	Unknown bool
	// New tells that nothing is known of the set on the cluster, so that all its objects, this many, are created.
	New int
	// Deferred tells that the cluster is left alone, and why.
	Deferred string
	// Owed tells that a deferred cluster lacks something.
	Owed bool
	// Leaving tells that the cluster is to have nothing of the set any more.
	Leaving bool
	// Gone tells that the cluster was decommissioned: nothing is known of it, and nothing is done there.
	Gone bool
	// Objects are the objects that will be there, and those that go.
	Objects map[fleet.ObjectKey]ObjectPlan
	// Skipped are the objects that are left out, and why, because the cluster does not serve their kinds.
	Skipped map[fleet.ObjectKey]string
	// Unsettled tells that the last apply did not end well here, so that another is due even if no object differs.
	Unsettled bool
	// Repair tells that the inventory was deleted and is written anew.
	Repair bool
	// TakeOver is the owner from whom the set is taken; empty where it is not.
	TakeOver string
	// Instruct tells that the inventory is to say something else about the end of the set's objects.
	Instruct bool
	// Noted tells that records differ though no object does, as after an import.
	Noted bool
	// Surplus is how many objects a successor finds on the cluster and deletes.
	Surplus int
	// Move says what name the set is moved from, and to; empty where it keeps its name.
	Move string
	// Revision is what the cluster is to run, and From what it runs; empty where it is nothing. Wave is the wave it is in.
	Revision, From, Wave string
	// Held tells that the cluster is behind the rollout's Through.
	Held bool
	// Advance tells that the inventory is to say another revision, whether or not objects change by that.
	Advance bool
	// Keep tells that the content of the revision that the cluster keeps is to be stored there.
	Keep bool
	// Renamed tells that state has to note another name for the cluster than for the set.
	Renamed bool
}

// ObjectPlan is what becomes of one object.
type ObjectPlan struct {
	Action Action
	// Fields are the values it will have; nil where only the apply can tell.
	Fields ssa.Fields
	// Changes are the fields that become different, told from what was known before and is wanted, not from the
	// live object, so that every plan of the same change says the same.
	Changes []ssa.Difference
	// Corrected are the drifted fields, with who drifted them, and Reported those that are left as they are.
	Corrected, Reported []ssa.Contention
	// Forced are the fields that are taken from other managers.
	Forced []ssa.Contention
	// Yielded are the fields that are left to other managers from now on, with the manager of each.
	Yielded map[string]string
	// Released are the fields that the set gives up; their values stay.
	Released []string
	// Absorbed are the managers from which an adopted object is taken over, and Dropped the fields that go by that.
	Absorbed []string
	Dropped  []ssa.Difference
	// Why says why an object is applied again of which no field changes, or why it is replaced.
	Why string
}

// Goes tells that the object will be the set's no longer, whether it is deleted or only given up.
func (o ObjectPlan) Goes() bool {
	return o.Action == ActionDelete || o.Action == ActionRelease || o.Action == ActionForget
}

// Changes tells whether an apply has anything to do on the cluster.
func (c ClusterPlan) Changes() bool { return c.Deferred == "" && (c.Noted || c.acts()) }

// acts tells whether the plan changes anything on the cluster, as against what state notes of it.
func (c ClusterPlan) acts() bool {
	if c.Unknown || c.Unsettled || c.Leaving || c.Repair || c.TakeOver != "" || c.Instruct || c.Move != "" || c.Advance || c.Keep {
		return true
	}
	for _, o := range c.Objects {
		if o.Action != ActionNone {
			return true
		}
	}
	return false
}

// Certain tells whether Sentences would say the same once everything is known.
func (p Plan) Certain() bool {
	for _, c := range p.Clusters {
		if c.Unknown && c.New == 0 {
			return false
		}
	}
	return true
}

// Plan tells what Apply would do. What it says for certain it says again when asked a second time, even if a cluster is
// lost in between.
func (r *Runner) Plan(ctx context.Context, set Set, state State) (Plan, Problems) {
	plan := Plan{Clusters: map[string]ClusterPlan{}}
	if found := r.Unusable(set, state); len(found) > 0 {
		return plan, found
	}
	set, found := set.divided(state)
	if len(found) > 0 {
		return plan, found
	}
	set.in = set.ranks()
	var mu sync.Mutex
	// What state knows was read a moment ago; only clusters that are new to the set may turn out dead here.
	fresh := map[string]string{}
	for name, c := range set.Clusters {
		if _, known := state[name]; !known && c.Active() && !set.UnknownAccess[name] && !neverAnswered(set, c) {
			fresh[name] = c.Access
		}
	}
	r.overClusters(ctx, "plan", set, clusterNames(set, state), fresh, func(name string) {
		one, problems := r.planCluster(ctx, set, name, state)
		problems = append(problems, r.atWork(set, name)...)
		problems = append(problems, r.review(ctx, set, name, state, one)...)
		mu.Lock()
		defer mu.Unlock()
		plan.Clusters[name] = one
		found = append(found, problems...)
	})
	found = r.nameServing(found)
	found = r.claimObjects(ctx, set, state, plan, found)
	if len(found.Errors()) == 0 {
		r.mu.Lock()
		r.plans[set.id()] = plan
		r.mu.Unlock()
	}
	return plan, found
}

// Planned returns the plan this process has just made of the set, so that an apply need not make it again; where there
// is none, it makes one, without the clusters that it fails for.
func (r *Runner) Planned(ctx context.Context, set Set, state State) (Plan, Problems) {
	id := set.id()
	r.mu.Lock()
	plan, ok := r.plans[id]
	delete(r.plans, id)
	r.mu.Unlock()
	if ok {
		return plan, nil
	}
	plan, found := r.Plan(ctx, set, state)
	for _, p := range found.Errors() {
		delete(plan.Clusters, p.Cluster)
	}
	return plan, found.Errors()
}

// neverAnswered tells that the fleet_cluster was registered while its site was offline.
func neverAnswered(set Set, c fleet.Cluster) bool {
	return c.Access != "" && c.UID == "" && !set.UnknownUID[c.Name]
}
