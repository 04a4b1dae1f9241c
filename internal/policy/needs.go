package policy

import (
	"strings"

	celgo "github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
)

// needs is what an expression looks at that only a request to an API server is sure to have.
type needs struct {
	// user is who asks, and what else they are allowed: request.userInfo and authorizer.
	user bool
	// namespace is namespaceObject.
	namespace bool
}

func (n needs) and(o needs) needs {
	return needs{user: n.user || o.user, namespace: n.namespace || o.namespace}
}

// unknown names what is needed and not there; empty where all is.
func (n needs) unknown(namespaceKnown bool) string {
	var what []string
	if n.user {
		what = append(what, "who asks the API server")
	}
	if n.namespace && !namespaceKnown {
		what = append(what, "the namespace's object")
	}
	return strings.Join(what, " and ")
}

// references finds what expressions look at, through the variables that they use.
type references struct {
	env       *celgo.Env
	variables map[string]needs
}

// of looks at an expression; one that does not parse needs nothing.
func (r *references) of(text string) needs {
	parsed, issues := r.env.Parse(text)
	if issues.Err() != nil {
		return needs{}
	}
	var found needs
	visitor := ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			switch e.AsIdent() {
			case cel.AuthorizerVarName:
				found.user = true
			case cel.NamespaceVarName:
				found.namespace = true
			case cel.RequestVarName, cel.VariableVarName:
			}
		case ast.SelectKind:
			operand, field := e.AsSelect().Operand(), e.AsSelect().FieldName()
			if operand.Kind() != ast.IdentKind {
				return
			}
			switch operand.AsIdent() {
			case cel.RequestVarName:
				found.user = found.user || field == "userInfo"
			case cel.VariableVarName:
				found = found.and(r.variables[field])
			}
		}
	})
	ast.PostOrderVisit(parsed.NativeRep().Expr(), visitor)
	return found
}
