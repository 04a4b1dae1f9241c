package health

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/celtext"
)

// Check says in CEL what the health of a kind is. Its expressions see the object as object. They are asked in the order
// in progress, failed, current, and the first that is true decides; where none is, the object is in progress. A field
// that the object does not have, or not yet, makes an expression false.
//
// An object whose controller has not observed its generation, where it tells, is in progress whatever they say.
type Check struct {
	// Group and Kind are what the check is for; the group of the core kinds is empty.
	Group string
	Kind  string
	// Current is true of an object that is as asked for.
	Current string
	// InProgress is true of one that is on its way; empty is never.
	InProgress string
	// Failed is true of one that will not get there by itself; empty is never.
	Failed string
	// Message yields the text that goes with what was decided; empty leaves it to the object's conditions.
	Message string
}

// CheckError says what is wrong with one argument of a check.
type CheckError struct {
	// Index is the position of the check in those given to Compile.
	Index int
	// Argument is its argument, such as "in_progress".
	Argument string
	// Detail says what is wrong, and where in the expression.
	Detail string
}

func (e *CheckError) Error() string {
	return fmt.Sprintf("health_checks[%d].%s: %s", e.Index, e.Argument, e.Detail)
}

// Checks are compiled checks. Nil is none.
type Checks struct {
	kinds map[schema.GroupKind]*compiled
}

type compiled struct {
	current, inProgress, failed, message *expression
}

// Compile reads the checks, and returns all that is wrong with them.
func Compile(checks []Check) (*Checks, []*CheckError) {
	out := &Checks{kinds: map[schema.GroupKind]*compiled{}}
	var problems []*CheckError
	for i, check := range checks {
		complain := func(argument, detail string) {
			if detail != "" {
				problems = append(problems, &CheckError{Index: i, Argument: argument, Detail: detail})
			}
		}
		kind := schema.GroupKind{Group: check.Group, Kind: check.Kind}
		switch {
		case check.Kind == "":
			complain("kind", "a check is for a kind, such as \"Deployment\"")
		case out.kinds[kind] != nil:
			complain("kind", fmt.Sprintf("there is a check for %s already", kind))
		}
		if strings.TrimSpace(check.Current) == "" {
			complain("current", "what is true of an object that is healthy has to be said, such as object.status.phase == \"Ready\"")
		}
		c := &compiled{}
		for _, part := range []struct {
			argument, text string
			yields         *kindOfValue
			into           **expression
		}{
			{"current", check.Current, condition, &c.current},
			{"in_progress", check.InProgress, condition, &c.inProgress},
			{"failed", check.Failed, condition, &c.failed},
			{"message", check.Message, text, &c.message},
		} {
			if strings.TrimSpace(part.text) == "" {
				continue
			}
			var detail string
			*part.into, detail = compile(part.text, part.yields)
			complain(part.argument, detail)
		}
		out.kinds[kind] = c
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return out, nil
}

// Covers tells whether there is a check for the kind.
func (c *Checks) Covers(kind schema.GroupKind) bool { return c != nil && c.kinds[kind] != nil }

func (c *Checks) of(obj *unstructured.Unstructured) *compiled {
	if c == nil {
		return nil
	}
	return c.kinds[obj.GroupVersionKind().GroupKind()]
}

func (c *compiled) evaluate(obj *unstructured.Unstructured) (Health, error) {
	if h, stale := behind(obj, 0); stale {
		return h, nil
	}
	missing := ""
	for _, rule := range []struct {
		when  *expression
		state State
	}{{c.inProgress, InProgress}, {c.failed, Failed}, {c.current, Current}} {
		if rule.when == nil {
			continue
		}
		value, err := rule.when.eval(obj)
		switch {
		case err != nil && err.missing == "":
			return Health{State: Unknown}, err
		case err != nil:
			missing = err.missing
		case value == true:
			message, err := c.say(obj)
			return Health{State: rule.state, Message: message}, err
		default:
			missing = ""
		}
	}
	message, err := c.say(obj)
	switch {
	case message != "" || err != nil:
	case missing != "":
		message = fmt.Sprintf("it has no %s yet, of which %s speaks", missing, celtext.OneLine(c.current.text))
	default:
		message = "not yet true: " + celtext.OneLine(c.current.text)
	}
	return Health{State: InProgress, Message: message}, err
}

// say is what the check's message, or the object's own condition, has to say.
func (c *compiled) say(obj *unstructured.Unstructured) (string, error) {
	if c.message != nil {
		value, err := c.message.eval(obj)
		if err != nil && err.missing == "" {
			return "", err
		}
		if said, ok := value.(string); ok {
			return said, nil
		}
	}
	return conditionText(obj), nil
}

// summaries are the conditions in which objects sum up how they are, the most telling first.
var summaries = []string{"Stalled", "Failed", "Ready", "Available", "Healthy", "Synced"}

// conditionText is what the object says of itself; empty where it says nothing.
func conditionText(obj *unstructured.Unstructured) string {
	conditions, _, err := unstructured.NestedSlice(obj.Object, "status", "conditions")
	if err != nil {
		return ""
	}
	for _, kind := range summaries {
		for _, c := range conditions {
			condition, ok := c.(map[string]any)
			if !ok || condition["type"] != kind {
				continue
			}
			said := fmt.Sprintf("%s is %v", kind, condition["status"])
			for _, part := range []string{"reason", "message"} {
				if s, ok := condition[part].(string); ok && s != "" {
					said += ": " + s
				}
			}
			return said
		}
	}
	return ""
}

// Fields are what the check of a kind looks at in an object, by their paths ("status.phase"), as far as they are plain names: what comes of
// functions and of items of lists is not among them.
func (c *Checks) Fields(kind schema.GroupKind) []string {
	if !c.Covers(kind) {
		return nil
	}
	var fields []string
	check := c.kinds[kind]
	for _, e := range []*expression{check.current, check.inProgress, check.failed, check.message} {
		if e != nil {
			fields = append(fields, e.fields()...)
		}
	}
	slices.Sort(fields)
	fields = slices.Compact(fields)
	all := slices.Clone(fields)
	// What another is below is no value, but the way to one.
	return slices.DeleteFunc(fields, func(f string) bool {
		return slices.ContainsFunc(all, func(below string) bool { return strings.HasPrefix(below, f+".") })
	})
}
