package placement

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"

	"github.com/fleetform/terraform-provider-fleet/internal/celtext"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// CELCostLimit bounds the work of one CEL expression on one cluster, in CEL's own units: about one per
// operation and per ten characters looked at. Comparing a few labels costs less than 20, walking all APIs of a
// cluster a few thousand; the limit is reached in about 50 ms, which a fleet of hundreds can still bear.
const CELCostLimit = 100_000

// environment declares the variable cluster with its fields, so that a misspelt one fails when the expression is
// compiled and not when it first runs.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(append([]cel.EnvOption{
		// Optional types register with the type provider that is in place, and NativeTypes takes none afterwards.
		cel.OptionalTypes(),
		ext.NativeTypes(reflect.TypeFor[clusterView](), ext.ParseStructTags(true)),
		cel.Variable("cluster", cel.ObjectType(clusterType)),
		ext.Strings(),
	}, celtext.Options()...)...)
})

// expression is a condition written in CEL.
type expression struct {
	text    string
	ast     *cel.Ast
	program cel.Program
}

// yields says what an expression is for: the types it may have, and how to ask for one.
type yields struct {
	types []*cel.Type
	want  string
}

var (
	yieldsBool   = yields{[]*cel.Type{cel.BoolType}, `bool, such as cluster.labels.region == "eu"`}
	yieldsNumber = yields{[]*cel.Type{cel.IntType, cel.UintType, cel.DoubleType}, `a number, such as cluster.facts.nodes`}
)

// compileExpression returns the expression, or what is wrong with it and where.
func compileExpression(text string, of yields) (*expression, string) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Sprintf("the CEL environment cannot be built, which is an error of the provider: %v", err)
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, celtext.Issues(text, issues, hint)
	}
	output := ast.OutputType()
	if !output.IsExactType(cel.DynType) && !slices.ContainsFunc(of.types, output.IsExactType) {
		return nil, fmt.Sprintf("the expression yields %s, want %s", output, of.want)
	}
	program, err := env.Program(ast, cel.CostLimit(CELCostLimit), cel.EvalOptions(cel.OptPartialEval))
	if err != nil {
		return nil, err.Error()
	}
	return &expression{text: text, ast: ast, program: program}, ""
}

func (e *expression) judge(c fleet.Cluster, unknown Unknown) (Verdict, *EvaluationError) {
	value, failed := e.eval(c, unknown)
	switch {
	case failed != nil:
		return undecided, failed
	case types.IsUnknown(value):
		return undecided, nil
	case value == types.True:
		return matches, nil
	case value == types.False:
		return fails("cel expression is false: " + celtext.OneLine(e.text)), nil
	default:
		return undecided, e.failed(c, fmt.Errorf("the expression yielded %s, want bool", value.Type().TypeName()))
	}
}

// number evaluates an expression that yields one; known is false where it depends on something unknown.
func (e *expression) number(c fleet.Cluster, unknown Unknown) (n float64, known bool, failed *EvaluationError) {
	value, failed := e.eval(c, unknown)
	if failed != nil || types.IsUnknown(value) {
		return 0, false, failed
	}
	switch value := value.(type) {
	case types.Int:
		n = float64(value)
	case types.Uint:
		n = float64(value)
	case types.Double:
		n = float64(value)
	default:
		return 0, false, e.failed(c, fmt.Errorf("the expression yielded %s, want a number", value.Type().TypeName()))
	}
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, false, e.failed(c, fmt.Errorf("the expression yielded %v, want a finite number", n))
	}
	return n, true, nil
}

// eval returns the value, which may be of CEL's type unknown.
func (e *expression) eval(c fleet.Cluster, unknown Unknown) (ref.Val, *EvaluationError) {
	patterns := make([]*cel.AttributePatternType, 0, len(unknown))
	for _, part := range unknown.parts() {
		pattern := cel.AttributePattern("cluster").QualString(part.Field)
		if part.Entry != "" {
			pattern.QualString(part.Entry)
		}
		patterns = append(patterns, pattern)
	}
	vars, err := cel.PartialVars(map[string]any{"cluster": viewOf(c)}, patterns...)
	if err != nil {
		return nil, e.failed(c, err)
	}
	value, _, err := e.program.Eval(vars)
	if err != nil {
		return nil, e.failed(c, err)
	}
	return value, nil
}

// failed explains a runtime error.
func (e *expression) failed(c fleet.Cluster, cause error) *EvaluationError {
	detail := celtext.Failure(e.text, e.ast, cause)
	switch key, missing := celtext.MissingKey(cause); {
	case missing:
		detail += fmt.Sprintf("\nThe cluster does not have it. Ask first, as in %[1]q in cluster.%[2]s && ..., or give a default, "+
			"as in cluster.%[2]s[?%[1]q].orValue(\"\").", key, e.mapWith(key))
	case celtext.TooCostly(cause):
		detail = fmt.Sprintf("it costs more than the limit of %d CEL cost units; nested loops over lists or long strings are the usual cause", CELCostLimit)
	}
	return &EvaluationError{Clusters: []string{c.Name}, Detail: detail}
}

// mapWith returns the map of a cluster in which the expression looks for the key.
func (e *expression) mapWith(key string) string {
	for _, field := range []string{"properties", "facts.allocatable"} {
		for _, look := range []string{"." + key, "['" + key + "']", `["` + key + `"]`} {
			if strings.Contains(e.text, "cluster."+field+look) {
				return field
			}
		}
	}
	return "labels"
}

var undefinedField = regexp.MustCompile(`^undefined field '([^']*)'`)

// hint tells of an undefined field which one was most likely meant.
func hint(message string) string {
	if found := undefinedField.FindStringSubmatch(message); found != nil {
		return fleet.DidYouMean(found[1], fieldNames)
	}
	return ""
}
