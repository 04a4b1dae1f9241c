package override

import (
	"errors"
	"fmt"
	"strings"
)

// Overrides are rules that can be used. They may be used by several goroutines at once.
type Overrides struct {
	rules []compiled
}

// compiled is a rule with one of the fields below set.
type compiled struct {
	Rule
	json      jsonPatch
	merge     map[string]any
	strategic map[string]any
	images    imageRules
}

// Check says what is wrong with a rule by itself, whatever the clusters and the objects; nil where nothing is.
func Check(rule Rule) []Problem {
	_, problems := compile(rule)
	return problems
}

// Compile prepares rules. The error joins an *InvalidRuleError for each rule that cannot be used.
func Compile(rules []Rule) (*Overrides, error) {
	o := &Overrides{rules: make([]compiled, 0, len(rules))}
	var errs []error
	for i, rule := range rules {
		c, problems := compile(rule)
		if len(problems) > 0 {
			errs = append(errs, &InvalidRuleError{Rule: i, Problems: problems})
		}
		o.rules = append(o.rules, c)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return o, nil
}

func compile(rule Rule) (compiled, []Problem) {
	c := compiled{Rule: rule}
	var given []string
	for _, argument := range []struct {
		name string
		set  bool
	}{
		{argumentJSON, rule.JSONPatch != ""},
		{argumentMerge, rule.MergePatch != ""},
		{argumentStrategic, rule.StrategicPatch != ""},
		{argumentImages, rule.Images != nil},
		{argumentExclude, rule.Exclude},
	} {
		if argument.set {
			given = append(given, argument.name)
		}
	}
	const choice = "want exactly one of json_patch, merge_patch, strategic_patch, images and exclude = true"
	switch len(given) {
	case 0:
		return c, []Problem{{Detail: "the rule changes nothing; " + choice}}
	case 1:
	default:
		return c, []Problem{{Detail: fmt.Sprintf("the rule has %s; %s, and a rule for each", strings.Join(given, " and "), choice)}}
	}
	var problems []Problem
	switch given[0] {
	case argumentJSON:
		c.json, problems = parseJSONPatch(rule.JSONPatch)
	case argumentMerge:
		c.merge, problems = parseMergePatch(rule.MergePatch)
	case argumentStrategic:
		c.strategic, problems = parseStrategicPatch(rule.StrategicPatch)
	case argumentImages:
		c.images, problems = parseImages(rule.Images)
	}
	return c, problems
}

// argument is what the rule is made of.
func (c *compiled) argument() string {
	switch {
	case c.json != nil:
		return argumentJSON
	case c.merge != nil:
		return argumentMerge
	case c.strategic != nil:
		return argumentStrategic
	case c.images != nil:
		return argumentImages
	default:
		return argumentExclude
	}
}
