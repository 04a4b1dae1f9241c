package placement

// NumberExpression is a checked CEL expression over the variable cluster that yields a number.
type NumberExpression struct {
	expression *expression
}

// CompileNumber checks an expression that yields a number. Where it cannot be used, the result is nil and detail says
// what is wrong and where.
func CompileNumber(text string) (e *NumberExpression, detail string) {
	compiled, detail := compileExpression(text, yieldsNumber)
	if detail != "" {
		return nil, detail
	}
	return &NumberExpression{compiled}, ""
}

// DependsOn lists the parts of a cluster that the expression looks at, sorted.
func (e *NumberExpression) DependsOn() []Part { return e.expression.dependsOn().parts() }
