package template

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Function is something that templates can call.
type Function struct {
	// Name is how it is called.
	Name string
	// Usage shows a call. What is in capitals is an argument; the last one may come through a pipe.
	Usage string
	// Description says in one line what the call yields.
	Description string

	min, max int // arguments; max is -1 where there may be any number
	call     func(c *call) (any, error)
}

// Names that the rewriter knows.
const (
	nameDefault  = "default"
	nameRequired = "required"
	nameIndex    = "index"
	nameHasKey   = "hasKey"
	nameInt      = "int"
)

// functions are few: what is needed to choose between values, to convert them, and to compose names and files. Each yields
// the same for the same arguments: no time, no randomness, no environment, no files. Where Helm has a function of the
// name, arguments come in the order of Helm's.
var functions = []Function{
	{"index", `index COLLECTION KEY...`, "the value below a key of a map or at a position of a list; needed for keys that are not identifiers", 2, -1, indexed},
	{"hasKey", `hasKey MAP KEY`, "whether the map has the key", 2, 2, hasKey},
	{"default", `default FALLBACK VALUE`, "the value, or the fallback where its key is missing, or it is null or an empty string", 2, 2, fallback},
	{"required", `required "MESSAGE" VALUE`, "the value, or an error with the message where its key is missing, or it is null or an empty string", 2, 2, required},
	{"ternary", `ternary YES NO CONDITION`, "the first where the condition is true, else the second; keeps their type, as if and else do not", 3, 3, ternary},

	{"eq", `eq A B...`, "whether A equals one of the others", 2, -1, equalToAny},
	{"ne", `ne A B`, "whether A and B differ", 2, 2, func(c *call) (any, error) { return negated(equalToAny(c)) }},
	{"lt", `lt A B`, "whether A is less than B; both are numbers or both strings", 2, 2, ordered(func(order int) bool { return order < 0 })},
	{"le", `le A B`, "whether A is at most B", 2, 2, ordered(func(order int) bool { return order <= 0 })},
	{"gt", `gt A B`, "whether A is greater than B", 2, 2, ordered(func(order int) bool { return order > 0 })},
	{"ge", `ge A B`, "whether A is at least B", 2, 2, ordered(func(order int) bool { return order >= 0 })},
	{"and", `and A B...`, "the first argument that is false, zero, empty or null, else the last; the rest is not evaluated", 1, -1, nil},
	{"or", `or A B...`, "the first argument that is not false, zero, empty or null, else the last; the rest is not evaluated", 1, -1, nil},
	{"not", `not A`, "whether A is false, zero, empty or null", 1, 1, not},
	{"len", `len VALUE`, "the number of items of a list or map, or of characters of a string", 1, 1, length},

	{"int", `int VALUE`, "the whole number that a string or number stands for", 1, 1, toInt},
	{"float", `float VALUE`, "the number that a string or number stands for", 1, 1, toFloat},
	{"bool", `bool VALUE`, `the boolean that the string "true" or "false" stands for`, 1, 1, toBool},
	{"string", `string VALUE`, "a number or boolean as text", 1, 1, toString},
	{"toJson", `toJson VALUE`, "any value as JSON text, keys sorted; quotes a string inside a text of JSON or YAML", 1, 1, toJSON},
	{"fromJson", `fromJson TEXT`, "the value of a JSON text, such as a list kept in a property", 1, 1, fromJSON},
	{"b64enc", `b64enc TEXT`, "the text in base64", 1, 1, encodeBase64},
	{"b64dec", `b64dec TEXT`, "the text that the base64 stands for", 1, 1, decodeBase64},

	{"lower", `lower TEXT`, "the text in lower case", 1, 1, onText(strings.ToLower)},
	{"upper", `upper TEXT`, "the text in upper case", 1, 1, onText(strings.ToUpper)},
	{"trim", `trim TEXT`, "the text without white space around it", 1, 1, onText(strings.TrimSpace)},
	{"trimPrefix", `trimPrefix PREFIX TEXT`, "the text without the prefix", 2, 2, onTwo(func(a, b string) any { return strings.TrimPrefix(b, a) })},
	{"trimSuffix", `trimSuffix SUFFIX TEXT`, "the text without the suffix", 2, 2, onTwo(func(a, b string) any { return strings.TrimSuffix(b, a) })},
	{"hasPrefix", `hasPrefix PREFIX TEXT`, "whether the text begins so", 2, 2, onTwo(func(a, b string) any { return strings.HasPrefix(b, a) })},
	{"hasSuffix", `hasSuffix SUFFIX TEXT`, "whether the text ends so", 2, 2, onTwo(func(a, b string) any { return strings.HasSuffix(b, a) })},
	{"contains", `contains PART TEXT`, "whether the text contains the part", 2, 2, onTwo(func(a, b string) any { return strings.Contains(b, a) })},
	{"replace", `replace OLD NEW TEXT`, "the text with each OLD replaced", 3, 3, replaceAll},
	{"split", `split SEPARATOR TEXT`, "the list of the parts between separators", 2, 2, split},
	{"join", `join SEPARATOR LIST`, "the items of a list, with separators between them, as text", 2, 2, join},
	{"indent", `indent COUNT TEXT`, "the text with so many spaces before each line that is not empty", 2, 2, indent},
	{"printf", `printf FORMAT VALUE...`, "the format with its verbs replaced: %s a string, %d a whole number, %f a number, %q a quoted string, %v any of them", 1, -1, printf},
}

