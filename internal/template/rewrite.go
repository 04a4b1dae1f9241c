package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// site is a place in a template that may fail at run time. Calls carry its number.
type site struct {
	pos int
	// names are the keys that a field access reads in turn, and at where each is written.
	names []string
	at    []int
	// of is what the first key is read from, as written; empty for the data itself.
	of string
	// arguments are a call's arguments as written, without one that comes through a pipe.
	arguments []parse.Node
	// base is the path of the first argument where it is a part of the data.
	base []string
}

// rewriter turns what text/template would do by itself into calls of functions of this package. So messages are ours, name
// their place and repeat no value; methods of data are out of reach; results keep their types; and all work is counted.
//
//	{{ .a.b | upper }}   becomes   {{ field $ 0 . | upper $ 1 | write $ 2 }}
//
// $ is the execution. Templates cannot name it, so in them . and $ need a key at the top level.
type rewriter struct {
	text  string
	sites []site
	// variables are those in scope. The parser's idea of it is wider: to it, a variable exists in its own declaration.
	variables []string
	reads     [][]string
	problems  []*problem
}

func (w *rewriter) fail(pos int, format string, args ...any) {
	w.problems = append(w.problems, &problem{pos: pos, detail: fmt.Sprintf(format, args...)})
}

func (w *rewriter) site(s site) parse.Node {
	w.sites = append(w.sites, s)
	return number(s.pos, len(w.sites)-1)
}

// list rewrites actions; top tells that dot is all of the data, whole that the result of the action keeps its type.
func (w *rewriter) list(l *parse.ListNode, top, whole bool) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			w.pipe(n.Pipe, top, false)
			if len(n.Pipe.Decl) > 0 {
				continue
			}
			output := hiddenWrite
			if whole {
				output = hiddenYield
			}
			w.then(n.Pipe, output)
		case *parse.IfNode:
			w.branch(&n.BranchNode, top, top)
		case *parse.WithNode:
			w.branch(&n.BranchNode, top, false)
		case *parse.RangeNode:
			w.branch(&n.BranchNode, top, false)
			w.then(n.Pipe, hiddenEach)
			w.count(n.List)
		case *parse.TemplateNode:
			w.fail(int(n.Pos), noNested)
		}
	}
}

// branch rewrites what has a body; within tells what dot is there.
func (w *rewriter) branch(n *parse.BranchNode, top, within bool) {
	outside := len(w.variables)
	w.pipe(n.Pipe, top, false)
	both := len(w.variables)
	w.list(n.List, within, false)
	w.variables = w.variables[:both]
	w.list(n.ElseList, top, false)
	w.variables = w.variables[:outside]
}

// then appends a call to a pipeline.
func (w *rewriter) then(p *parse.PipeNode, function string) {
	pos := int(p.Pos)
	p.Cmds = append(p.Cmds, command(pos, identifier(pos, function), execution(pos), w.site(site{pos: pos})))
}

// count begins each round of a loop with a call that counts it, by the size of what it does.
func (w *rewriter) count(body *parse.ListNode) {
	pos := int(body.Pos)
	size := 1 + nodes(body)
	call := command(pos, identifier(pos, hiddenStep), execution(pos), w.site(site{pos: pos}), number(pos, size))
	action := &parse.ActionNode{NodeType: parse.NodeAction, Pos: body.Pos, Pipe: pipeline(pos, call)}
	body.Nodes = slices.Insert(body.Nodes, 0, parse.Node(action))
}

// pipe rewrites a pipeline; optional says that the last key read in its last command may be missing.
func (w *rewriter) pipe(p *parse.PipeNode, top, optional bool) {
	for i, c := range p.Cmds {
		last := i == len(p.Cmds)-1
		w.command(c, top, i > 0, last && optional || !last && replacesMissing(p.Cmds[i+1], 1))
	}
	for _, variable := range p.Decl {
		switch {
		case variable.Ident[0] == "$":
			w.fail(int(variable.Pos), "$ cannot be assigned to; give the variable a name, such as $x")
		case p.IsAssign:
			w.known(variable)
		default:
			w.variables = append(w.variables, variable.Ident[0])
		}
	}
}

func (w *rewriter) known(n *parse.VariableNode) {
	if n.Ident[0] != "$" && !slices.Contains(w.variables, n.Ident[0]) {
		w.fail(w.start(n), "there is no variable %s here", n.Ident[0])
	}
}

// replacesMissing tells whether a command is made for a value that is missing: what comes after its given arguments.
func replacesMissing(c *parse.CommandNode, given int) bool {
	name, ok := c.Args[0].(*parse.IdentifierNode)
	return ok && (name.Ident == nameDefault || name.Ident == nameRequired) && len(c.Args)-1 == given
}

func (w *rewriter) command(c *parse.CommandNode, top, piped, optional bool) {
	if name, ok := c.Args[0].(*parse.IdentifierNode); ok {
		w.call(c, name, top, piped, optional)
		return
	}
	if len(c.Args) > 1 || piped {
		w.fail(w.start(c.Args[0]), "%s is not a function, so it takes no arguments", shown(c.Args[0]))
		return
	}
	if c.Args[0].Type() == parse.NodeNil {
		w.fail(int(c.Args[0].Position()), "nil is no value")
		return
	}
	c.Args[0] = w.operand(c.Args[0], top, optional)
}

