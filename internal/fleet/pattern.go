package fleet

import (
	"maps"
	"regexp"
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// Pattern stands for the fields at a path and below it. Its grammar is that of ParsePath with wildcards: a field name may
// have "*" in it (metadata.annotations['example.org/*']), "[*]" is any item of a list, and the values of keys may have "*" in
// them (containers[name=side-*]). A key may be given in part: ports[containerPort=80] is that port of any protocol.
type Pattern struct {
	text     string
	segments []segment
}

// segment matches one element of a path.
type segment struct {
	// anyItem matches any item of a list.
	anyItem bool
	field   *Glob
	index   *int
	// keys are the fields of a list item's key, and item its value where the list is a set.
	keys map[string]scalar
	item *scalar
}

// scalar matches one value: a string by glob, anything else by equality.
type scalar struct {
	glob  *Glob
	equal value.Value
}

var (
	wildName  = regexp.MustCompile(`^[A-Za-z_*?][A-Za-z0-9_*?-]*$`)
	wildValue = regexp.MustCompile(`^[A-Za-z0-9_./:@*?-]+$`)
)

// ParsePattern reads a pattern. The error gives the position of what could not be read.
func ParsePattern(text string) (Pattern, error) {
	p := &pathParser{text: text, wild: true}
	path, err := p.path()
	if err != nil {
		return Pattern{}, err
	}
	pattern := Pattern{text: text}
	for _, e := range path {
		pattern.segments = append(pattern.segments, newSegment(e))
	}
	return pattern, nil
}

func newSegment(e fieldpath.PathElement) segment {
	switch {
	case e.FieldName != nil:
		glob := NewGlob(*e.FieldName)
		return segment{field: &glob}
	case e.Key != nil:
		s := segment{keys: map[string]scalar{}}
		for _, f := range *e.Key {
			s.keys[f.Name] = newScalar(f.Value)
		}
		return s
	case e.Value != nil:
		item := newScalar(*e.Value)
		return segment{item: &item}
	case e.Index != nil:
		return segment{index: e.Index}
	}
	return segment{anyItem: true}
}

func newScalar(v value.Value) scalar {
	if v.IsString() {
		glob := NewGlob(v.AsString())
		return scalar{glob: &glob}
	}
	return scalar{equal: v}
}

// Step is one element of a pattern, for whoever compares it with a schema.
type Step struct {
	// Field is the name of a field; nil where the step is an item of a list.
	Field *Glob
	// Keys are the names of the fields by which an item is chosen; none where any item will do, or the list is a set.
	Keys []string
}

// Steps are the elements of the pattern.
func (p Pattern) Steps() []Step {
	steps := make([]Step, 0, len(p.segments))
	for _, s := range p.segments {
		steps = append(steps, Step{Field: s.field, Keys: slices.Sorted(maps.Keys(s.keys))})
	}
	return steps
}

// String is the text the pattern was read from.
func (p Pattern) String() string { return p.text }

// Covers returns how many of the path's elements the pattern takes up where the path is at or below it.
func (p Pattern) Covers(path fieldpath.Path) (elements int, ok bool) {
	if len(path) < len(p.segments) {
		return 0, false
	}
	for i, s := range p.segments {
		if !s.match(path[i]) {
			return 0, false
		}
	}
	return len(p.segments), true
}

// Match tells whether the path is at or below the pattern.
func (p Pattern) Match(path fieldpath.Path) bool {
	_, ok := p.Covers(path)
	return ok
}

func (s segment) match(e fieldpath.PathElement) bool {
	switch {
	case s.field != nil:
		return e.FieldName != nil && s.field.Match(*e.FieldName)
	case s.anyItem:
		return e.FieldName == nil
	case s.index != nil:
		return e.Index != nil && *e.Index == *s.index
	case s.item != nil:
		return e.Value != nil && s.item.match(*e.Value)
	}
	if e.Key == nil {
		return false
	}
	found := 0
	for _, f := range *e.Key {
		if want, ok := s.keys[f.Name]; ok {
			if !want.match(f.Value) {
				return false
			}
			found++
		}
	}
	return found == len(s.keys)
}

func (s scalar) match(v value.Value) bool {
	if s.glob != nil {
		return v.IsString() && s.glob.Match(v.AsString())
	}
	return value.Equals(s.equal, v)
}

// MatchAny tells whether any of the patterns matches.
func MatchAny(patterns []Pattern, path fieldpath.Path) bool {
	for _, p := range patterns {
		if p.Match(path) {
			return true
		}
	}
	return false
}
