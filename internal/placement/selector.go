package placement

import (
	"maps"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Selector is a checked selector, ready to judge clusters. It may be used by several goroutines at once.
type Selector struct {
	spec       fleet.Selector
	names      []string
	exclude    []string
	conditions []condition
}

// Spec is what the selector was compiled from.
func (s *Selector) Spec() fleet.Selector { return s.spec }

// condition is one thing that must hold. The conditions of a selector are asked in a fixed order, which decides
// the reason that is given where several fail.
type condition interface {
	judge(c fleet.Cluster, unknown Unknown) (Verdict, *EvaluationError)
}

// Compile checks a selector. The error is an [*InvalidSelectorError] that lists every problem.
func Compile(sel fleet.Selector) (*Selector, error) {
	s := &Selector{spec: sel, names: sel.Names, exclude: sel.Exclude}
	var problems []Problem
	if len(sel.Names) > 0 {
		s.conditions = append(s.conditions, amongNames(sel.Names))
	}
	if len(sel.Exclude) > 0 {
		s.conditions = append(s.conditions, notExcluded(sel.Exclude))
	}
	for _, key := range slices.Sorted(maps.Keys(sel.MatchLabels)) {
		value := sel.MatchLabels[key]
		problems = append(problems, checkLabel(key, value)...)
		s.conditions = append(s.conditions, labelCondition{key: key, operator: fleet.OperatorIn, values: []string{value}})
	}
	for i, requirement := range sel.MatchExpressions {
		problems = append(problems, checkRequirement(i, requirement)...)
		s.conditions = append(s.conditions, labelCondition{
			key: requirement.Key, operator: requirement.Operator, values: requirement.Values,
		})
	}
	if sel.CEL != "" {
		expression, detail := compileExpression(sel.CEL, yieldsBool)
		if detail != "" {
			problems = append(problems, Problem{Argument: "cel", Index: -1, Detail: detail})
		}
		s.conditions = append(s.conditions, expression)
	}
	if len(problems) > 0 {
		return nil, &InvalidSelectorError{Problems: problems}
	}
	return s, nil
}

// Match tells whether a cluster about which everything is known is chosen, and if not, why.
func (s *Selector) Match(c fleet.Cluster) (ok bool, reason string, err error) {
	verdict, err := s.Judge(c, nil)
	return verdict.Outcome == Matches, verdict.Reason, err
}

// Judge is Match for a cluster of which some parts are unknown. A condition that fails on what is known decides,
// whatever else is unknown. The error is an [*EvaluationError].
func (s *Selector) Judge(c fleet.Cluster, unknown Unknown) (Verdict, error) {
	verdict, failed := s.judge(c, unknown)
	if failed != nil {
		return undecided, failed
	}
	return verdict, nil
}

func (s *Selector) judge(c fleet.Cluster, unknown Unknown) (Verdict, *EvaluationError) {
	sofar := matches
	for _, condition := range s.conditions {
		verdict, failed := condition.judge(c, unknown)
		switch {
		case failed != nil && sofar.Outcome == Matches:
			return undecided, failed
		case failed != nil:
			// An earlier condition may yet fail, and this one is then never asked.
			return undecided, nil //nolint:nilerr // what an undecided selector would have run into is no error yet
		case verdict.Outcome == Fails && sofar.Outcome == Undecided:
			// An earlier condition may yet fail, and the reason is then another.
			return fails(""), nil
		case verdict.Outcome == Fails:
			return verdict, nil
		case verdict.Outcome == Undecided:
			sofar = undecided
		}
	}
	return sofar, nil
}

// amongNames holds for the clusters named.
type amongNames []string

func (n amongNames) judge(c fleet.Cluster, _ Unknown) (Verdict, *EvaluationError) {
	if slices.Contains(n, c.Name) {
		return matches, nil
	}
	return fails("not among the names " + list(n, "%s")), nil
}

// notExcluded holds for the clusters not named.
type notExcluded []string

func (n notExcluded) judge(c fleet.Cluster, _ Unknown) (Verdict, *EvaluationError) {
	if slices.Contains(n, c.Name) {
		return fails("excluded by name"), nil
	}
	return matches, nil
}
