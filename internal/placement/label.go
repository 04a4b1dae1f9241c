package placement

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// selectorOperators lists the operators as messages show them.
var selectorOperators = []string{
	string(fleet.OperatorIn), string(fleet.OperatorNotIn), string(fleet.OperatorExists), string(fleet.OperatorDoesNotExist),
}

// labelCondition relates one label to values; the meaning of the operators is Kubernetes'.
type labelCondition struct {
	key      string
	operator fleet.SelectorOperator
	values   []string
}

func (l labelCondition) judge(c fleet.Cluster, unknown Unknown) (Verdict, *EvaluationError) {
	// A value that is unknown may turn out to be null, so even whether the label is set is unknown.
	if unknown.Entry("labels", l.key) {
		return undecided, nil
	}
	value, set := c.Labels[l.key]
	if l.holds(value, set) {
		return matches, nil
	}
	return fails(l.reason(value, set)), nil
}

func (l labelCondition) holds(value string, set bool) bool {
	switch l.operator {
	case fleet.OperatorIn:
		return set && slices.Contains(l.values, value)
	case fleet.OperatorNotIn:
		return !set || !slices.Contains(l.values, value)
	case fleet.OperatorExists:
		return set
	default:
		return !set
	}
}

func (l labelCondition) reason(value string, set bool) string {
	found := fmt.Sprintf("label %s is not set", l.key)
	if set {
		found = fmt.Sprintf("label %s is %q", l.key, value)
	}
	one := len(l.values) == 1
	switch {
	case l.operator == fleet.OperatorExists:
		return found
	case l.operator == fleet.OperatorDoesNotExist:
		return found + ", want it not set"
	case l.operator == fleet.OperatorNotIn && one:
		return found + ", which is ruled out"
	case l.operator == fleet.OperatorNotIn:
		return found + ", want none of " + list(l.values, "%q")
	case set && one:
		return found + ", not " + list(l.values, "%q")
	case set:
		return found + ", not one of " + list(l.values, "%q")
	case one:
		return found + ", want " + list(l.values, "%q")
	default:
		return found + ", want one of " + list(l.values, "%q")
	}
}

// longestList is how many items a sentence names before it only counts them.
const longestList = 6

// list prints items with commas, and only the number of those that would make the sentence unreadable.
func list(items []string, format string) string {
	shown := make([]string, 0, longestList)
	for i, item := range items {
		if i == longestList-1 && len(items) > longestList {
			return strings.Join(shown, ", ") + fmt.Sprintf(" and %d more", len(items)-i)
		}
		shown = append(shown, fmt.Sprintf(format, item))
	}
	return strings.Join(shown, ", ")
}

// checkLabel checks one entry of match_labels.
func checkLabel(key, value string) []Problem {
	var problems []Problem
	for _, text := range content.IsLabelKey(key) {
		problems = append(problems, Problem{
			Argument: "match_labels", Key: key, Index: -1, Detail: fmt.Sprintf("%q cannot be a label's key: %s", key, text),
		})
	}
	for _, text := range content.IsLabelValue(value) {
		problems = append(problems, Problem{
			Argument: "match_labels", Key: key, Index: -1, Detail: fmt.Sprintf("%q cannot be a label's value: %s", value, text),
		})
	}
	return problems
}

// checkRequirement checks one item of match_expressions.
func checkRequirement(index int, r fleet.Requirement) []Problem {
	var problems []Problem
	add := func(field, format string, args ...any) {
		problems = append(problems, Problem{
			Argument: "match_expressions", Index: index, Field: field, Detail: fmt.Sprintf(format, args...),
		})
	}
	for _, text := range content.IsLabelKey(r.Key) {
		add("key", "%q cannot be a label's key: %s", r.Key, text)
	}
	switch r.Operator {
	case fleet.OperatorIn, fleet.OperatorNotIn:
		if len(r.Values) == 0 {
			add("values", "operator %s needs at least one value to compare with", r.Operator)
		}
	case fleet.OperatorExists, fleet.OperatorDoesNotExist:
		if len(r.Values) > 0 {
			add("values", "operator %s looks at the key only and takes no values", r.Operator)
		}
	default:
		add("operator", "there is no operator %q; want one of %s%s",
			r.Operator, strings.Join(selectorOperators, ", "), fleet.DidYouMean(string(r.Operator), selectorOperators))
	}
	for _, value := range r.Values {
		for _, text := range content.IsLabelValue(value) {
			add("values", "%q cannot be a label's value: %s", value, text)
		}
	}
	return problems
}
