package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem says what is wrong with one argument of a selector or of a policy.
type Problem struct {
	// Argument is the argument, such as "match_expressions" or "spread".
	Argument string
	// Key is the entry of match_labels; empty for other arguments.
	Key string
	// Index is the item of an argument that is a list; -1 for other arguments, and where the list as a whole is meant.
	Index int
	// Field is the field of that item, such as "operator"; empty where the whole item is meant.
	Field string
	// Detail says what was found and what was expected.
	Detail string
}

func (p Problem) String() string {
	at := p.Argument
	switch {
	case p.Key != "":
		at += fmt.Sprintf("[%q]", p.Key)
	case p.Index >= 0:
		at += fmt.Sprintf("[%d]", p.Index)
	}
	if p.Field != "" {
		at += "." + p.Field
	}
	return at + ": " + p.Detail
}

// listed prints problems on one line, behind what they are problems of.
func listed(prefix string, problems []Problem) string {
	texts := make([]string, 0, len(problems))
	for _, p := range problems {
		texts = append(texts, p.String())
	}
	return prefix + strings.Join(texts, "; ")
}

// InvalidSelectorError says that a selector cannot be used, and lists all that is wrong with it.
type InvalidSelectorError struct {
	Problems []Problem
}

func (e *InvalidSelectorError) Error() string {
	return listed("the selector cannot be used: ", e.Problems)
}

// InvalidPolicyError says that a placement cannot be decided as it is asked for, and lists all that is wrong with it. The
// arguments of its problems are those of the policy, such as "spread".
type InvalidPolicyError struct {
	Problems []Problem
}

func (e *InvalidPolicyError) Error() string {
	return listed("the placement cannot be decided: ", e.Problems)
}

// EvaluationError says that a CEL expression could not be evaluated for some clusters.
type EvaluationError struct {
	// Argument is the policy's argument the expression stands in, such as "prioritizers"; empty for the selectors.
	Argument string
	// Selector is the position of the expression's item in that argument, or of the selector in those given to Select; 0
	// where there was only one.
	Selector int
	// Clusters are the clusters it failed for, sorted.
	Clusters []string
	// Detail says what went wrong, where in the expression, and what to write instead.
	Detail string
}

func (e *EvaluationError) Error() string {
	noun := "cluster"
	if len(e.Clusters) > 1 {
		noun = "clusters"
	}
	return fmt.Sprintf("The cel expression cannot be evaluated for %s %s.\n%s", noun, list(e.Clusters, "%s"), e.Detail)
}

// EvaluationErrors are the ways in which CEL expressions failed, each once with all the clusters concerned.
type EvaluationErrors []*EvaluationError

func (e EvaluationErrors) Error() string {
	texts := make([]string, 0, len(e))
	for _, one := range e {
		texts = append(texts, one.Error())
	}
	return strings.Join(texts, "\n")
}

// grouped joins equal errors of several clusters into one, in an order that does not depend on that of the clusters.
func (e EvaluationErrors) grouped() EvaluationErrors {
	var groups EvaluationErrors
	for _, one := range e {
		same := slices.IndexFunc(groups, func(o *EvaluationError) bool {
			return o.Argument == one.Argument && o.Selector == one.Selector && o.Detail == one.Detail
		})
		if same < 0 {
			groups = append(groups, one)
			continue
		}
		groups[same].Clusters = append(groups[same].Clusters, one.Clusters...)
	}
	for _, one := range groups {
		slices.Sort(one.Clusters)
	}
	slices.SortFunc(groups, func(a, b *EvaluationError) int {
		return cmp.Or(cmp.Compare(a.Argument, b.Argument), cmp.Compare(a.Selector, b.Selector), cmp.Compare(a.Detail, b.Detail))
	})
	return groups
}
