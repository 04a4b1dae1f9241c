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
	Key      string           `json:"key"`
	Operator SelectorOperator `json:"operator"`
	Values   []string         `json:"values,omitempty"`
}

// Selector chooses clusters. All that is set must hold; an empty selector matches every cluster.
type Selector struct {
	// MatchLabels are label values that must be equal.
	MatchLabels map[string]string `json:"match_labels,omitempty"`
	// MatchExpressions are further conditions on labels.
	MatchExpressions []Requirement `json:"match_expressions,omitempty"`
	// Names are the only clusters considered, when not empty.
	Names []string `json:"names,omitempty"`
	// Exclude are clusters that never match.
	Exclude []string `json:"exclude,omitempty"`
	// CEL is an expression over the variable cluster that yields a bool.
	CEL string `json:"cel,omitempty"`
}
