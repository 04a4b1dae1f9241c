package fleet

// SelectorOperator relates a label's value to a requirement's values.
type SelectorOperator string

// The operators of a label requirement; the meaning is Kubernetes'.
const (
	OperatorIn           SelectorOperator = "In"
	OperatorNotIn        SelectorOperator = "NotIn"
	OperatorExists       SelectorOperator = "Exists"
	OperatorDoesNotExist SelectorOperator = "DoesNotExist"
)

// Requirement is one condition on a cluster's labels.
type Requirement struct {
	Key      string
	Operator SelectorOperator
	Values   []string
}

// Selector chooses clusters. All that is set must hold; an empty selector matches every cluster.
type Selector struct {
	// MatchLabels are label values that must be equal.
	MatchLabels map[string]string
	// MatchExpressions are further conditions on labels.
	MatchExpressions []Requirement
	// Names are the only clusters considered, when not empty.
	Names []string
	// Exclude are clusters that never match.
	Exclude []string
	// CEL is an expression over the variable cluster that yields a bool.
	CEL string
}
