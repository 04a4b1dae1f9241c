package template

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	texttemplate "text/template"
	"unicode/utf8"

	utiljson "k8s.io/apimachinery/pkg/util/json"
)

func indexed(c *call) (any, error) { return c.index(false) }

// optionalIndex is index before default or required: the last key may be missing.
var optionalIndex = Function{Name: nameIndex, call: func(c *call) (any, error) { return c.index(true) }}

func (c *call) index(optional bool) (any, error) {
	s := c.running.leaf.sites[c.id]
	current, where, key := c.args[0], c.argument(0), slices.Clone(s.base)
	for i, wanted := range c.args[1:] {
		i++
		pos := s.pos
		if i < len(s.arguments) {
			pos = int(s.arguments[i].Position())
		}
		switch collection := current.(type) {
		case map[string]any:
			name, ok := wanted.(string)
			if !ok {
				return nil, c.failf("%s is a map and wants a string as key; %s is %s", where, c.argument(i), kindOf(wanted))
			}
			next, there := collection[name]
			if !there && optional && i == len(c.args)-1 {
				return nil, nil
			}
			if !there && c.literal(i) {
				p := &problem{pos: pos, detail: c.running.noKey(where, name, collection, i == len(c.args)-1)}
				if key != nil {
					p.key = append(key, name)
				}
				return nil, p
			}
			if !there {
				return nil, &problem{pos: pos, detail: fmt.Sprintf("%s has no key that equals %s", where, c.argument(i)) + c.running.keys(collection)}
			}
			current = next
			if key = append(key, name); !c.literal(i) {
				key = nil
			}
		case []any:
			n, ok := wanted.(int64)
			if !ok {
				return nil, c.failf("%s is a list and wants a whole number as position; %s is %s", where, c.argument(i), kindOf(wanted))
			}
			if n < 0 || n >= int64(len(collection)) {
				return nil, &problem{pos: pos, detail: fmt.Sprintf("%s is a list of %d items, counted from 0, and %s is beyond", where, len(collection), c.argument(i))}
			}
			current, key = collection[n], nil
		default:
			return nil, &problem{pos: pos, detail: fmt.Sprintf("%s is %s, so it has no keys", where, kindOf(current))}
		}
		where = "what index found"
	}
	return current, nil
}

func hasKey(c *call) (any, error) {
	m, ok := c.args[0].(map[string]any)
	if !ok {
		return nil, c.failf("%s is %s, want a map", c.argument(0), kindOf(c.args[0]))
	}
	key, err := c.text(1)
	if err != nil {
		return nil, err
	}
	_, there := m[key]
	return there, nil
}

func fallback(c *call) (any, error) {
	if v := c.args[1]; v != nil && v != any("") {
		return v, nil
	}
	return c.args[0], nil
}

func required(c *call) (any, error) {
	if v := c.args[1]; v != nil && v != any("") {
		return v, nil
	}
	message, err := c.text(0)
	if err != nil {
		return nil, err
	}
	return nil, c.running.fail(c.running.leaf.sites[c.id].pos, "%s", message)
}

func isTrue(v any) bool {
	truth, _ := texttemplate.IsTrue(v)
	return truth
}

func ternary(c *call) (any, error) {
	if isTrue(c.args[2]) {
		return c.args[0], nil
	}
	return c.args[1], nil
}

func not(c *call) (any, error) { return !isTrue(c.args[0]), nil }

func negated(v any, err error) (any, error) { return !isTrue(v), err }

func length(c *call) (any, error) {
	switch v := c.args[0].(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), nil
	case []any:
		return int64(len(v)), nil
	case map[string]any:
		return int64(len(v)), nil
	default:
		return nil, c.failf("%s is %s, want a list, a map or a string", c.argument(0), kindOf(v))
	}
}