func (w *rewriter) call(c *parse.CommandNode, name *parse.IdentifierNode, top, piped, optional bool) {
	pos := int(name.Pos)
	f, known := documented()[name.Ident]
	if !known {
		w.fail(pos, "%s", unknownFunction(name.Ident))
		return
	}
	given := len(c.Args) - 1
	if piped {
		given++
	}
	if given < f.min || f.max >= 0 && given > f.max {
		w.fail(pos, "%s", f.wrongNumber(given))
		return
	}
	if f.Name == nameRequired {
		// A computed message could contain a value that is secret.
		if message, literal := c.Args[1].(*parse.StringNode); !literal || message.Text == "" {
			w.fail(pos, "the message of required has to be written out, as in %s", f.Usage)
			return
		}
	}
	arguments := slices.Clone(c.Args[1:])
	for i, argument := range arguments {
		if i == 0 && w.readsKeys(f.Name, arguments, top) {
			c.Args[1] = w.lookUp(argument, top, false)
			continue
		}
		c.Args[i+1] = w.operand(argument, top, i == len(arguments)-1 && replacesMissing(c, 2))
	}
	if f.call == nil {
		return
	}
	here := site{pos: pos, arguments: arguments}
	if len(arguments) > 0 {
		here.base = dataPath(arguments[0], top)
	}
	function := name
	if f.Name == nameIndex && optional {
		function = identifier(pos, hiddenOptionalIndex)
	}
	c.Args = append([]parse.Node{function, execution(pos), w.site(here)}, c.Args[1:]...)
}

// readsKeys notes what `index .cluster.labels "region"` reads, which is less than all labels.
func (w *rewriter) readsKeys(function string, arguments []parse.Node, top bool) bool {
	path := dataPath(arguments[0], top)
	if path == nil || function != nameIndex && function != nameHasKey {
		return false
	}
	for _, argument := range arguments[1:] {
		key, literal := argument.(*parse.StringNode)
		if !literal {
			break
		}
		path = append(path, key.Text)
	}
	w.reads = append(w.reads, path)
	return true
}

// dataPath returns the keys of .a.b at the top level and of $.a.b anywhere; nil for everything else.
func dataPath(n parse.Node, top bool) []string {
	switch n := n.(type) {
	case *parse.FieldNode:
		if top {
			return slices.Clone(n.Ident)
		}
	case *parse.VariableNode:
		if n.Ident[0] == "$" && len(n.Ident) > 1 {
			return slices.Clone(n.Ident[1:])
		}
	}
	return nil
}

// operand rewrites a value.
func (w *rewriter) operand(n parse.Node, top, optional bool) parse.Node {
	if path := dataPath(n, top); path != nil {
		w.reads = append(w.reads, path)
	}
	switch n := n.(type) {
	case *parse.PipeNode:
		if len(n.Decl) > 0 {
			w.fail(int(n.Pos), "a variable cannot be set in parentheses; do so in an action of its own")
		}
		w.pipe(n, top, optional)
	case *parse.IdentifierNode:
		c := command(int(n.Pos), n)
		w.call(c, n, top, false, optional)
		return pipeline(int(n.Pos), c)
	case *parse.DotNode:
		if top {
			w.fail(int(n.Pos), ". is all of the data here; name a part of it, such as .cluster.name")
		}
	case *parse.NumberNode:
		return w.literal(n)
	}
	return w.lookUp(n, top, optional)
}

// literal checks a number, and leaves to int what text/template reads in full on some machines only.
func (w *rewriter) literal(n *parse.NumberNode) parse.Node {
	pos := int(n.Pos)
	fraction := n.IsFloat && strings.ContainsAny(n.Text, ".eEpP")
	switch {
	case n.IsComplex || !n.IsInt && !fraction:
		w.fail(pos, "%s is not a number that an object can hold", shown(n))
	case n.IsInt && int64(int32(n.Int64)) != n.Int64 && !fraction:
		text := strconv.FormatInt(n.Int64, 10)
		digits := &parse.StringNode{NodeType: parse.NodeString, Pos: n.Pos, Quoted: strconv.Quote(text), Text: text}
		return pipeline(pos, command(pos, identifier(pos, nameInt), execution(pos), w.site(site{pos: pos}), digits))
	}
	return n
}

// lookUp turns the fields and variables that text/template would look into itself into calls of field.
func (w *rewriter) lookUp(n parse.Node, top, optional bool) parse.Node {
	pos := w.start(n)
	switch n := n.(type) {
	case *parse.FieldNode:
		dot := &parse.DotNode{NodeType: parse.NodeDot, Pos: parse.Pos(pos)}
		of := ""
		if !top {
			of = "."
		}
		return w.fields(pos, pos, of, n.Ident, dot, optional)
	case *parse.VariableNode:
		w.known(n)
		name := n.Ident[0]
		variable := &parse.VariableNode{NodeType: parse.NodeVariable, Pos: parse.Pos(pos), Ident: n.Ident[:1]}
		switch {
		case len(n.Ident) > 1 && name == "$":
			return w.fields(pos, pos+1, "", n.Ident[1:], variable, optional)
		case len(n.Ident) > 1:
			return w.fields(pos, pos+len(name), name, n.Ident[1:], variable, optional)
		case name == "$":
			w.fail(pos, "$ is all of the data; name a part of it, such as $.cluster.name")
		}
	case *parse.ChainNode:
		return w.fields(pos, pos, "(...)", n.Field, w.operand(n.Node, top, false), optional)
	}
	return n
}

// fields builds the call; the first of the names is written at first, with its dot.
func (w *rewriter) fields(pos, first int, of string, names []string, receiver parse.Node, optional bool) parse.Node {
	s := site{pos: pos, names: names, of: of}
	for _, name := range names {
		s.at = append(s.at, first)
		first += len(".") + len(name)
	}
	function := hiddenField
	if optional {
		function = hiddenOptionalField
	}
	return pipeline(pos, command(pos, identifier(pos, function), execution(pos), w.site(s), receiver))
}
