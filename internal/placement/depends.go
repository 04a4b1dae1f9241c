package placement

import (
	"maps"
	"slices"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// DependsOn lists the parts of a cluster that the selector looks at, sorted. Part{Field: "labels", Entry:
// "region"} is one label, Part{Field: "labels"} all of them; an expression that uses a cluster as a whole depends
// on every field.
func (s *Selector) DependsOn() []Part {
	parts := Unknown{}
	if len(s.names) > 0 || len(s.exclude) > 0 {
		parts[Part{Field: "name"}] = true
	}
	for _, condition := range s.conditions {
		switch condition := condition.(type) {
		case labelCondition:
			parts[Part{Field: "labels", Entry: condition.key}] = true
		case *expression:
			maps.Copy(parts, condition.dependsOn())
		}
	}
	return parts.parts()
}

// dependsOn finds the fields by type, so that it sees through comprehensions: in [cluster].all(c, c.uid != "")
// the operand of .uid is a cluster, too.
func (e *expression) dependsOn() Unknown {
	parts := Unknown{}
	clusters := ast.MatchDescendants(ast.NavigateAST(e.ast.NativeRep()), func(node ast.NavigableExpr) bool {
		return node.Type().Kind() == types.StructKind && node.Type().TypeName() == clusterType
	})
	for _, cluster := range clusters {
		field, user := selected(cluster)
		if field == "" {
			for _, name := range clusterFields {
				parts[Part{Field: name}] = true
			}
			continue
		}
		part := Part{Field: field}
		if slices.Contains(fieldsWithEntries, field) {
			part.Entry, _ = selected(user)
		}
		parts[part] = true
	}
	return parts
}

// fieldsWithEntries are the fields of which a single entry may be looked at.
var fieldsWithEntries = []string{"labels", "properties", "facts"}

// selected returns what the expression around operand takes from it, as in operand.field, operand["field"] and their
// optional forms, and that expression; nothing when it is used otherwise.
func selected(operand ast.NavigableExpr) (string, ast.NavigableExpr) {
	user, found := operand.Parent()
	if !found {
		return "", nil
	}
	switch user.Kind() {
	case ast.SelectKind:
		return user.AsSelect().FieldName(), user
	case ast.CallKind:
		call := user.AsCall()
		switch call.FunctionName() {
		case operators.Index, operators.OptIndex, operators.OptSelect:
			key := call.Args()[1]
			if call.Args()[0].ID() == operand.ID() && key.Kind() == ast.LiteralKind {
				if name, ok := key.AsLiteral().(types.String); ok {
					return string(name), user
				}
			}
		}
	}
	return "", nil
}
