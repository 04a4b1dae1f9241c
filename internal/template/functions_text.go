package template

import (
	"fmt"
	"regexp"
	"strings"
)

func onText(change func(string) string) func(*call) (any, error) {
	return func(c *call) (any, error) {
		text, err := c.text(0)
		return change(text), err
	}
}

func onTwo(yield func(a, b string) any) func(*call) (any, error) {
	return func(c *call) (any, error) {
		a, err := c.text(0)
		if err != nil {
			return nil, err
		}
		b, err := c.text(1)
		return yield(a, b), err
	}
}

func replaceAll(c *call) (any, error) {
	texts := make([]string, len(c.args))
	for i := range c.args {
		var err error
		if texts[i], err = c.text(i); err != nil {
			return nil, err
		}
	}
	was, becomes, text := texts[0], texts[1], texts[2]
	if was == "" {
		return nil, c.failf("%s is empty, want what to replace", c.argument(0))
	}
	if err := c.fits(len(text) + strings.Count(text, was)*(len(becomes)-len(was))); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(text, was, becomes), nil
}

func split(c *call) (any, error) {
	separator, err := c.text(0)
	if err != nil {
		return nil, err
	}
	text, err := c.text(1)
	if err != nil {
		return nil, err
	}
	if separator == "" {
		return nil, c.failf("%s is empty, want what stands between the parts", c.argument(0))
	}
	list := []any{}
	for part := range strings.SplitSeq(text, separator) {
		list = append(list, part)
	}
	return list, nil
}

func join(c *call) (any, error) {
	separator, err := c.text(0)
	if err != nil {
		return nil, err
	}
	list, ok := c.args[1].([]any)
	if !ok {
		return nil, c.failf("%s is %s, want a list", c.argument(1), kindOf(c.args[1]))
	}
	var b strings.Builder
	for i, item := range list {
		text, ok := scalarText(item)
		if !ok {
			return nil, c.failf("item %d of %s is %s, want a string, a number or a boolean", i, c.argument(1), kindOf(item))
		}
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(text)
		if err := c.fits(b.Len()); err != nil {
			return nil, err
		}
	}
	return b.String(), nil
}

func indent(c *call) (any, error) {
	count, err := c.whole(0)
	if err != nil {
		return nil, err
	}
	text, err := c.text(1)
	if err != nil {
		return nil, err
	}
	const most = 100
	if count < 0 || count > most {
		return nil, c.failf("%s is not between 0 and %d", c.argument(0), most)
	}
	lines := strings.Split(text, "\n")
	if err := c.fits(len(text) + int(count)*len(lines)); err != nil {
		return nil, err
	}
	for i, line := range lines {
		if line != "" {
			lines[i] = strings.Repeat(" ", int(count)) + line
		}
	}
	return strings.Join(lines, "\n"), nil
}

// formatVerb matches a percent sign and what belongs to it. Widths have at most two digits, which bounds the result.
var formatVerb = regexp.MustCompile(`%[-+# 0]*[0-9]{0,2}(?:\.[0-9]{0,2})?([sdfqv%])|%`)

// printf takes fewer verbs than Go's and checks that each fits its value, because Go's writes a mismatch into the text.
func printf(c *call) (any, error) {
	format, err := c.text(0)
	if err != nil {
		return nil, err
	}
	values := c.args[1:]
	// A quoted character becomes ten at most.
	if err := c.fits(len(format) + 10*textLength(values)); err != nil {
		return nil, err
	}
	next := 0
	for _, found := range formatVerb.FindAllStringSubmatch(format, -1) {
		switch verb := found[1]; {
		case verb == "":
			return nil, c.failf("the format has a verb that is none of %%s, %%d, %%f, %%q and %%v, or a width of more than two digits; a percent sign is %%%%")
		case verb == "%":
			if found[0] != "%%" {
				return nil, c.failf("a percent sign is written as %%%%, with nothing in between")
			}
		case next == len(values):
			return nil, c.failf("the format has more verbs than there are values, which are %d", len(values))
		default:
			if values[next], err = c.formatted(verb, next+1); err != nil {
				return nil, err
			}
			next++
		}
	}
	if next < len(values) {
		return nil, c.failf("there are %d values, and the format has %d verbs", len(values), next)
	}
	return fmt.Sprintf(format, values...), nil
}

func (c *call) formatted(verb string, i int) (any, error) {
	v := c.args[i]
	var want string
	var ok bool
	switch verb {
	case "d":
		_, ok = v.(int64)
		want = "a whole number; convert with int"
	case "f":
		if whole, isWhole := v.(int64); isWhole {
			v = float64(whole)
		}
		_, ok = v.(float64)
		want = "a number; convert with float"
	case "s", "q":
		_, ok = v.(string)
		want = "a string; use %v, or convert with string"
	default:
		var text string
		text, ok = scalarText(v)
		want = "a string, a number or a boolean; use toJson"
		v = text
	}
	if !ok {
		return nil, c.failf("%%%s wants %s: %s is %s", verb, want, c.argument(i), kindOf(c.args[i]))
	}
	return v, nil
}
