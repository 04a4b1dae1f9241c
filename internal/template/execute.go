package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

const (
	// MaxBytes bounds the template of a leaf, its result, and each string on the way, in bytes. It is more than etcd
	// accepts for a whole object.
	MaxBytes = 1 << 20
	// MaxWork bounds what one leaf may do, in bytes that are read or written; a call and a round of a loop count as
	// callWork each. It is reached in about a second.
	MaxWork  = 16 << 20
	callWork = 64
)

// The functions that the rewriter calls; templates cannot.
const (
	hiddenField         = "field"
	hiddenOptionalField = "optionalField"
	hiddenOptionalIndex = "optionalIndex"
	hiddenYield         = "yield"
	hiddenWrite         = "write"
	hiddenEach          = "each"
	hiddenStep          = "step"
)

var errTooLong = errors.New("too long")

// running is one execution of a leaf.
type running struct {
	leaf   *compiled
	data   map[string]any
	result any
	work   int
	output strings.Builder
}

// Write takes the rendered text.
func (r *running) Write(p []byte) (int, error) {
	if r.output.Len()+len(p) > MaxBytes {
		return 0, errTooLong
	}
	return r.output.Write(p)
}

// execute renders the leaf.
func (c *compiled) execute(data map[string]any) (any, *problem) {
	r := &running{leaf: c, data: data}
	if err := c.template.Execute(r, r); err != nil {
		var p *problem
		switch {
		case errors.As(err, &p):
			return nil, p
		case errors.Is(err, errTooLong):
			return nil, &problem{pos: -1, detail: tooLong}
		default:
			// Its text may contain values.
			return nil, &problem{pos: -1, detail: "the template cannot be evaluated, which is an error of the provider"}
		}
	}
	if !c.whole {
		r.result = r.output.String()
	}
	if text, ok := r.result.(string); ok && !utf8.ValidString(text) && utf8.ValidString(c.text) {
		return nil, &problem{pos: -1, detail: "the result is not UTF-8 text, which no object can hold"}
	}
	return r.result, nil
}

const nullHint = `add | default "..." after it`

var tooLong = fmt.Sprintf("the result has more than the limit of %d bytes", MaxBytes)

func (r *running) fail(pos int, format string, args ...any) error {
	return &problem{pos: pos, detail: fmt.Sprintf(format, args...)}
}

// spend counts work, so that no template runs for long.
func (r *running) spend(id, work int) error {
	r.work += work
	if r.work > MaxWork {
		return r.fail(r.leaf.sites[id].pos, "the template does more than is allowed for one leaf; nested loops are the usual cause")
	}
	return nil
}

func field(r *running, id int, receiver any) (any, error) { return r.field(id, receiver, false) }

func optionalField(r *running, id int, receiver any) (any, error) { return r.field(id, receiver, true) }

// field reads one key after the other; optional says that the last may be missing and then is nil.
func (r *running) field(id int, receiver any, optional bool) (any, error) {
	if err := r.spend(id, callWork); err != nil {
		return nil, err
	}
	s := r.leaf.sites[id]
	current, all := receiver, false
	if _, all = receiver.(*running); all {
		current = r.data
	}
	where := s.of
	for i, name := range s.names {
		m, ok := current.(map[string]any)
		if !ok {
			return nil, r.fail(s.at[i], "%s is %s, so it has no key %q", where, kindOf(normal(current)), name)
		}
		next, there := m[name]
		if !there && optional && i == len(s.names)-1 {
			return nil, nil
		}
		if !there {
			p := &problem{pos: s.at[i], detail: r.noKey(where, name, m, i == len(s.names)-1)}
			if all {
				p.key = s.names[:i+1]
			}
			return nil, p
		}
		current, where = next, strings.TrimSuffix(where, ".")+"."+name
	}
	return current, nil
}

