package override

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// largestObject bounds what copy operations can make of an object, in bytes of JSON. No server accepts one of this size.
const largestObject = 8 << 20

// operation is one operation of a JSON patch.
type operation struct {
	index    int
	op       string
	path     string
	from     string
	at       pointer
	source   pointer
	value    any
	patch    jsonpatch.Patch
	withdraw jsonpatch.Patch // the first half of a move
}

// jsonPatch is a JSON patch as in RFC 6902. The library applies it; but the library is laxer about places than the RFC, and its
// messages name no operation, so that each place is looked up before.
type jsonPatch []operation

func parseJSONPatch(text string) (jsonPatch, []Problem) {
	v, problems := read(text)
	if len(problems) > 0 {
		return nil, about(argumentJSON, problems)
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		found := kindOf(v)
		if ok {
			found = "an empty one"
		}
		return nil, []Problem{{Argument: argumentJSON, Detail: fmt.Sprintf(`want a list of operations, as in [{"op": "replace", "path": "/spec/replicas", "value": 1}], and this is %s`, found)}}
	}
	var patch jsonPatch
	for i, item := range list {
		o, problem := parseOperation(i, item)
		if problem != nil {
			problem.Argument = itemOf(argumentJSON, i)
			problems = append(problems, *problem)
			continue
		}
		patch = append(patch, o)
	}
	return patch, problems
}

// about says of problems which argument they are about.
func about(argument string, problems []Problem) []Problem {
	for i := range problems {
		problems[i].Argument = argument
	}
	return problems
}

func itemOf(argument string, i int) string { return fmt.Sprintf("%s[%d]", argument, i) }

func parseOperation(index int, item any) (operation, *Problem) {
	o := operation{index: index}
	fields, ok := item.(map[string]any)
	if !ok {
		return o, &Problem{Detail: fmt.Sprintf("want an operation, which is a mapping with op and path, and this is %s", kindOf(item))}
	}
	needed := map[string][]string{
		"add": {"value"}, "replace": {"value"}, "test": {"value"}, "move": {"from"}, "copy": {"from"}, "remove": nil,
	}
	o.op, ok = fields["op"].(string)
	if _, known := needed[o.op]; !ok || !known {
		return o, &Problem{Detail: "op has to be one of add, remove, replace, move, copy, test"}
	}
	for _, name := range append([]string{"path"}, needed[o.op]...) {
		v, there := fields[name]
		if !there {
			return o, &Problem{Detail: fmt.Sprintf("%s needs %s%s", o.op, name, meant(name, fields))}
		}
		if _, isText := v.(string); !isText && name != "value" {
			return o, &Problem{Detail: fmt.Sprintf("%s has to be a JSON pointer such as /spec/replicas, and is %s", name, kindOf(v))}
		}
	}
	var complaint string
	o.path, _ = fields["path"].(string)
	o.value = fields["value"]
	if o.at, complaint = parsePointer(o.path); complaint != "" {
		return o, &Problem{Path: o.path, Detail: complaint}
	}
	if needed[o.op] != nil && needed[o.op][0] == "from" {
		o.from, _ = fields["from"].(string)
		if o.source, complaint = parsePointer(o.from); complaint != "" {
			return o, &Problem{Path: o.from, Detail: complaint}
		}
	}
	if complaint = o.refused(); complaint != "" {
		return o, &Problem{Path: o.path, Detail: complaint}
	}
	return o, o.prepare()
}

// meant names a field that is probably a misspelling of the one that is needed. Unknown fields are ignored, as the RFC demands.
func meant(name string, fields map[string]any) string {
	if closest := fleet.Closest(name, slices.Collect(maps.Keys(fields))); closest != "" && closest != "op" && closest != "path" {
		return fmt.Sprintf("; did you mean it by %q?", closest)
	}
	return ""
}

// refused says what can be no operation on any object.
func (o operation) refused() string {
	_, mapping := o.value.(map[string]any)
	whole := o.path == ""
	switch {
	case o.op == "move" && o.at.leadsInto(o.source):
		return fmt.Sprintf("what is moved away from %q cannot be put into itself", o.from)
	case o.op == "remove" && whole, o.op == "move" && o.from == "":
		return "this removes the whole object; use exclude = true for that"
	case (o.op == "move" || o.op == "copy") && whole:
		return "this makes a part of the object the whole of it, which would be another object"
	case (o.op == "add" || o.op == "replace") && whole && !mapping:
		return fmt.Sprintf("the whole object would become %s", kindOf(o.value))
	}
	removed := o.at
	if o.op == "move" {
		removed = o.source
	}
	if o.op == "remove" || o.op == "move" {
		if name := removed.String(); slices.Contains([]string{"/apiVersion", "/kind", "/metadata", "/metadata/name"}, name) {
			return fmt.Sprintf("an object without %s is none; a patch has to keep the identity of the object", name)
		}
	}
	return ""
}

