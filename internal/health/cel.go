package health

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/ext"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/celtext"
)

// CELCostLimit bounds the work of one expression on one object, in CEL's own units, and is Kubernetes' own limit for
// one expression of an admission policy. It is reached in about a tenth of a second.
const CELCostLimit = 1_000_000

// kindOfValue is what an expression has to yield.
type kindOfValue struct {
	is      *cel.Type
	example string
}

var (
	condition = &kindOfValue{cel.BoolType, `object.status.phase == "Ready"`}
	text      = &kindOfValue{cel.StringType, `object.status.message`}
)

// environment has cel-go's own extensions and a few functions with Kubernetes' names. The rest of Kubernetes' libraries
// lives in k8s.io/apiserver, on which only internal/policy depends.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(append([]cel.EnvOption{
		cel.OptionalTypes(),
		cel.Variable("object", cel.DynType),
		ext.Strings(), ext.Sets(), ext.Lists(), ext.Math(), ext.Encoders(), ext.Regex(), ext.Network(), ext.TwoVarComprehensions(),
		kubernetesFunctions(),
	}, celtext.Options()...)...)
})

// expression is a part of a check.
type expression struct {
	text    string
	yields  *kindOfValue
	ast     *cel.Ast
	program cel.Program
}

// compile returns the expression, or what is wrong with it and where.
func compile(text string, yields *kindOfValue) (*expression, string) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Sprintf("the CEL environment cannot be built, which is an error of the provider: %v", err)
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, celtext.Issues(text, issues, hint)
	}
	if output := ast.OutputType(); !output.IsExactType(yields.is) && !output.IsExactType(cel.DynType) {
		return nil, fmt.Sprintf("the expression yields %s, want %s, such as %s", output, yields.is, yields.example)
	}
	program, err := env.Program(ast, cel.CostLimit(CELCostLimit))
	if err != nil {
		return nil, err.Error()
	}
	return &expression{text: text, yields: yields, ast: ast, program: program}, ""
}

// evaluationError says what went wrong where in an expression.
type evaluationError struct {
	missing string // the field that the object does not have, if that is all
	detail  string
}

func (e *evaluationError) Error() string { return "health check: " + e.detail }

// eval is the value of the expression, a Go bool or string.
func (e *expression) eval(obj *unstructured.Unstructured) (any, *evaluationError) {
	value, _, err := e.program.Eval(map[string]any{"object": obj.Object})
	if err != nil {
		return nil, e.failed(err)
	}
	if value.Type() != e.yields.is {
		return nil, &evaluationError{detail: fmt.Sprintf("%s yielded %s, want %s", celtext.OneLine(e.text), value.Type().TypeName(), e.yields.is)}
	}
	return value.Value(), nil
}

// failed explains a runtime error.
func (e *expression) failed(cause error) *evaluationError {
	detail := celtext.Failure(e.text, e.ast, cause)
	if celtext.TooCostly(cause) {
		detail = fmt.Sprintf("%s costs more than the limit of %d CEL cost units; nested loops over lists or long strings are the usual cause", celtext.OneLine(e.text), CELCostLimit)
	}
	missing, _ := celtext.MissingKey(cause)
	return &evaluationError{missing: missing, detail: detail}
}

var undeclared = regexp.MustCompile(`undeclared reference to '(self|status|spec|metadata|data|apiVersion|kind)'`)

// hint tells of an undeclared name what was most likely meant.
func hint(message string) string {
	if found := undeclared.FindStringSubmatch(message); found != nil {
		return fmt.Sprintf("; the object is called object, as in %s", strings.TrimSuffix("object."+found[1], ".self"))
	}
	return ""
}

// fields are the paths of plain names below the object that the expression has.
func (e *expression) fields() []string {
	var fields []string
	var path func(ast.Expr) (string, bool)
	path = func(x ast.Expr) (string, bool) {
		switch {
		case x.Kind() == ast.IdentKind:
			return "", x.AsIdent() == "object"
		case x.Kind() == ast.SelectKind:
			below, ok := path(x.AsSelect().Operand())
			return strings.TrimPrefix(below+"."+x.AsSelect().FieldName(), "."), ok
		}
		return "", false
	}
	ast.PreOrderVisit(e.ast.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if field, ok := path(x); ok && field != "" {
			fields = append(fields, field)
		}
	}))
	return fields
}
