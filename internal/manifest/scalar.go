package manifest

import (
	"fmt"
	"math"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// quotedStyles are the styles of a scalar that is certainly a string, whatever it looks like.
const quotedStyles = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// bareBooleans are the words that YAML 1.1, and with it kubectl, reads as booleans and YAML 1.2 does not.
var bareBooleans = map[string]bool{
	"y": true, "Y": true, "yes": true, "Yes": true, "YES": true, "on": true, "On": true, "ON": true,
	"n": false, "N": false, "no": false, "No": false, "NO": false, "off": false, "Off": false, "OFF": false,
}

// scalar returns the value of a scalar as JSON has it: nil, bool, int64, float64 or string. The error is a
// predicate that does not repeat the value, which may be secret.
func scalar(n *yaml.Node) (any, error) {
	tagged := n.Style&yaml.TaggedStyle != 0
	if !tagged && n.Style&quotedStyles != 0 {
		return n.Value, nil
	}
	switch n.ShortTag() {
	case "!!str", "!!merge", "!!bool":
		word, isBool := bareBooleans[n.Value]
		if isBool && (!tagged || n.ShortTag() == "!!bool") {
			return word, nil
		}
		if n.ShortTag() != "!!bool" {
			return n.Value, nil
		}
	case "!!timestamp":
		// JSON has no timestamps; the text is what the server wants.
		return n.Value, nil
	case "!!null", "!!int", "!!float":
	case "!!binary":
		return nil, fmt.Errorf("has the tag !!binary, which JSON cannot express; write the base64 text without the tag")
	default:
		return nil, fmt.Errorf("has a tag of its own, which Kubernetes does not know; quote the value if it begins with an exclamation mark")
	}
	var v any
	if err := n.Decode(&v); err != nil {
		// The reader's message repeats the value.
		return nil, fmt.Errorf("has the tag %s, but its value is none", n.ShortTag())
	}
	return jsonNumber(v)
}

// jsonNumber turns the numbers of the YAML reader into those that Kubernetes' JSON reader would make of them.
func jsonNumber(v any) (any, error) {
	switch v := v.(type) {
	case int:
		return int64(v), nil
	case uint64:
		// Beyond 64 bits with a sign; smaller ones come as int.
		return float64(v), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("is not a finite number, which JSON cannot express; quote it if a string is meant")
		}
		if whole, ok := fleet.WholeNumber(v); ok {
			return whole, nil
		}
		return v, nil
	default:
		return v, nil
	}
}

// notString says, as a predicate, why a value is not a string and how to make it one. The text is how it was
// written; it is repeated unless secret.
func notString(v any, text string, secret bool) string {
	var what string
	switch v.(type) {
	case nil:
		return `is null, not a string; write "" for an empty one, or remove the field`
	case map[string]any:
		return "is a mapping, not a string"
	case []any:
		return "is a list, not a string"
	case bool:
		what = "boolean"
	default:
		what = "number"
	}
	text = strings.TrimSpace(text)
	_, bare := bareBooleans[text]
	switch {
	case secret && what == "boolean":
		return "is a boolean, not a string; quote it (YAML 1.1 reads bare words such as y, no and off as booleans)"
	case secret:
		return "is a number, not a string; quote it"
	case bare:
		return fmt.Sprintf("is the boolean %v: YAML 1.1 reads the bare word %s as a boolean; quote it: %q", v, text, text)
	default:
		return fmt.Sprintf("is the %s %v, not a string; quote it: %q", what, v, text)
	}
}
