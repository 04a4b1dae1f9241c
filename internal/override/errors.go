package override

import (
	"fmt"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Problem says what is wrong with a rule, whatever the cluster and the object.
type Problem struct {
	// Argument is the argument, such as merge_patch, with the operation or the image where it is about one: json_patch[1],
	// images["nginx"].tag. It is empty where the rule as a whole is wrong.
	Argument string
	// Line is the line of the text, from 1; 0 where it is not known.
	Line int
	// Path is the place in the patch: a JSON pointer in a JSON patch, else a field path. It is empty where the patch as a whole
	// is wrong.
	Path string
	// Detail says what was found, what was expected and what to write instead.
	Detail string
}

func (p Problem) String() string {
	at := p.Argument
	if p.Line > 0 {
		at = joined(at, fmt.Sprintf("line %d", p.Line))
	}
	at = joined(at, p.Path)
	if at == "" {
		return p.Detail
	}
	return at + ": " + p.Detail
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// InvalidRuleError says that a rule cannot be used, and lists all that is wrong with it.
type InvalidRuleError struct {
	// Rule is the position of the rule, from 0.
	Rule     int
	Problems []Problem
}

func (e *InvalidRuleError) Error() string {
	texts := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		separator := "."
		if p.Argument == "" {
			separator = ": "
		}
		texts = append(texts, fmt.Sprintf("overrides[%d]%s%s", e.Rule, separator, p))
	}
	return strings.Join(texts, "\n")
}

// Error says why a rule cannot be applied on a cluster.
type Error struct {
	// Rule is the position of the rule, from 0.
	Rule    int
	Cluster string
	// Key is the object; zero where it could not be told whether the rule is for the cluster.
	Key fleet.ObjectKey
	// Argument and Path are the place in the rule, as in Problem. The place is in the object as well: the fields of a merge patch
	// are those of the object.
	Argument string
	Path     string
	// Detail says what was found, what was expected and what to write instead.
	Detail string
	// Cause is what the rule's Clusters returned; nil where something else is wrong.
	Cause error
}

func (e *Error) Error() string {
	at := e.Cluster
	if e.Key != (fleet.ObjectKey{}) {
		at += ", " + e.Key.String()
	}
	return fmt.Sprintf("%s: overrides[%d].%s", at, e.Rule, Problem{Argument: e.Argument, Path: e.Path, Detail: e.Detail})
}

func (e *Error) Unwrap() error { return e.Cause }

// Errors are all that went wrong on one cluster, in the order of the objects and the rules.
type Errors = fleet.Errors[*Error]

// failure is an Error that does not know its rule, cluster and object.
type failure struct {
	argument string
	path     string
	detail   string
}
