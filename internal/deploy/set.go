package deploy

import (
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
	"github.com/fleetform/terraform-provider-fleet/internal/policy"
	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// Set is what one fleet_manifest wants: objects that belong together, on some clusters.
type Set struct {
	// Name is the set's name on every cluster.
	Name string
	// Owner is the configuration the set belongs to.
	Owner string
	// Instance is the resource instance; a replacement has another one.
	Instance string
	// Clusters are the clusters the set is to be on, by name.
	Clusters map[string]fleet.Cluster
	// UnknownAccess names the clusters whose connection is not known yet.
	UnknownAccess map[string]bool
	// UnknownUID names the clusters whose uid is not known yet, as against those that never answered.
	UnknownUID map[string]bool
	// Objects are what every cluster gets.
	Objects []manifest.Object
	// Own are what single clusters get beyond that, by cluster.
	Own map[string][]manifest.Object
	// Excluded are the objects that overrides leave out, by cluster.
	Excluded map[string][]override.Exclusion
	// WriteOnlyUnknown tells that the write-only manifests are not known yet; what is there of them stays as it is.
	WriteOnlyUnknown bool
	// Same are the objects, as their manifests name them, that the state's manifests have as well, word for word.
	Same map[fleet.ObjectKey]bool
	// Source is what the objects are made of, and Revision names it.
	Source   Source
	Revision string
	// Before is what the state's manifests say, and BeforeRevision names it; nil where there is no state, or it cannot be told.
	Before         *Source
	BeforeRevision string
	// Rollout says in which order the clusters get a revision; nil is all at once.
	Rollout *rollout.Strategy
	// Held are the clusters that are behind the rollout's Through, by name, with what they keep; Assign fills it in.
	Held map[string]Held
	// WriteOnlyVersion changes when the write-only manifests are to be sent again.
	WriteOnlyVersion string
	// Namespace is the default for namespaced objects that name none.
	Namespace string
	// Inventory is the namespace of the inventory.
	Inventory string
	// Namespaced tells that nothing may be asked or written outside of namespaces: objects are listed namespace by namespace.
	Namespaced bool
	// Unreachable is the set's policy for clusters that do not answer.
	Unreachable fleet.UnreachablePolicy
	// Policy is how the set treats what is not only its own, and Rules are exceptions from it.
	Policy Policy
	Rules  []Rule
	// Ignore are fields that are neither sent nor compared, and Sensitive fields whose values are shown as digests only.
	Ignore    []FieldRule
	Sensitive []FieldRule
	// Absorb are the field managers from which the set takes over when it adopts an object.
	Absorb []fleet.Glob
	// Propagation is how dependents of a deleted object are deleted; empty is Foreground.
	Propagation metav1.DeletionPropagation
	// Abandon names clusters that left the configuration and will never answer.
	Abandon []string
	// Takeover is the owner from whom the set is to be taken; empty is none.
	Takeover string
	// Limits bound what a plan may do.
	Limits Limits
	// Policies judge what every cluster is to have; Judged tells that there are any, also where they are not read.
	Policies []*policy.Policy
	Judged   bool
	// Divide tells that the replicas of objects are divided over the clusters by weight.
	Divide bool

	numbers numbers
	// scales are where kinds that the set defines keep their replicas; set with numbers.
	scales map[schema.GroupKind][]string
	// past is what the state's manifests make, where that is needed.
	past *past
	// in is where the clusters stand in the rollout, and completed is the revision to which the last rollout came to its end; both are set where they matter.
	in        map[string]rank
	completed string
	// report is told how the work gets on, and turn how it does on the cluster that the set is applied to.
	report *report
	turn   *turn
	// Wait says what an apply waits for.
	Wait Wait
}

// Wait says what an apply waits for on each cluster.
type Wait struct {
	// Ready tells whether to wait until every object is healthy.
	Ready bool
	// Timeout is how long one cluster may take, and how long an object may take to be gone.
	Timeout time.Duration
	// Checks say what the health of kinds is; nil leaves it to their own status.
	Checks *health.Checks
}

// objects are what the cluster gets.
func (s Set) objects(cluster string) []manifest.Object {
	if h, held := s.Held[cluster]; held {
		return h.objects
	}
	return append(s.Objects[:len(s.Objects):len(s.Objects)], s.Own[cluster]...)
}

// id names the set on every cluster: an inventory holds one set of a name.
func (s Set) id() string { return s.Inventory + "/" + s.Name }

// unreachable is the policy that holds for the cluster.
func (s Set) unreachable(c fleet.Cluster) fleet.UnreachablePolicy {
	switch {
	case s.Unreachable != "" && s.Unreachable != fleet.UnreachableInherit:
		return s.Unreachable
	case c.Unreachable != "":
		return c.Unreachable
	}
	return fleet.UnreachableError
}

// Phase is where the set stands on a cluster.
type Phase string

// The phases of a set on a cluster.
const (
	// PhaseApplied says all objects are applied, and healthy if the set waits for that.
	PhaseApplied Phase = "Applied"
	// PhaseFailed says the last apply ended with an error on this cluster.
	PhaseFailed Phase = "Failed"
	// PhaseHeld says that the cluster has nothing of the set yet, and gets nothing before its wave is promoted.
	PhaseHeld Phase = "Held"
	// PhaseDeferred says the cluster is left alone for now; what it is owed comes with a later apply.
	PhaseDeferred Phase = "Deferred"
)

// Status is the set's standing on one cluster.
type Status struct {
	// Phase is what came of the last apply.
	Phase Phase
	// Health is how the objects are doing; health.Unknown says that the cluster did not answer the last read.
	Health health.State
	// Message says why, where there is a why.
	Message string
	// Revision is what the cluster runs, in part at least; empty where it runs nothing.
	Revision string
	// Wave is the wave of the rollout that the cluster is in; empty where there are no waves.
	Wave string
}

// Ready tells whether everything that is to be there is applied and, as far as is known, healthy.
func (s Status) Ready() bool { return s.Settled() && (s.Health == health.Current || s.Health == "") }

// Settled tells whether nothing is owed to the cluster as far as its status goes.
func (s Status) Settled() bool { return s.Phase == PhaseApplied || s.Phase == PhaseHeld }

// State is what is known of a set from before, by cluster.
type State map[string]ClusterState

// ClusterState is what is known of a set on one cluster.
type ClusterState struct {
	// Cluster is how to reach it.
	Cluster fleet.Cluster
	// Objects are the live values of what the set applied.
	Objects map[fleet.ObjectKey]ssa.Fields
	// Applied is what the last apply noted.
	Applied Applied
	// Status is the set's standing.
	Status Status
	// Name is what the set is called on the cluster; empty is the set's name.
	Name string
	// Touched tells that this run has written to the cluster; it is not kept.
	Touched bool
}

// replacedBy tells that the fleet_cluster was replaced on purpose: what was on the old cluster is not on the new one.
func (c ClusterState) replacedBy(now fleet.Cluster) bool {
	return c.Cluster.UID != "" && now.UID != "" && now.UID != c.Cluster.UID
}

// asTheyAre is the plan for objects that stay as they are known.
func (c ClusterState) asTheyAre() map[fleet.ObjectKey]ObjectPlan {
	objects := make(map[fleet.ObjectKey]ObjectPlan, len(c.Objects))
	for key, fields := range c.Objects {
		objects[key] = ObjectPlan{Fields: fields}
	}
	return objects
}

// Touched tells whether this run has written to any cluster.
func (s State) Touched() bool {
	for _, c := range s {
		if c.Touched {
			return true
		}
	}
	return false
}

// unread tells whether the last read learned nothing of the cluster.
func (c ClusterState) unread() bool {
	return c.Status.Health == health.Unknown || c.Status.Health == health.Denied
}

// unreachable tells whether that was for want of an answer, as against a refusal, which nobody would want to wait out.
func (c ClusterState) unreachable() bool { return c.Status.Health == health.Unknown }

// Applied is what state keeps of the last apply on a cluster, as one compact JSON text.
type Applied struct {
	// Kinds are where the cluster serves the kinds, so that no discovery is needed while nothing changes.
	Kinds map[string]Served `json:"k,omitempty"`
	// Skipped are the kinds, in a version, that the cluster does not serve and whose objects are left out there.
	Skipped map[string]Skip `json:"s,omitempty"`
	// Objects are the records by object key.
	Objects map[string]ssa.Record `json:"o,omitempty"`
	// Inventory is the namespace of the inventory.
	Inventory string `json:"i,omitempty"`
	// Parent is what is known of the inventory itself.
	Parent Parentage `json:"p,omitzero"`
	// Access is how to reach a cluster that left the configuration while something was owed to it.
	Access string `json:"x,omitempty"`
	// UID is that cluster's uid.
	UID string `json:"u,omitempty"`
	// Unreachable is what to do when that cluster does not answer, and Mode whether it takes part.
	Unreachable fleet.UnreachablePolicy `json:"d,omitempty"`
	Mode        fleet.Mode              `json:"m,omitempty"`
	// Member tells that the cluster did not answer the last read, and was still in the fleet then.
	Member bool `json:"b,omitempty"`
	// From is the owner from whom an import is to take the set at the next apply.
	From string `json:"f,omitempty"`
	// Name is what the set is called on this cluster, where that is still another name than in the state.
	Name string `json:"n,omitempty"`
	// Absent are the objects with a record that are not there, where state has only digests of the others.
	Absent []string `json:"a,omitempty"`
	// Moving is the inventory's namespace and the name, as "namespace/name", that an interrupted move was to give the set.
	Moving string `json:"t,omitempty"`
}

// Served is where a cluster serves a kind.
type Served struct {
	Version    string `json:"v"`
	Resource   string `json:"r"`
	Namespaced bool   `json:"n,omitempty"`
}

// JSON prints the record compactly and always the same.
func (a Applied) JSON() (string, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("encode what was applied: %w", err)
	}
	return string(text), nil
}

// ParseApplied reads what JSON printed; the empty text is an empty record.
func ParseApplied(text string) (Applied, error) {
	var a Applied
	if text == "" {
		return a, nil
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return a, fmt.Errorf("read what was applied: %w", err)
	}
	return a, nil
}

// owe keeps how to reach a cluster that is no longer in the configuration, as long as something is owed to it.
func (a *Applied) owe(c fleet.Cluster) {
	a.Access, a.UID, a.Unreachable, a.Mode = c.Access, c.UID, c.Unreachable, c.Mode
}

// record returns what was noted of the object.
func (a Applied) record(key fleet.ObjectKey) *ssa.Record {
	if r, ok := a.Objects[key.String()]; ok {
		return &r
	}
	return nil
}
