package template

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// fewKeys is how many keys a message lists.
const fewKeys = 10

// Error says what is wrong with one template. It names keys and functions, and never a value of the data, which may be
// secret.
type Error struct {
	// Path is the leaf whose template it is.
	Path fieldpath.Path
	// Line and Column are where in the leaf, from 1 and in characters; 0 where that is not known.
	Line, Column int
	// Key is the key of the data that is missing, such as cluster, labels, region; empty where something else is wrong, or
	// where the key was not written as one that begins with .cluster or .values.
	Key []string
	// Detail says what was found, what was expected and what to write instead.
	Detail string
}

func (e *Error) Error() string {
	at := fleet.FormatPath(e.Path)
	switch {
	case e.Line > 0 && e.Column > 0:
		at += fmt.Sprintf(", template at %d:%d", e.Line, e.Column)
	case e.Line > 0:
		at += fmt.Sprintf(", template in line %d", e.Line)
	default:
		at += ", template"
	}
	return at + ": " + e.Detail
}

// Errors are all that is wrong with the templates of one object, in the order of their paths.
type Errors = fleet.Errors[*Error]

// errorOrNil sorts, because objects are walked in the order of Go's maps, which is none.
func errorOrNil(e Errors) error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(a.Path.Compare(b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return e
}

// problem is an Error that does not know its leaf.
type problem struct {
	// pos counts bytes of the leaf; -1 where only the line is known, or not even that.
	pos    int
	line   int
	key    []string
	detail string
}

func (p *problem) Error() string { return p.detail }

func (p *problem) at(path fieldpath.Path, text string) *Error {
	e := &Error{Path: slices.Clone(path), Line: p.line, Key: p.key, Detail: p.detail}
	if p.pos >= 0 && p.pos <= len(text) {
		before := text[:p.pos]
		e.Line = 1 + strings.Count(before, "\n")
		e.Column = 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	}
	return e
}

// listed names the keys of a map, where they are few.
func listed(keys []string) string {
	quoted := make([]string, 0, len(keys))
	for _, key := range keys {
		quoted = append(quoted, strconv.Quote(key))
	}
	switch {
	case len(keys) == 0:
		return " (it is empty)"
	case len(keys) > fewKeys:
		return fmt.Sprintf(" (it has %d keys)", len(keys))
	default:
		return " (its keys: " + strings.Join(quoted, ", ") + ")"
	}
}

// kindOf names the kind of a value in the words of JSON.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64:
		return "a whole number"
	case float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	default:
		return "something that no object can hold"
	}
}