// owns tells whether a map is a part of the data. Others were read from JSON text, and their keys are in values, which may
// be secret.
func (r *running) owns(m map[string]any) bool {
	var within func(v any) bool
	within = func(v any) bool {
		switch v := v.(type) {
		case map[string]any:
			if reflect.ValueOf(v).Pointer() == reflect.ValueOf(m).Pointer() {
				return true
			}
			for _, item := range v {
				if within(item) {
					return true
				}
			}
		case []any:
			return slices.ContainsFunc(v, within)
		}
		return false
	}
	return within(r.data)
}

// noKey says that a map has no such key, and what to write instead; last tells that a default would help.
func (r *running) noKey(where, key string, m map[string]any, last bool) string {
	if where == "" {
		keys := slices.Sorted(maps.Keys(m))
		return fmt.Sprintf("there is no .%s here%s (there is .%s)", key, fleet.DidYouMean(key, keys), strings.Join(keys, ", ."))
	}
	detail := fmt.Sprintf("%s has no key %q", where, key)
	if r.owns(m) {
		keys := slices.Sorted(maps.Keys(m))
		for _, candidate := range keys {
			if rest, begins := strings.CutPrefix(candidate, key); begins && strings.ContainsAny(rest[:1], ".-/") {
				return fmt.Sprintf("%s; a key with other characters than letters, digits and _ is read with index %s %q", detail, where, candidate)
			}
		}
		similar := fleet.DidYouMean(key, keys)
		detail += similar + listed(keys)
		last = last && similar == ""
	}
	if last {
		return detail + "; where it may be missing, " + nullHint
	}
	return detail
}

// keys lists the keys of a map that is a part of the data.
func (r *running) keys(m map[string]any) string {
	if !r.owns(m) {
		return ""
	}
	return listed(slices.Sorted(maps.Keys(m)))
}

// yield takes the result of a leaf that is one action.
func yield(r *running, id int, v any) (string, error) {
	pos := r.leaf.sites[id].pos
	if v = normal(v); v == nil {
		return "", r.fail(pos, "the result is null, which no object can hold; %s", nullHint)
	}
	result, ok := leafValue(v)
	if !ok {
		return "", r.fail(pos, "the result is %s with null in it, which no object can hold", kindOf(v))
	}
	r.result = result
	return "", nil
}

// write says how a value is written into text.
func write(r *running, id int, v any) (string, error) {
	v = normal(v)
	text, ok := scalarText(v)
	if err := r.spend(id, callWork+len(text)); err != nil {
		return "", err
	}
	if v == nil {
		return "", r.fail(r.leaf.sites[id].pos, "null cannot be written into text; %s", nullHint)
	}
	if !ok {
		return "", r.fail(r.leaf.sites[id].pos, "%s cannot be written into text; use toJson, or join for a list", kindOf(v))
	}
	return text, nil
}

// each checks what a loop goes over.
func each(r *running, id int, v any) (any, error) {
	// Before the first round text/template sorts all keys of a map.
	switch v := v.(type) {
	case map[string]any:
		return v, r.spend(id, callWork*len(v))
	case []any:
		return v, r.spend(id, callWork)
	default:
		return nil, r.fail(r.leaf.sites[id].pos, "range goes over a list or a map, and this is %s", kindOf(normal(v)))
	}
}

// step counts a round of a loop, in which so many nodes are looked at.
func step(r *running, id, nodes int) (string, error) { return "", r.spend(id, callWork*nodes) }

// normal gives whole numbers the one type that objects have for them; a literal and the position in a range are int.
func normal(v any) any {
	if n, ok := v.(int); ok {
		return int64(n)
	}
	return v
}

// scalarText writes strings as they are and numbers and booleans as JSON has them.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool, int64, float64:
		text, err := json.Marshal(v)
		return string(text), err == nil
	default:
		return "", false
	}
}

// jsonText writes a value as JSON, with the keys of maps sorted.
func jsonText(v any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
