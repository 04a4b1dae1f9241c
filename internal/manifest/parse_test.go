package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
)

// parse returns the objects of texts that have to be right.
func parse(t *testing.T, texts ...string) []manifest.Object {
	t.Helper()
	objects, _, err := manifest.Parse(texts)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// one is an object whose spec.v is written as given, in block style.
func one(v string) string {
	return "apiVersion: example.org/v1\nkind: Thing\nmetadata:\n  name: x\nspec:\n  v: " + v + "\n"
}

func TestParsePositions(t *testing.T) {
	const (
		pod    = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
		config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"
	)
	tests := map[string]struct {
		texts []string
		want  []string
	}{
		"nothing":                           {nil, nil},
		"empty texts":                       {[]string{"", "\n", "# only a comment\n", "---\n---\n# and here\n", "null\n", "---\n...\n"}, nil},
		"two texts":                         {[]string{pod, config}, []string{"manifests[0], document 1, line 1", "manifests[1], document 1, line 1"}},
		"two documents":                     {[]string{pod + "---\n" + config}, []string{"manifests[0], document 1, line 1", "manifests[0], document 2, line 5"}},
		"comment before the first document": {[]string{"# licence\n---\n" + pod}, []string{"manifests[0], document 1, line 3"}},
		"empty documents count":             {[]string{"---\n---\n" + pod}, []string{"manifests[0], document 2, line 3"}},
		"end markers":                       {[]string{pod + "...\n---\n" + config}, []string{"manifests[0], document 1, line 1", "manifests[0], document 2, line 6"}},
		"marker with a comment":             {[]string{"--- # first\n" + pod + "---\t# second\n" + config}, []string{"manifests[0], document 1, line 2", "manifests[0], document 2, line 6"}},
		"content on the marker's line":      {[]string{"--- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"}, []string{"manifests[0], document 1, line 1"}},
		"directives":                        {[]string{"# c\n%YAML 1.1\n---\n" + pod}, []string{"manifests[0], document 1, line 4"}},
		"Windows line ends":                 {[]string{strings.ReplaceAll(pod+"---\n"+config, "\n", "\r\n")}, []string{"manifests[0], document 1, line 1", "manifests[0], document 2, line 5"}},
		"byte order mark":                   {[]string{"\ufeff---\n" + pod}, []string{"manifests[0], document 1, line 2"}},
		"no line end at the end":            {[]string{strings.TrimSpace(pod) + "\n---"}, []string{"manifests[0], document 1, line 1"}},
		"a name that begins with dashes":    {[]string{pod + "---a: b\n"}, []string{"manifests[0], document 1, line 1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, o := range parse(t, test.texts...) {
				got = append(got, o.Position.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseValues(t *testing.T) {
	tests := map[string]struct {
		written string
		want    any
	}{
		"bare y":                      {"y", true},
		"bare off":                    {"Off", false},
		"quoted y":                    {`"y"`, "y"},
		"y with a string's tag":       {"!!str y", "y"},
		"y with a boolean's tag":      {"!!bool y", true},
		"number with a string's tag":  {"!!str 12", "12"},
		"string with a number's tag":  {`!!int "12"`, int64(12)},
		"integer with a float's tag":  {"!!float 3", int64(3)},
		"integer":                     {"9223372036854775807", int64(9223372036854775807)},
		"integer beyond 53 bits":      {"9007199254740993", int64(9007199254740993)},
		"integer beyond 63 bits":      {"18446744073709551615", float64(18446744073709551615)},
		"integer beyond 64 bits":      {"100000000000000000000", float64(1e20)},
		"negative integer":            {"-9223372036854775808", int64(-9223372036854775808)},
		"octal":                       {"0644", int64(420)},
		"hexadecimal":                 {"0x10", int64(16)},
		"underscores":                 {"1_000", int64(1000)},
		"whole float":                 {"1.0", int64(1)},
		"exponent":                    {"1e3", int64(1000)},
		"fraction":                    {"0.5", 0.5},
		"negative zero":               {"-0.0", int64(0)},
		"quantity":                    {"500m", "500m"},
		"timestamp":                   {"2026-11-22", "2026-11-22"},
		"sexagesimal is a string":     {"12:30:45", "12:30:45"},
		"merge mark as value":         {"<<", "<<"},
		"literal block":               {"|\n    a\n     b\n", "a\n b\n"},
		"folded block":                {">-\n    a\n    b\n", "a b"},
		"document mark in a block":    {"|\n    ---\n    x\n", "---\nx\n"},
		"flow":                        {"{a: [1, two, true]}", map[string]any{"a": []any{int64(1), "two", true}}},
		"nulls in mappings":           {"{a: null, b: {c: ~}, d: [{e: }]}", map[string]any{"b": map[string]any{}, "d": []any{map[string]any{}}}},
		"empty":                       {"{a: {}, b: []}", map[string]any{"a": map[string]any{}, "b": []any{}}},
		"alias":                       {"{a: &x {num: 1}, b: *x}", map[string]any{"a": map[string]any{"num": int64(1)}, "b": map[string]any{"num": int64(1)}}},
		"alias of a key":              {"{a: &x k, *x : 1}", map[string]any{"a": "k", "k": int64(1)}},
		"merge: own key wins":         {"{x: &x {num: 1, m: 2}, own: {num: 3, <<: *x}}", map[string]any{"x": map[string]any{"num": int64(1), "m": int64(2)}, "own": map[string]any{"num": int64(3), "m": int64(2)}}},
		"merge: even when it is null": {"{x: &x {num: 1}, own: {<<: *x, num: ~}}", map[string]any{"x": map[string]any{"num": int64(1)}, "own": map[string]any{}}},
		"merge: first of a list wins": {"{x: &x {num: 1}, z: &z {num: 2, m: 2}, own: {<<: [*x, *z]}}", map[string]any{
			"x": map[string]any{"num": int64(1)}, "z": map[string]any{"num": int64(2), "m": int64(2)}, "own": map[string]any{"num": int64(1), "m": int64(2)},
		}},
		"merge: through a merge": {"{x: &x {num: 1}, z: &z {<<: *x}, own: {<<: *z}}", map[string]any{
			"x": map[string]any{"num": int64(1)}, "z": map[string]any{"num": int64(1)}, "own": map[string]any{"num": int64(1)},
		}},
		"quoted merge mark is a key": {`{"<<": {a: 1}}`, map[string]any{"<<": map[string]any{"a": int64(1)}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			objects := parse(t, one(test.written))
			spec, ok := objects[0].Object["spec"].(map[string]any)
			if !ok {
				t.Fatalf("spec is %v", objects[0].Object["spec"])
			}
			if diff := cmp.Diff(test.want, spec["v"]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseJSON(t *testing.T) {
	objects := parse(t, "{\n\t\"apiVersion\": \"example.org/v1\",\n\t\"kind\": \"Thing\",\n\t\"metadata\": {\"name\": \"x\"},\n"+
		`"spec": {"face": "\ud83d\ude00 \\ud83d\\ude00 \/ \u00e9 \t", "n": 1e2}}`)
	want := map[string]any{"face": "😀 \\ud83d\\ude00 / é \t", "n": int64(100)}
	if diff := cmp.Diff(want, objects[0].Object["spec"]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseKeepsNullsOfSchemas(t *testing.T) {
	objects := parse(t, `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a.b}, spec: {enum: [a, null]}}`)
	if diff := cmp.Diff(map[string]any{"enum": []any{"a", nil}}, objects[0].Object["spec"]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseErrors(t *testing.T) {
	tests := map[string]struct {
		text string
		want []manifest.Error
	}{
		"a cycle of aliases": {one("&a {b: *a}"), []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 6}, Field: "spec.v.b.b", Message: "contains itself, by an alias of an anchor around it"},
		}},
		"a cycle of merges": {one("&a {<<: *a}"), []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 6}, Field: "spec.v", Message: "contains itself, by an alias of an anchor around it"},
		}},
		"a cycle of merged lists": {one("&a [{<<: *a}]"), []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 6}, Field: "spec.v[0]", Message: "contains itself, by an alias of an anchor around it"},
		}},
		"a merge of a list of lists": {one("{<<: [[{a: b}]]}"), []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 6}, Field: "spec.v", Message: "has a merge key (<<) whose list contains something else than mappings"},
		}},
		"a merge of a string": {one("{<<: a}"), []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 6}, Field: "spec.v", Message: "has a merge key (<<) whose value is neither a mapping nor a list of mappings"},
		}},
		"an error behind an anchor is said once": {one("{a: &x {num: .inf}, b: *x, c: *x}"), []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 6}, Field: "spec.v.a.num", Message: "is not a finite number, which JSON cannot express; quote it if a string is meant"},
		}},
		"a merged name": {"x: &x {name: n}\napiVersion: v1\nkind: Pod\nmetadata:\n  <<: *x\n", []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 1}, Field: "metadata.name", Message: `is the boolean false: YAML 1.1 reads the bare word n as a boolean; quote it: "n"`},
		}},
		"an anchor of another document": {"a: &x 1\n---\nb: *x\n", []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 1}, Field: "apiVersion", Message: "is missing"},
			{Position: manifest.Position{Document: 1, Line: 1}, Field: "kind", Message: "is missing"},
			{Position: manifest.Position{Document: 1, Line: 1}, Field: "metadata.name", Message: "is missing"},
			{Position: manifest.Position{Document: 2, Line: 3}, Message: "not YAML: an alias (*) without its anchor (&); quote a value that begins with an asterisk"},
		}},
		"a wrong tag": {one("!!int hunter2"), []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 6}, Field: "spec.v", Message: "has the tag !!int, but its value is none"},
		}},
		"a document without a mark": {"a: b\n...\nc: d\n", []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 1}, Field: "apiVersion", Message: "is missing"},
			{Position: manifest.Position{Document: 1, Line: 1}, Field: "kind", Message: "is missing"},
			{Position: manifest.Position{Document: 1, Line: 1}, Field: "metadata.name", Message: "is missing"},
			{Position: manifest.Position{Document: 2, Line: 3}, Message: "not YAML: did not find expected <document start>; begin the document with ---"},
		}},
		"a tagged list": {one("!set [a]"), []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 6}, Field: "spec.v", Message: "has a tag of its own, which Kubernetes does not know; remove it"},
		}},
		"a tagged root": {"!Thing {a: b}", []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 1}, Message: "the document has a tag of its own, which Kubernetes does not know; remove it"},
		}},
		"control characters": {"a: b\nc: \x01\n", []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 2}, Message: "not YAML: control characters are not allowed"},
		}},
		"not UTF-8": {"a: b\nc: \xff\n", []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 2}, Message: "not YAML: invalid leading UTF-8 octet"},
		}},
		"an empty name": {"apiVersion: v1\nkind: Pod\nmetadata: {name: ''}\n", []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 3}, Field: "metadata.name", Message: `is "", but an object needs a name`},
		}},
		"a List without a list": {"kind: List\nitems: {a: b}\n", []manifest.Error{
			{Position: manifest.Position{Document: 1, Line: 2}, Field: "items", Message: "is not a list of objects"},
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			objects, warnings, err := manifest.Parse([]string{test.text})
			if objects != nil || warnings != nil {
				t.Errorf("there are objects %v and warnings %v beside the error", objects, warnings)
			}
			if diff := cmp.Diff(test.want, unjoin(t, err)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// unjoin returns the errors that Parse joined.
func unjoin(t *testing.T, err error) []manifest.Error {
	t.Helper()
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("the error is %v", err)
	}
	var errs []manifest.Error
	for _, err := range joined.Unwrap() {
		var e *manifest.Error
		if !errors.As(err, &e) {
			t.Fatalf("%v is a %T", err, err)
		}
		errs = append(errs, *e)
	}
	return errs
}

func TestParseBoundsAliases(t *testing.T) {
	for name, form := range map[string]string{"lists": "[%s]", "merges": "{<<: [%s]}"} {
		t.Run(name, func(t *testing.T) {
			bomb := "a0: &a0 {}\n"
			for level := 1; level <= 9; level++ {
				before := fmt.Sprintf("*a%d", level-1)
				value := fmt.Sprintf(form, strings.Repeat(before+", ", 9)+before)
				bomb += fmt.Sprintf("a%d: &a%d %s\n", level, level, value)
			}
			_, _, err := manifest.Parse([]string{bomb})
			errs := unjoin(t, err)
			if len(errs) != 1 || !strings.Contains(errs[0].Message, "aliases of this document stand for more than 100000 values") {
				t.Errorf("errors are %v", errs)
			}
		})
	}
}

func TestParseNeverRepeatsSecrets(t *testing.T) {
	text, err := os.ReadFile("testdata/secret-mistakes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = manifest.Parse([]string{string(text)})
	if err == nil {
		t.Fatal("no error")
	}
	for _, secret := range []string{"hunter2", "31337", "4711"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in the error:\n%v", secret, err)
		}
	}
}

func TestCheckDuplicates(t *testing.T) {
	const (
		bare     = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}"
		explicit = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: shop}}"
		beta     = "{apiVersion: apps/v1beta1, kind: Deployment, metadata: {name: a}}"
		other    = "{apiVersion: example.org/v1, kind: Deployment, metadata: {name: a}}"
	)
	tests := map[string]struct {
		texts     []string
		namespace string
		want      string
	}{
		"different objects":          {[]string{bare, explicit, other}, "", ""},
		"the same":                   {[]string{bare, bare}, "", "manifests[1], document 1, line 1: Deployment.apps a is in this set already, at manifests[0], document 1, line 1; an object can be there only once"},
		"the same by default":        {[]string{bare, explicit}, "shop", "manifests[1], document 1, line 1: Deployment.apps shop/a is in this set already, at manifests[0], document 1, line 1; an object can be there only once"},
		"not the same by default":    {[]string{bare, explicit}, "other", ""},
		"the same in other versions": {[]string{bare, other, beta}, "", "manifests[2], document 1, line 1: Deployment.apps a is in this set already, at manifests[0], document 1, line 1; an object can be there only once"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got string
			if err := manifest.CheckDuplicates(parse(t, test.texts...), test.namespace); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestObjectKeyAndSecret(t *testing.T) {
	objects := parse(t, "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: b}}",
		"{apiVersion: example.org/v1, kind: Secret, metadata: {name: a}}")
	if want := (fleet.ObjectKey{Kind: "Secret", Namespace: "b", Name: "a"}); objects[0].Key != want || !objects[0].IsSecret() {
		t.Errorf("%v, secret %v", objects[0].Key, objects[0].IsSecret())
	}
	if want := (fleet.ObjectKey{Group: "example.org", Kind: "Secret", Name: "a"}); objects[1].Key != want || objects[1].IsSecret() {
		t.Errorf("%v, secret %v", objects[1].Key, objects[1].IsSecret())
	}
}
