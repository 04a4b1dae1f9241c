package override_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

// document wraps what an RFC patches into an object, as its field doc.
func document(t testing.TB, doc string) override.Object {
	t.Helper()
	return object(t, `{"apiVersion":"example.org/v1","kind":"Document","metadata":{"name":"doc"},"doc":`+doc+`}`)
}

// moved makes the pointers of a JSON patch lead into doc.
func moved(t testing.TB, patch string) string {
	t.Helper()
	var operations []map[string]any
	if err := json.Unmarshal([]byte(patch), &operations); err != nil {
		t.Fatal(err)
	}
	for _, operation := range operations {
		for _, name := range []string{"path", "from"} {
			if pointer, ok := operation[name].(string); ok {
				operation[name] = "/doc" + pointer
			}
		}
	}
	return jsonText(t, operations)
}

func decoded(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := utiljson.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestRFC6902Appendix goes through appendix A of RFC 6902, and what its text says beyond.
func TestRFC6902Appendix(t *testing.T) {
	tests := []struct{ name, doc, patch, want, err string }{
		{"A.1 add an object member", `{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux"}]`, `{"baz":"qux","foo":"bar"}`, ""},
		{"A.2 add an array element", `{"foo":["bar","baz"]}`, `[{"op":"add","path":"/foo/1","value":"qux"}]`, `{"foo":["bar","qux","baz"]}`, ""},
		{"A.3 remove an object member", `{"baz":"qux","foo":"bar"}`, `[{"op":"remove","path":"/baz"}]`, `{"foo":"bar"}`, ""},
		{"A.4 remove an array element", `{"foo":["bar","qux","baz"]}`, `[{"op":"remove","path":"/foo/1"}]`, `{"foo":["bar","baz"]}`, ""},
		{"A.5 replace a value", `{"baz":"qux","foo":"bar"}`, `[{"op":"replace","path":"/baz","value":"boo"}]`, `{"baz":"boo","foo":"bar"}`, ""},
		{"A.6 move a value", `{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}`,
			`[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]`, `{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}`, ""},
		{"A.7 move an array element", `{"foo":["all","grass","cows","eat"]}`, `[{"op":"move","from":"/foo/1","path":"/foo/3"}]`, `{"foo":["all","cows","eat","grass"]}`, ""},
		{"A.8 test, success", `{"baz":"qux","foo":["a",2,"c"]}`, `[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]`, `{"baz":"qux","foo":["a",2,"c"]}`, ""},
		{"A.9 test, error", `{"baz":"qux"}`, `[{"op":"test","path":"/baz","value":"bar"}]`, "", `json_patch[0], /doc/baz: the value is "qux", and the test wants "bar"`},
		{"A.10 add a nested member object", `{"foo":"bar"}`, `[{"op":"add","path":"/child","value":{"grandchild":{}}}]`, `{"foo":"bar","child":{"grandchild":{}}}`, ""},
		{"A.11 ignore unrecognized elements", `{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux","xyz":123}]`, `{"foo":"bar","baz":"qux"}`, ""},
		{"A.12 add to a nonexistent target", `{"foo":"bar"}`, `[{"op":"add","path":"/baz/bat","value":"qux"}]`, "",
			`json_patch[0], /doc/baz/bat: there is no "baz" in /doc (there is foo); add it first, or use merge_patch, which adds what is missing`},
		{"A.14 escape ordering", `{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":10}]`, `{"/":9,"~1":10}`, ""},
		{"A.15 strings are not numbers", `{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":"10"}]`, "", `json_patch[0], /doc/~01: the value is 10, and the test wants "10"`},
		{"A.16 add an array value", `{"foo":["bar"]}`, `[{"op":"add","path":"/foo/-","value":["abc","def"]}]`, `{"foo":["bar",["abc","def"]]}`, ""},

		{"numbers are equal by value", `{"a":1,"b":1e3}`, `[{"op":"test","path":"/a","value":1.0},{"op":"test","path":"/b","value":1000}]`, `{"a":1,"b":1000}`, ""},
		{"objects are equal in any order", `{"a":{"x":1,"y":[{"z":2}]}}`, `[{"op":"test","path":"/a","value":{"y":[{"z":2}],"x":1}}]`, `{"a":{"x":1,"y":[{"z":2}]}}`, ""},
		{"an index equal to the length appends", `{"a":[1]}`, `[{"op":"add","path":"/a/1","value":2}]`, `{"a":[1,2]}`, ""},
		{"an index may not be greater", `{"a":[1]}`, `[{"op":"add","path":"/a/2","value":2}]`, "", `json_patch[0], /doc/a/2: /doc/a is a list of 1 item, counted from 0, and position 2 is beyond`},
		{"no leading zeros", `{"a":[1,2]}`, `[{"op":"remove","path":"/a/01"}]`, "", `json_patch[0], /doc/a/01: /doc/a is a list of 2 items, and "01" is no position in it, counted from 0`},
		{"no negative positions", `{"a":[1,2]}`, `[{"op":"remove","path":"/a/-1"}]`, "", `json_patch[0], /doc/a/-1: /doc/a is a list of 2 items, and "-1" is no position in it, counted from 0`},
		{"nothing is after the last", `{"a":[1,2]}`, `[{"op":"replace","path":"/a/-","value":1}]`, "", `json_patch[0], /doc/a/-: - is the place after the last item of /doc/a, where nothing is yet`},
		{"a test needs the location, also for null", `{"a":1}`, `[{"op":"test","path":"/b","value":null}]`, "", `json_patch[0], /doc/b: there is no "b" in /doc; did you mean "a"?`},
		{"remove needs the location", `{"long":1}`, `[{"op":"remove","path":"/other"}]`, "", `json_patch[0], /doc/other: there is no "other" in /doc (there is long)`},
		{"replace needs the location", `{"long":1}`, `[{"op":"replace","path":"/other","value":1}]`, "", `json_patch[0], /doc/other: there is no "other" in /doc (there is long)`},
		{"later operations see earlier ones", `{}`, `[{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/b","value":1},{"op":"copy","from":"/a","path":"/a/c"}]`, `{"a":{"b":1,"c":{"b":1}}}`, ""},
		{"the operation that fails is named", `{}`, `[{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/b/c","value":1}]`, "",
			`json_patch[1], /doc/a/b/c: there is no "b" in /doc/a; add it first, or use merge_patch, which adds what is missing`},
		{"a move away may shorten the list", `{"a":[1,2]}`, `[{"op":"move","from":"/a/0","path":"/a/2"}]`, "", `json_patch[0], /doc/a/2: once /doc/a/0 is taken away, /doc/a is a list of 1 item, counted from 0, and position 2 is beyond`},
		{"a move from nowhere", `{"long":1}`, `[{"op":"move","from":"/other","path":"/x"}]`, "", `json_patch[0], /doc/x: nothing can be taken from "/doc/other": there is no "other" in /doc (there is long)`},
		{"below a scalar is nothing", `{"a":1}`, `[{"op":"add","path":"/a/b","value":1}]`, "", `json_patch[0], /doc/a/b: /doc/a is a whole number, so there is no "b" in it`},
		{"a name is no position", `{"a":[{"name":"x"},{"name":"web"}]}`, `[{"op":"remove","path":"/a/web"}]`, "",
			`json_patch[0], /doc/a/web: /doc/a is a list of 2 items, and "web" is no position in it, counted from 0; the item of this name is at 1, and strategic_patch finds it by its name`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := rewrite(t, document(t, tt.doc), override.Rule{JSONPatch: moved(t, tt.patch)})
			if tt.err != "" {
				tt.err = "eu-1, Document.example.org doc: overrides[0]." + tt.err
			}
			if text := message(err); text != tt.err {
				t.Fatalf("error (-want +got)\n%s", cmp.Diff(tt.err, text))
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(decodedWhole(t, tt.want), got["doc"]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// decodedWhole is decoded, with numbers such as 1e3 as the integers they are.
func decodedWhole(t testing.TB, text string) any {
	t.Helper()
	return decoded(t, jsonText(t, decoded(t, text)))
}

// TestRFC6902AppendixA13 has the duplicate key that makes a patch invalid.
func TestRFC6902AppendixA13(t *testing.T) {
	problems := override.Check(override.Rule{JSONPatch: `[{"op":"add","path":"/baz","value":"qux","op":"remove"}]`})
	if len(problems) != 1 || !strings.Contains(problems[0].String(), `duplicate field "[0].op"`) {
		t.Errorf("got %v", problems)
	}
}

// TestRFC7386Appendix goes through the table of appendix A of RFC 7386. Nulls of mappings are left out of what is
// wanted, as they are of what results.
func TestRFC7386Appendix(t *testing.T) {
	tests := []struct{ original, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.original+" "+tt.patch, func(t *testing.T) {
			for _, rule := range []override.Rule{{MergePatch: `{"doc":` + tt.patch + `}`}, {StrategicPatch: `{"doc":` + tt.patch + `}`}} {
				got, err := rewrite(t, document(t, tt.original), rule)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(decoded(t, tt.want), got["doc"]); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}
