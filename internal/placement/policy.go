package placement

// Policy says which clusters are wanted. The zero value chooses every cluster that may be chosen at all.
type Policy struct {
	// Selectors choose the clusters considered: those that any of them matches, or all when there are none.
	Selectors []*Selector
	// RequiredAPIs are APIs that a cluster must serve, as "group/version/Kind", and "v1/Kind" in the core group.
	RequiredAPIs []string
	// Tolerations say which taints do not matter.
	Tolerations []Toleration
	// Lost are clusters that count as lost: they are not chosen, whatever else holds.
	Lost []string
	// NumberOfClusters bounds how many are chosen; nil takes all that fit.
	NumberOfClusters *int64
	// Spread are constraints on how the chosen ones are spread over groups of clusters. All must hold.
	Spread []Spread
	// Prioritizers say which clusters are better. They add to the defaults, or override their weights.
	Prioritizers []Prioritizer
	// Affinities are ordered groups of clusters, of which one is in use: the first that can give what is asked for.
	Affinities []Affinity
	// Failover says which clusters count as lost; the zero value is FailoverManual.
	Failover Failover
	// Failback returns to an earlier affinity as soon as that can give what is asked for.
	Failback bool
	// Groups are the decision groups, in order, that chosen clusters are divided into.
	Groups []Group
	// Weights are the shares of chosen clusters where replicas are divided; nil gives none.
	Weights *Weights
}

// limited tells whether there may be fewer chosen clusters than fit, so that their scores matter.
func (p *Policy) limited() bool { return p.NumberOfClusters != nil || len(p.Spread) > 0 }

// Failover says which clusters count as lost.
type Failover string

// The ways of failing over.
const (
	// FailoverManual counts as lost only what is named in Lost.
	FailoverManual Failover = "manual"
	// FailoverAutomatic counts clusters that do not answer as lost, too.
	FailoverAutomatic Failover = "automatic"
)

// Toleration makes a taint not matter. Its meaning is Open Cluster Management's.
type Toleration struct {
	// Key is the key of the taints meant; empty means all, with operator Exists.
	Key string
	// Operator relates the value; empty is TolerationEqual.
	Operator TolerationOperator
	Value    string
	// Effect is the effect of the taints meant; empty means all.
	Effect string
	// Seconds bounds how long a taint is tolerated from when it was added; nil is for ever.
	Seconds *int64
}

// TolerationOperator relates a taint's value to a toleration's.
type TolerationOperator string

// The operators of a toleration.
const (
	TolerationEqual  TolerationOperator = "Equal"
	TolerationExists TolerationOperator = "Exists"
)

// Unsatisfiable says what becomes of a spread constraint that cannot be kept.
type Unsatisfiable string

// What becomes of it.
const (
	// DoNotSchedule keeps to the constraint and chooses fewer clusters, or fails where it asks for more groups than are.
	DoNotSchedule Unsatisfiable = "DoNotSchedule"
	// ScheduleAnyway keeps to it as far as it can, and says how far that was.
	ScheduleAnyway Unsatisfiable = "ScheduleAnyway"
)

// TopologyType says where clusters have the value that groups them.
type TopologyType string

// The topology types.
const (
	TopologyLabel    TopologyType = "label"
	TopologyProperty TopologyType = "property"
)

// Spread spreads the chosen clusters over groups: a group is the clusters with the same value of a label or property.
type Spread struct {
	Key string
	// Type is where the value is looked up; empty is TopologyLabel.
	Type TopologyType
	// MaxSkew bounds by how many clusters a group may be ahead of the one with the fewest; nil does not.
	MaxSkew *int64
	// MinGroups and MaxGroups bound how many groups there are chosen clusters in; nil does not.
	MinGroups *int64
	MaxGroups *int64
	// WhenUnsatisfiable is DoNotSchedule when empty.
	WhenUnsatisfiable Unsatisfiable
}

func (s Spread) hard() bool { return s.WhenUnsatisfiable != ScheduleAnyway }

func (s Spread) kind() TopologyType {
	if s.Type == "" {
		return TopologyLabel
	}
	return s.Type
}

// String names what is spread over, as in "label region".
func (s Spread) String() string { return string(s.kind()) + " " + s.Key }

// PrioritizerType is a kind of prioritizer.
type PrioritizerType string

// The prioritizers. Each gives a cluster between -100 and 100.
const (
	// Steady gives 100 to what was chosen before.
	Steady PrioritizerType = "Steady"
	// Balance gives more to clusters that fewer of the other placements have chosen.
	Balance PrioritizerType = "Balance"
	// AvoidTainted gives -100 to clusters with a PreferNoSelect taint that is not tolerated.
	AvoidTainted PrioritizerType = "PreferNoSelect"
	// AllocatableCPU and AllocatableMemory give more to clusters with more of it.
	AllocatableCPU    PrioritizerType = "ResourceAllocatableCPU"
	AllocatableMemory PrioritizerType = "ResourceAllocatableMemory"
	// PropertyScore gives more to clusters with a greater value of a property.
	PropertyScore PrioritizerType = "Property"
	// ExpressionScore gives more to clusters for which an expression yields a greater number.
	ExpressionScore PrioritizerType = "CEL"
)

// Prioritizer says how much one thing matters.
type Prioritizer struct {
	Type PrioritizerType
	// Weight is what the score is multiplied by, from -10 to 10; 0 disables.
	Weight int64
	// Property is the property that PropertyScore reads: a number or a Kubernetes quantity.
	Property string
	// Expression is what ExpressionScore evaluates.
	Expression *NumberExpression
}

// Affinity is one of several groups of clusters to be chosen from.
type Affinity struct {
	Name string
	// Selector matches the group's clusters; nil matches all.
	Selector *Selector
}

// Group is a decision group: a part of the chosen clusters that a rollout can treat as one.
type Group struct {
	Name string
	// Selector matches the clusters that may be in it; nil matches all.
	Selector *Selector
	// Size bounds how many clusters it takes; the zero value does not.
	Size Size
}

// RestGroup is the group of chosen clusters that no declared group takes.
const RestGroup = "rest"

// WeightSource says where weights come from.
type WeightSource string

// The sources of weights.
const (
	// WeightEqual gives every cluster 1.
	WeightEqual WeightSource = "equal"
	// WeightCPU gives a cluster its allocatable CPUs, WeightMemory its allocatable memory in GiB; in whole numbers, at
	// least 1.
	WeightCPU    WeightSource = "cpu"
	WeightMemory WeightSource = "memory"
	// WeightStatic gives a cluster what the first rule says that matches it, and 0 where none does.
	WeightStatic WeightSource = "static"
)

// Weights are the shares of clusters where replicas are divided.
type Weights struct {
	Source WeightSource
	// Min and Max bound how many replicas a cluster gets; nil does not.
	Min    *int64
	Max    *int64
	Static []StaticWeight
}

// StaticWeight gives a weight to the clusters that a selector matches.
type StaticWeight struct {
	// Selector is nil for all clusters.
	Selector *Selector
	Weight   int64
	// Min and Max take the place of those of Weights; nil does not.
	Min *int64
	Max *int64
}
