package template

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	texttemplate "text/template"
	"text/template/parse"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

const (
	// treeName is what text/template calls a leaf in its messages.
	treeName = "leaf"
	// cachedTexts is how many texts are kept compiled, each a few kilobytes; a set rarely has more, and all its clusters
	// render the same ones.
	cachedTexts = 4096
)

// compiled is a leaf ready to be rendered, or what is wrong with it.
type compiled struct {
	text     string
	template *texttemplate.Template
	// whole tells that the leaf is exactly one action, whose result keeps its type.
	whole    bool
	sites    []site
	reads    [][]string
	problems []*problem
}

var cache = struct {
	sync.Mutex
	texts map[string]*compiled
}{texts: map[string]*compiled{}}

func compile(text string) *compiled {
	cache.Lock()
	known := cache.texts[text]
	cache.Unlock()
	if known != nil {
		return known
	}
	fresh := compileText(text)
	cache.Lock()
	defer cache.Unlock()
	if len(cache.texts) >= cachedTexts {
		clear(cache.texts)
	}
	cache.texts[text] = fresh
	return fresh
}

func compileText(text string) *compiled {
	c := &compiled{text: text}
	if len(text) > MaxBytes {
		c.problems = []*problem{{pos: -1, detail: fmt.Sprintf("the template has %d bytes, more than the limit of %d", len(text), MaxBytes)}}
		return c
	}
	tree := parse.New(treeName)
	// The rewriter knows functions and can tell their position; the parser only knows the line.
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(text, "", "", trees); err != nil {
		c.problems = []*problem{syntaxProblem(err)}
		return c
	}
	if len(trees) > 1 || trees[treeName] != tree {
		c.problems = []*problem{{pos: nestedAt(text), detail: noNested}}
		return c
	}
	c.whole = isWhole(tree.Root)
	w := &rewriter{text: text}
	w.list(tree.Root, true, c.whole)
	c.sites, c.reads, c.problems = w.sites, w.reads, w.problems
	if len(c.problems) > 0 {
		return c
	}
	t, err := texttemplate.New(treeName).Option("missingkey=error").Funcs(executable()).AddParseTree(treeName, tree)
	if err != nil {
		c.problems = []*problem{{pos: -1, detail: "the template cannot be prepared, which is an error of the provider"}}
	}
	c.template = t
	return c
}

func (c *compiled) errorsAt(path fieldpath.Path) Errors {
	var all Errors
	for _, p := range c.problems {
		all = append(all, p.at(path, c.text))
	}
	return all
}

func isWhole(root *parse.ListNode) bool {
	if len(root.Nodes) != 1 {
		return false
	}
	action, ok := root.Nodes[0].(*parse.ActionNode)
	return ok && len(action.Pipe.Decl) == 0
}

const (
	literalHint = "if the braces are not meant for this provider, write {{ `{{ ... }}` }} around them"
	indexHint   = `a key with other characters than letters, digits and _ is read with index, as in index .cluster.labels "example.org/zone"`
	noNested    = "define, block and template are not supported: a leaf is one template"
)

// nested matches the actions that define templates; where one stands is not in the tree.
var nested = regexp.MustCompile(`\{\{(- )?\s*(define|block)\b`)

func nestedAt(text string) int {
	if at := nested.FindStringIndex(text); at != nil {
		return at[0]
	}
	return -1
}

var (
	parserMessage = regexp.MustCompile(`(?s)^template: ` + treeName + `:([0-9]+): (.*)$`)
	badCharacter  = regexp.MustCompile(`bad character U\+`)
)

// syntaxProblem puts the parser's messages, which only ever repeat the template, into words.
func syntaxProblem(err error) *problem {
	p := &problem{pos: -1}
	message := err.Error()
	if found := parserMessage.FindStringSubmatch(message); found != nil {
		if line, err := strconv.Atoi(found[1]); err == nil {
			p.line = line
		}
		message = found[2]
	}
	hint := literalHint
	switch {
	case message == "unexpected EOF":
		message = "an if, with or range has no {{ end }}"
	case strings.HasPrefix(message, "unclosed action"):
		message = strings.Replace(message, "unclosed action started", "an action is not closed with }}, started", 1)
		message = strings.Replace(message, "unclosed action", "an action is not closed with }}", 1)
	case strings.HasPrefix(message, "missing value for command"):
		message = "there is nothing between {{ and }}"
	case strings.HasPrefix(message, "undefined variable"):
		message = "there is no " + strings.ReplaceAll(strings.TrimPrefix(message, "undefined "), `"`, "")
	case badCharacter.MatchString(message):
		hint = indexHint + "; " + literalHint
	}
	p.detail = strings.ReplaceAll(message, treeName+":", "line ") + "; " + hint
	return p
}

// documented are the functions by name; executable is what text/template calls, those of the rewriter included.
var (
	documented = sync.OnceValue(func() map[string]Function {
		byName := make(map[string]Function, len(functions))
		for _, f := range functions {
			byName[f.Name] = f
		}
		return byName
	})
	executable = sync.OnceValue(func() texttemplate.FuncMap {
		all := texttemplate.FuncMap{
			hiddenField: field, hiddenOptionalField: optionalField, hiddenOptionalIndex: optionalIndex.bound(),
			hiddenYield: yield, hiddenWrite: write, hiddenEach: each, hiddenStep: step,
		}
		for _, f := range functions {
			if f.call != nil {
				all[f.Name] = f.bound()
			}
		}
		return all
	})
)

// Functions lists the functions that templates can call, in the order of the documentation.
func Functions() []Function { return slices.Clone(functions) }
