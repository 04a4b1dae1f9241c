package fleet

import (
	"maps"
	"time"
)

// Mode says whether a cluster takes part in the fleet's work.
type Mode string

// The modes of a cluster.
const (
	// ModeActive is the default: the cluster is read, planned and applied to.
	ModeActive Mode = "active"
	// ModeMaintenance leaves the cluster alone quietly and reports what it is owed as deferred.
	ModeMaintenance Mode = "maintenance"
	// ModeDecommissioned says the cluster is gone for good: what was there is forgotten without contact.
	ModeDecommissioned Mode = "decommissioned"
)

// UnreachablePolicy says what a set does at apply with a cluster that does not answer.
type UnreachablePolicy string

// The policies for unreachable clusters.
const (
	// UnreachableInherit takes the cluster's own policy; valid on a set only.
	UnreachableInherit UnreachablePolicy = "inherit"
	// UnreachableError fails the apply for that cluster, after all others were done.
	UnreachableError UnreachablePolicy = "error"
	// UnreachableDefer keeps what is known and reports the cluster as deferred.
	UnreachableDefer UnreachablePolicy = "defer"
)

// Cluster is one member of the fleet, as the configuration and the last contact describe it.
type Cluster struct {
	// Name identifies the cluster within the fleet.
	Name string
	// UID is the UID of the namespace that identifies the cluster, kube-system unless the inventory keeps to namespaces; empty until
	// it first answered.
	UID string
	// Labels are what selectors match.
	Labels map[string]string
	// Properties are free-form values for templates, scores and CEL.
	Properties map[string]string
	// Taints keep sets away that do not tolerate them.
	Taints []Taint
	// Minor is the Kubernetes minor version, such as "1.36"; empty until the cluster first answered.
	Minor string
	// KubernetesVersion is the whole version, such as "v1.36.3".
	KubernetesVersion string
	// Platform is the API server's platform, such as "linux/amd64".
	Platform string
	// Access is the resolved secret-free connection as one JSON text.
	Access string
	// Mode says whether the cluster takes part.
	Mode Mode
	// Unreachable is what sets do when the cluster does not answer.
	Unreachable UnreachablePolicy
	// Reachable is what the last read found.
	Reachable bool
	// Facts is what discovery asked for.
	Facts Facts
	// Group is the decision group a placement put the cluster in.
	Group string
	// Weight is the cluster's share where replicas are divided.
	Weight int64
	// MinReplicas and MaxReplicas bound how many replicas the cluster gets there; a nil MaxReplicas does not.
	MinReplicas int64
	MaxReplicas *int64
}

// Active tells whether sets work on the cluster at all.
func (c Cluster) Active() bool { return c.Mode == "" || c.Mode == ModeActive }

// Clone returns a copy that shares no memory with c.
func (c Cluster) Clone() Cluster {
	c.Labels = maps.Clone(c.Labels)
	c.Properties = maps.Clone(c.Properties)
	c.Taints = append([]Taint(nil), c.Taints...)
	c.Facts = c.Facts.clone()
	return c
}

// TaintEffect says what a taint does to sets that do not tolerate it; the words are those of
// Open Cluster Management's ManagedCluster.
type TaintEffect string

// The taint effects.
const (
	// NoSelect keeps the cluster out of placements.
	NoSelect TaintEffect = "NoSelect"
	// PreferNoSelect makes other clusters preferred.
	PreferNoSelect TaintEffect = "PreferNoSelect"
	// NoSelectIfNew keeps the cluster out of placements that have not selected it yet.
	NoSelectIfNew TaintEffect = "NoSelectIfNew"
)

// Taint marks a cluster as unfit for sets that do not tolerate it.
type Taint struct {
	Key    string
	Value  string
	Effect TaintEffect
	// Added is when the cluster was tainted; zero where nobody said.
	Added time.Time
}

// Facts is what was discovered in a cluster, on request.
type Facts struct {
	// Nodes is the number of nodes.
	Nodes int64
	// Allocatable sums the nodes' allocatable resources, as Kubernetes quantities.
	Allocatable map[string]string
	// Regions and Zones come from the nodes' topology labels, sorted.
	Regions []string
	Zones   []string
	// APIs are the served "group/version/Kind" triples ("v1/ConfigMap" in the core group), sorted.
	APIs []string
	// Claims are what a cluster behind a hub claims of itself.
	Claims map[string]string
}

func (f Facts) clone() Facts {
	f.Allocatable = maps.Clone(f.Allocatable)
	f.Regions = append([]string(nil), f.Regions...)
	f.Zones = append([]string(nil), f.Zones...)
	f.APIs = append([]string(nil), f.APIs...)
	f.Claims = maps.Clone(f.Claims)
	return f
}
