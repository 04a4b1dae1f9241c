package policy

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	celgo "github.com/google/cel-go/cel"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

// base is the API server's CEL environment: its libraries, limits and options.
var base = sync.OnceValue(func() *environment.EnvSet {
	set := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	strict, err := set.Extend(environment.StrictCostOpt)
	if err != nil {
		panic(fmt.Sprintf("the API server's CEL environment cannot be built: %v", err))
	}
	return strict
})

// Policy is a definition that is ready to judge.
type Policy struct {
	Definition
	conditions, validations, messages cel.ConditionEvaluator
	// needs is what each match condition and validation looks at that may be unknown.
	conditionNeeds, validationNeeds []needs
	namespaces, objects             labels.Selector
}

// FieldError is one thing that is wrong with a definition.
type FieldError struct {
	// Field is the list, such as "validations", or "" for the policy as a whole, and Index the entry in it.
	Field string
	Index int
	// Attribute is the entry's field.
	Attribute string
	// Message says what is wrong; with CEL, with the place in the text.
	Message string
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return fmt.Sprintf("%s[%d].%s: %s", e.Field, e.Index, e.Attribute, e.Message)
}

// expression is an expression with the types it may yield, as the API server wants them.
type expression struct {
	name, text string
	types      []*celgo.Type
}

func (e *expression) GetExpression() string      { return e.text }
func (e *expression) ReturnTypes() []*celgo.Type { return e.types }
func (e *expression) GetName() string            { return e.name }

var (
	yieldsBool   = []*celgo.Type{celgo.BoolType}
	yieldsString = []*celgo.Type{celgo.StringType}
	yieldsAny    = []*celgo.Type{celgo.AnyType, celgo.DynType}

	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// inTheServer is where the API server's messages say that the text came from.
	inTheServer = regexp.MustCompile(`ERROR: <input>:(\d+:\d+): `)
)

type compiler struct {
	compiler *cel.CompositedCompiler
	refers   *references
	errs     []*FieldError
}

// Compile makes the policy ready, or returns all that is wrong with it.
func Compile(d Definition) (*Policy, []*FieldError) {
	composed, err := cel.NewCompositedCompiler(base())
	if err != nil {
		return nil, []*FieldError{{Message: err.Error()}}
	}
	c := &compiler{compiler: composed}
	env, err := composed.Env(environment.StoredExpressions)
	if err != nil {
		return nil, []*FieldError{{Message: err.Error()}}
	}
	c.refers = &references{env: env, variables: map[string]needs{}}
	p := &Policy{Definition: d}
	c.variables(d.Spec.Variables)
	var conditions, validations, messages []cel.ExpressionAccessor
	for i, m := range d.Spec.MatchConditions {
		e := &expression{text: m.Expression, types: yieldsBool}
		p.conditionNeeds = append(p.conditionNeeds, c.check("match_conditions", i, "expression", e, true))
		conditions = append(conditions, e)
	}
	if len(d.Spec.Validations) == 0 {
		c.fail("", 0, "", "validations is empty; a policy needs one at least")
	}
	for i, v := range d.Spec.Validations {
		e := &expression{text: v.Expression, types: yieldsBool}
		p.validationNeeds = append(p.validationNeeds, c.check("validations", i, "expression", e, true))
		validations = append(validations, e)
		var message cel.ExpressionAccessor
		if v.MessageExpression != "" {
			e := &expression{text: v.MessageExpression, types: yieldsString}
			c.check("validations", i, "message_expression", e, false)
			message = e
		}
		messages = append(messages, message)
		if v.Reason != nil && !slices.Contains(reasons, *v.Reason) {
			c.fail("validations", i, "reason", fmt.Sprintf("the reason %q is none of %q", *v.Reason, reasons))
		}
	}
	c.match(p)
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	all := cel.OptionalVariableDeclarations{HasAuthorizer: true}
	p.conditions = composed.CompileCondition(conditions, all, environment.StoredExpressions)
	p.validations = composed.CompileCondition(validations, all, environment.StoredExpressions)
	p.messages = composed.CompileCondition(messages, cel.OptionalVariableDeclarations{}, environment.StoredExpressions)
	return p, nil
}

func (c *compiler) fail(field string, index int, attribute, message string) {
	c.errs = append(c.errs, &FieldError{Field: field, Index: index, Attribute: attribute, Message: message})
}

// variables are compiled in order: each may use those before it.
func (c *compiler) variables(list []admissionregistrationv1.Variable) {
	seen := map[string]bool{}
	for i, v := range list {
		// The parameters come first and are no entry of the user's list.
		if list[0].Name == ParamsVariable {
			i--
		}
		switch {
		case !identifier.MatchString(v.Name):
			c.fail("variables", i, "name", fmt.Sprintf("%q is no CEL identifier: want letters, digits and underscores, beginning with no digit", v.Name))
			continue
		case seen[v.Name]:
			c.fail("variables", i, "name", fmt.Sprintf("the variable %q stands twice; params is the name of the policy's params", v.Name))
			continue
		}
		seen[v.Name] = true
		e := &expression{name: v.Name, text: v.Expression, types: yieldsAny}
		c.refers.variables[v.Name] = c.refers.of(v.Expression)
		result := c.compiler.CompileAndStoreVariable(e, cel.OptionalVariableDeclarations{HasAuthorizer: true}, environment.StoredExpressions)
		if result.Error != nil {
			c.fail("variables", i, "expression", explain(result.Error.Detail))
		}
	}
}

// check compiles one expression and tells what it looks at.
func (c *compiler) check(field string, index int, attribute string, e *expression, authorizer bool) needs {
	if strings.TrimSpace(e.text) == "" {
		c.fail(field, index, attribute, "the expression is empty")
		return needs{}
	}
	result := c.compiler.CompileCELExpression(e, cel.OptionalVariableDeclarations{HasAuthorizer: authorizer}, environment.StoredExpressions)
	if result.Error != nil {
		c.fail(field, index, attribute, explain(result.Error.Detail))
		return needs{}
	}
	return c.refers.of(e.text)
}

// explain prints what the compiler found, each with line and column.
func explain(detail string) string {
	detail = strings.TrimPrefix(detail, "compilation failed: ")
	detail = strings.TrimPrefix(detail, "must evaluate to bool but got")
	if rest, ok := strings.CutPrefix(detail, " "); ok {
		return "the expression yields " + rest + ", want bool; compare, as in object.spec.replicas <= 5"
	}
	return inTheServer.ReplaceAllString(detail, "$1: ")
}

func (c *compiler) match(p *Policy) {
	m := p.Spec.MatchConstraints
	if m == nil || len(m.ResourceRules) == 0 {
		c.fail("", 0, "", "match.rules is empty; a policy needs one at least")
		return
	}
	var err error
	if p.namespaces, err = metav1.LabelSelectorAsSelector(cmp.Or(m.NamespaceSelector, &metav1.LabelSelector{})); err != nil {
		c.fail("", 0, "", fmt.Sprintf("match.namespace_selector: %v", err))
	}
	if p.objects, err = metav1.LabelSelectorAsSelector(cmp.Or(m.ObjectSelector, &metav1.LabelSelector{})); err != nil {
		c.fail("", 0, "", fmt.Sprintf("match.object_selector: %v", err))
	}
}