func equalToAny(c *call) (any, error) {
	for i, other := range c.args[1:] {
		if c.args[0] == nil || other == nil {
			if c.args[0] == nil && other == nil {
				return true, nil
			}
			continue
		}
		if a, ok := c.args[0].(bool); ok {
			if b, ok := other.(bool); ok {
				if a == b {
					return true, nil
				}
				continue
			}
		}
		order, err := c.compare(0, i+1)
		if err != nil {
			return nil, err
		}
		if order == 0 {
			return true, nil
		}
	}
	return false, nil
}

func ordered(holds func(order int) bool) func(*call) (any, error) {
	return func(c *call) (any, error) {
		order, err := c.compare(0, 1)
		return holds(order), err
	}
}

// compare orders two strings or two numbers.
func (c *call) compare(i, j int) (int, error) {
	switch a := c.args[i].(type) {
	case string:
		if b, ok := c.args[j].(string); ok {
			return cmp.Compare(a, b), nil
		}
	case int64:
		switch b := c.args[j].(type) {
		case int64:
			return cmp.Compare(a, b), nil
		case float64:
			return cmp.Compare(float64(a), b), nil
		}
	case float64:
		switch b := c.args[j].(type) {
		case int64:
			return cmp.Compare(a, float64(b)), nil
		case float64:
			return cmp.Compare(a, b), nil
		}
	}
	return 0, c.failf("%s is %s and %s is %s, which cannot be compared; labels and properties are strings, convert with int, float, bool or string",
		c.argument(i), kindOf(c.args[i]), c.argument(j), kindOf(c.args[j]))
}

func toInt(c *call) (any, error) {
	switch v := c.args[0].(type) {
	case int64:
		return v, nil
	case float64:
		if whole, ok := leafNumber(v).(int64); ok {
			return whole, nil
		}
		return nil, c.failf("%s is not a whole number", c.argument(0))
	case string:
		whole, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return nil, c.failf("%s is a string that is not a whole number of 64 bits", c.argument(0))
		}
		return whole, nil
	default:
		return nil, c.failf("%s is %s, want a string or a number", c.argument(0), kindOf(v))
	}
}

func toFloat(c *call) (any, error) {
	switch v := c.args[0].(type) {
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || !finite(f) {
			return nil, c.failf("%s is a string that is not a number", c.argument(0))
		}
		return f, nil
	default:
		return nil, c.failf("%s is %s, want a string or a number", c.argument(0), kindOf(v))
	}
}

func toBool(c *call) (any, error) {
	switch v := c.args[0].(type) {
	case bool:
		return v, nil
	case string:
		if v == "true" || v == "false" {
			return v == "true", nil
		}
		return nil, c.failf(`%s is a string that is neither "true" nor "false"`, c.argument(0))
	default:
		return nil, c.failf(`%s is %s, want "true" or "false"`, c.argument(0), kindOf(v))
	}
}

func toString(c *call) (any, error) {
	text, ok := scalarText(c.args[0])
	if !ok {
		return nil, c.failf("%s is %s, want a number or a boolean; toJson writes any value", c.argument(0), kindOf(c.args[0]))
	}
	return text, nil
}

func toJSON(c *call) (any, error) {
	text, err := jsonText(c.args[0])
	if err != nil {
		return nil, c.failf("%s cannot be written as JSON", c.argument(0))
	}
	return text, nil
}

func fromJSON(c *call) (any, error) {
	text, err := c.text(0)
	if err != nil {
		return nil, err
	}
	var v any
	// The reader's message repeats characters of the text.
	if err := utiljson.Unmarshal([]byte(text), &v); err != nil {
		return nil, c.failf("%s is not JSON", c.argument(0))
	}
	return v, nil
}

func encodeBase64(c *call) (any, error) {
	text, err := c.text(0)
	return base64.StdEncoding.EncodeToString([]byte(text)), err
}

func decodeBase64(c *call) (any, error) {
	text, err := c.text(0)
	if err != nil {
		return nil, err
	}
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, c.failf("%s is not base64", c.argument(0))
	}
	if !utf8.Valid(decoded) {
		return nil, c.failf("%s stands for bytes that are not text; keep them in base64", c.argument(0))
	}
	return string(decoded), nil
}
