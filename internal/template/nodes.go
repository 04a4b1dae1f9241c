package template

import (
	"strconv"
	"strings"
	"text/template/parse"
)

// nodes counts what one round of a loop may look at.
func nodes(l *parse.ListNode) int {
	if l == nil {
		return 0
	}
	sum := 0
	for _, n := range l.Nodes {
		sum++
		switch n := n.(type) {
		case *parse.IfNode:
			sum += nodes(n.List) + nodes(n.ElseList)
		case *parse.WithNode:
			sum += nodes(n.List) + nodes(n.ElseList)
		case *parse.RangeNode:
			// The rounds of an inner loop count themselves.
			sum += nodes(n.ElseList)
		}
	}
	return sum
}

// start is where a node begins. The parser counts fields from their second name on, and variables with fields from the
// first.
func (w *rewriter) start(n parse.Node) int {
	pos := int(n.Position())
	switch n := n.(type) {
	case *parse.FieldNode:
		if len(n.Ident) > 1 {
			pos -= len(".") + len(n.Ident[0])
		}
	case *parse.VariableNode:
		if len(n.Ident) > 1 && strings.HasPrefix(w.text[pos:], ".") {
			pos -= len(n.Ident[0])
		}
	}
	return max(pos, 0)
}

// shown prints a short piece of the template.
func shown(n parse.Node) string {
	const most = 40
	if text := []rune(n.String()); len(text) > most {
		return string(text[:most]) + "…"
	}
	return n.String()
}

func identifier(pos int, name string) *parse.IdentifierNode {
	return parse.NewIdentifier(name).SetPos(parse.Pos(pos))
}

func execution(pos int) parse.Node {
	return &parse.VariableNode{NodeType: parse.NodeVariable, Pos: parse.Pos(pos), Ident: []string{"$"}}
}

func number(pos, n int) parse.Node {
	return &parse.NumberNode{NodeType: parse.NodeNumber, Pos: parse.Pos(pos), IsInt: true, Int64: int64(n), Text: strconv.Itoa(n)}
}

func command(pos int, args ...parse.Node) *parse.CommandNode {
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: parse.Pos(pos), Args: args}
}

func pipeline(pos int, cmds ...*parse.CommandNode) *parse.PipeNode {
	return &parse.PipeNode{NodeType: parse.NodePipe, Pos: parse.Pos(pos), Cmds: cmds}
}