// elsewhere says what to write instead of functions that people know from Helm or from Go.
var elsewhere = map[string]string{
	"quote":   "a leaf is a value and not text, so it needs no quotes; inside a text of JSON or YAML use toJson",
	"squote":  "a leaf is a value and not text, so it needs no quotes; inside a text of JSON or YAML use toJson",
	"toYaml":  "use toJson, because JSON is YAML; a whole leaf that yields a map or list needs neither",
	"nindent": "a leaf is a value and not text; inside a text of several lines use indent",
	"print":   "use printf, or write the values one after the other",
	"println": "use printf, or write the values one after the other",
	"atoi":    "use int",
	"int64":   "use int",
	"float64": "use float",
	"html":    "text is written as it is, and nothing needs escaping",
	"js":      "text is written as it is, and nothing needs escaping",
	"get":     "use index, with default where the key may be missing",
	"dig":     "use index, with default where the key may be missing",
	"lookup":  "templates see the data of the cluster and nothing else",
	"env":     "templates see the data of the cluster and nothing else",
	"now":     "a template yields the same each time",
	"include": noNested,
}

func unknownFunction(name string) string {
	names := make([]string, 0, len(functions))
	for _, f := range functions {
		names = append(names, f.Name)
	}
	detail := fmt.Sprintf("there is no function %q", name)
	if instead := elsewhere[name]; instead != "" {
		return detail + ": " + instead
	}
	if similar := fleet.DidYouMean(name, names); similar != "" {
		return detail + similar
	}
	if name == "cluster" || name == "values" {
		return fmt.Sprintf("%s; write .%s, with a dot", detail, name)
	}
	return detail + "; " + literalHint
}

func (f Function) wrongNumber(given int) string {
	want := fmt.Sprint(f.min)
	if f.max < 0 {
		want = "at least " + want
	}
	noun := "arguments"
	if want == "1" {
		noun = "argument"
	}
	return fmt.Sprintf("%s wants %s %s, as in %s, and gets %d; a call that is an argument stands in parentheses", f.Name, want, noun, f.Usage, given)
}

// call is one call of a function.
type call struct {
	running *running
	id      int
	name    string
	args    []any
}

// bound is the function as text/template calls it.
func (f Function) bound() func(r *running, id int, args ...any) (any, error) {
	return func(r *running, id int, args ...any) (any, error) {
		c := &call{running: r, id: id, name: f.Name, args: args}
		for i, v := range args {
			args[i] = normal(v)
		}
		if err := r.spend(id, callWork+textLength(args)); err != nil {
			return nil, err
		}
		result, err := f.call(c)
		if err != nil {
			return nil, err
		}
		if text, ok := result.(string); ok {
			if err := c.fits(len(text)); err != nil {
				return nil, err
			}
			return text, r.spend(id, len(text))
		}
		return result, nil
	}
}

func textLength(args []any) int {
	sum := 0
	for _, v := range args {
		switch v := v.(type) {
		case string:
			sum += len(v)
		case []any:
			sum += len(v)
		}
	}
	return sum
}

func (c *call) failf(format string, args ...any) error {
	return c.running.fail(c.running.leaf.sites[c.id].pos, "%s: %s", c.name, fmt.Sprintf(format, args...))
}

// fits refuses a string that is too long before it is made.
func (c *call) fits(length int) error {
	if length < 0 || length > MaxBytes {
		return c.failf("%s", tooLong)
	}
	return nil
}

// argument names an argument: as written where it is a field or a variable, else by its number, because a literal might be
// secret.
func (c *call) argument(i int) string {
	written := c.running.leaf.sites[c.id].arguments
	if i >= len(written) {
		return "the value from the pipe"
	}
	switch n := written[i].(type) {
	case *parse.FieldNode, *parse.VariableNode:
		return shown(n)
	default:
		return fmt.Sprintf("argument %d", i+1)
	}
}

// literal tells whether an argument is written out, so that a message may repeat it.
func (c *call) literal(i int) bool {
	written := c.running.leaf.sites[c.id].arguments
	if i >= len(written) {
		return false
	}
	return slices.Contains([]parse.NodeType{parse.NodeString, parse.NodeNumber}, written[i].Type())
}

func (c *call) text(i int) (string, error) {
	text, ok := c.args[i].(string)
	if !ok {
		return "", c.failf("%s is %s, want a string", c.argument(i), kindOf(c.args[i]))
	}
	return text, nil
}

func (c *call) whole(i int) (int64, error) {
	n, ok := c.args[i].(int64)
	if !ok {
		return 0, c.failf("%s is %s, want a whole number", c.argument(i), kindOf(c.args[i]))
	}
	return n, nil
}