// prepare builds what the library takes.
func (o *operation) prepare() *Problem {
	fields := map[string]any{"op": o.op, "path": o.path}
	switch o.op {
	case "add", "replace", "test":
		fields["value"] = o.value
	case "move", "copy":
		fields["from"] = o.from
	}
	var err error
	if o.patch, err = decodePatch(fields); err != nil {
		return &Problem{Path: o.path, Detail: "JSON cannot express this operation"}
	}
	if o.op == "move" {
		if o.withdraw, err = decodePatch(map[string]any{"op": "remove", "path": o.from}); err != nil {
			return &Problem{Path: o.from, Detail: "JSON cannot express this operation"}
		}
	}
	return nil
}

func decodePatch(fields map[string]any) (jsonpatch.Patch, error) {
	text, err := json.Marshal([]any{fields})
	if err != nil {
		return nil, err
	}
	return jsonpatch.DecodePatch(text)
}

func (p jsonPatch) apply(object map[string]any, confidential bool) (map[string]any, *failure) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, &failure{argument: argumentJSON, detail: "the object holds what JSON cannot express"}
	}
	result := object
	for _, o := range p {
		fail := func(detail string) (map[string]any, *failure) {
			return nil, &failure{argument: itemOf(argumentJSON, o.index), path: o.path, detail: detail}
		}
		if complaint := o.missing(result, confidential); complaint != "" {
			return fail(complaint)
		}
		before := text
		text, err = o.patch.ApplyWithOptions(text, strict())
		switch {
		case errors.Is(err, jsonpatch.ErrTestFailed):
			found, _ := o.at.resolve(result, false, confidential)
			return fail(different(found, o.value, confidential))
		case err != nil:
			return fail(o.explain(before, confidential))
		case len(text) > largestObject:
			return fail(fmt.Sprintf("the object would become larger than %d MiB, which no server accepts", largestObject>>20))
		}
		decoded, err := fromJSON(text)
		mapping, ok := decoded.(map[string]any)
		if err != nil || !ok {
			return fail("what results is no object")
		}
		result = mapping
	}
	return result, nil
}

func strict() *jsonpatch.ApplyOptions {
	options := jsonpatch.NewApplyOptions()
	options.SupportNegativeIndices = false
	return options
}

// missing says which place of the operation does not exist.
func (o operation) missing(object map[string]any, confidential bool) string {
	if o.op == "move" || o.op == "copy" {
		if _, complaint := o.source.resolve(object, false, confidential); complaint != "" {
			return fmt.Sprintf("nothing can be taken from %q: %s", o.from, complaint)
		}
	}
	adding := o.op != "remove" && o.op != "replace" && o.op != "test"
	_, complaint := o.at.resolve(object, adding, confidential)
	if complaint != "" && object["kind"] == "Secret" && o.at[0] == "stringData" {
		complaint += "; the stringData of a manifest has been moved, encoded, into data"
	}
	return complaint
}

// explain says what the library refused although the places were there: that of a move may be gone once the thing to move is.
func (o operation) explain(text []byte, confidential bool) string {
	const unexplained = "the operation cannot be applied to this object"
	if o.op != "move" {
		return unexplained
	}
	text, err := o.withdraw.ApplyWithOptions(text, strict())
	if err != nil {
		return unexplained
	}
	v, err := fromJSON(text)
	if err != nil {
		return unexplained
	}
	if _, complaint := o.at.resolve(v, true, confidential); complaint != "" {
		return fmt.Sprintf("once %s is taken away, %s", o.from, complaint)
	}
	return unexplained
}

func different(found, want any, confidential bool) string {
	a, b := shown(found, confidential), shown(want, confidential)
	if confidential || a == b {
		return "the value is not the one that the test wants"
	}
	return fmt.Sprintf("the value is %s, and the test wants %s", a, b)
}
