package health

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"
	"github.com/google/cel-go/interpreter"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// CELCostLimit bounds the work of one expression on one object, in CEL's own units, and is Kubernetes' own limit for
// one expression of an admission policy. It is reached in about a tenth of a second.
const CELCostLimit = 1_000_000

const (
	longestExpression = 16 * 1024
	deepestExpression = 200
	shownExpression   = 160
)

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
	return cel.NewEnv(
		cel.OptionalTypes(),
		cel.Variable("object", cel.DynType),
		ext.Strings(), ext.Sets(), ext.Lists(), ext.Math(), ext.Encoders(), ext.Regex(), ext.Network(), ext.TwoVarComprehensions(),
		kubernetesFunctions(),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals()),
		cel.ParserExpressionSizeLimit(longestExpression),
		cel.ParserRecursionLimit(deepestExpression),
	)
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
		return nil, describeIssues(text, issues)
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
		return nil, &evaluationError{detail: fmt.Sprintf("%s yielded %s, want %s", e.shown(), value.Type().TypeName(), e.yields.is)}
	}
	return value.Value(), nil
}

// failed explains a runtime error.
func (e *expression) failed(cause error) *evaluationError {
	detail := cause.Error()
	if at := (*types.Err)(nil); errors.As(cause, &at) {
		if location := e.ast.NativeRep().SourceInfo().GetStartLocation(at.NodeID()); location.Line() > 0 {
			detail = pointAt(e.text, location.Line(), location.Column(), detail)
		}
	}
	if errors.As(cause, &interpreter.EvalCancelledError{}) {
		detail = fmt.Sprintf("%s costs more than the limit of %d CEL cost units; nested loops over lists or long strings are the usual cause", e.shown(), CELCostLimit)
	}
	missing, _ := strings.CutPrefix(cause.Error(), "no such key: ")
	if missing == cause.Error() {
		missing = ""
	}
	return &evaluationError{missing: missing, detail: detail}
}

// shown prints the expression on one line, cut where it would fill the screen.
func (e *expression) shown() string {
	line := strings.Join(strings.Fields(e.text), " ")
	if utf8.RuneCountInString(line) > shownExpression {
		return string([]rune(line)[:shownExpression]) + "…"
	}
	return line
}

var undeclared = regexp.MustCompile(`undeclared reference to '(self|status|spec|metadata|data|apiVersion|kind)'`)

// describeIssues prints what the compiler found, each with its place in the text.
func describeIssues(text string, issues *cel.Issues) string {
	described := make([]string, 0, len(issues.Errors()))
	for _, issue := range issues.Errors() {
		message := issue.Message
		if found := undeclared.FindStringSubmatch(message); found != nil {
			message += fmt.Sprintf("; the object is called object, as in %s", strings.TrimSuffix("object."+found[1], ".self"))
		}
		described = append(described, pointAt(text, issue.Location.Line(), issue.Location.Column(), message))
	}
	return strings.Join(described, "\n")
}

// pointAt prints "line:column: message" and the line below it with a caret under the place. CEL counts lines
// from 1 and columns from 0, in characters.
func pointAt(text string, line, column int, message string) string {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) || column < 0 {
		return message
	}
	shown := strings.ReplaceAll(strings.TrimRight(lines[line-1], "\r"), "\t", " ")
	return fmt.Sprintf("%d:%d: %s\n  %s\n  %s^", line, column+1, message, shown, strings.Repeat(" ", column))
}
