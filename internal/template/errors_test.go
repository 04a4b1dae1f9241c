package template_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/template"
)

func TestErrors(t *testing.T) {
	tests := map[string]string{
		"{{ .cluster.labels.regoin }}":                            `at 1:19: .cluster.labels has no key "regoin"; did you mean "region"? (its keys: "app-name", "env", "example.org/zone", "region")`,
		"{{ .clutser.name }}":                                     `at 1:4: there is no .clutser here; did you mean "cluster"? (there is .cluster, .values)`,
		"{{ .Values.x }}":                                         `at 1:4: there is no .Values here; did you mean "values"? (there is .cluster, .values)`,
		"{{ .cluster.name.x }}":                                   `at 1:17: .cluster.name is a string, so it has no key "x"`,
		"{{ .cluster.labels.example.org }}":                       `at 1:19: .cluster.labels has no key "example"; a key with other characters than letters, digits and _ is read with index .cluster.labels "example.org/zone"`,
		"{{ .cluster.labels.app-name }}":                          "in line 1: bad character U+002D '-'; a key with other characters than letters, digits and _ is read with index, as in index .cluster.labels \"example.org/zone\"; if the braces are not meant for this provider, write {{ `{{ ... }}` }} around them",
		"{{ .values.nothing.x }}":                                 `at 1:19: .values.nothing is null, so it has no key "x"`,
		"{{ .values.pasword }}":                                   `at 1:11: .values has no key "pasword"; did you mean "password"? (its keys: "five", "list", "map", "nothing", "nulls", "on", "password", "port", "share", "whole")`,
		"a\nb é{{ .cluster.x }}":                                  `at 2:15: .cluster has no key "x" (its keys: "facts", "labels", "minor", "name", "properties", "weight"); where it may be missing, add | default "..." after it`,
		"{{ .cluster.name }} {{ $.cluster.labels.nn }}":           `at 1:40: .cluster.labels has no key "nn"; did you mean "env"? (its keys: "app-name", "env", "example.org/zone", "region")`,
		"{{ with .cluster }}{{ .labels.x.y }}{{ end }}":           `at 1:30: .labels has no key "x" (its keys: "app-name", "env", "example.org/zone", "region")`,
		"{{ $c := .cluster }}{{ $c.lables }}":                     `at 1:26: $c has no key "lables"; did you mean "labels"? (its keys: "facts", "labels", "minor", "name", "properties", "weight")`,
		"{{ (.cluster).lables }}":                                 `at 1:14: (...) has no key "lables"; did you mean "labels"? (its keys: "facts", "labels", "minor", "name", "properties", "weight")`,
		"{{ .cluster.lables.x | default 1 }}":                     `at 1:12: .cluster has no key "lables"; did you mean "labels"? (its keys: "facts", "labels", "minor", "name", "properties", "weight")`,
		"{{ .cluster.labels.x | lower | default 1 }}":             `at 1:19: .cluster.labels has no key "x" (its keys: "app-name", "env", "example.org/zone", "region"); where it may be missing, add | default "..." after it`,
		`{{ index .cluster.labels "tier" }}`:                      `at 1:26: .cluster.labels has no key "tier" (its keys: "app-name", "env", "example.org/zone", "region"); where it may be missing, add | default "..." after it`,
		`{{ index .cluster "labels" "tier" }}`:                    `at 1:28: what index found has no key "tier" (its keys: "app-name", "env", "example.org/zone", "region"); where it may be missing, add | default "..." after it`,
		`{{ index .cluster.labels .values.password }}`:            `at 1:33: .cluster.labels has no key that equals .values.password (its keys: "app-name", "env", "example.org/zone", "region")`,
		`{{ .values.password | index .cluster.labels }}`:          `at 1:23: .cluster.labels has no key that equals the value from the pipe (its keys: "app-name", "env", "example.org/zone", "region")`,
		`{{ index .values.list 2 }}`:                              `at 1:23: .values.list is a list of 2 items, counted from 0, and argument 2 is beyond`,
		`{{ index .values.list "a" }}`:                            `at 1:4: index: .values.list is a list and wants a whole number as position; argument 2 is a string`,
		`{{ index .cluster.labels 1 }}`:                           `at 1:4: index: .cluster.labels is a map and wants a string as key; argument 2 is a whole number`,
		`{{ index .cluster.name 1 }}`:                             `at 1:24: .cluster.name is a string, so it has no keys`,
		`{{ required "set values_wo.\"db\"" .values.db }}`:        `at 1:4: set values_wo."db"`,
		`{{ .cluster.properties.empty | required "empty" }}`:      `at 1:32: empty`,
		`{{ required "" .values.db }}`:                            `at 1:4: the message of required has to be written out, as in required "MESSAGE" VALUE`,
		`{{ required .values.password "" }}`:                      `at 1:4: the message of required has to be written out, as in required "MESSAGE" VALUE`,
		"{{ instance }}":                                          "at 1:4: there is no function \"instance\"; if the braces are not meant for this provider, write {{ `{{ ... }}` }} around them",
		"{{ cluster.name }}":                                      `at 1:4: there is no function "cluster"; write .cluster, with a dot`,
		"{{ .cluster.name | uper }}":                              `at 1:20: there is no function "uper"; did you mean "upper"?`,
		"{{ .cluster.name | quote }}":                             `at 1:20: there is no function "quote": a leaf is a value and not text, so it needs no quotes; inside a text of JSON or YAML use toJson`,
		"{{ html .cluster.name }}":                                `at 1:4: there is no function "html": text is written as it is, and nothing needs escaping`,
		"{{ upper }}":                                             `at 1:4: upper wants 1 argument, as in upper TEXT, and gets 0; a call that is an argument stands in parentheses`,
		"{{ upper lower .cluster.name }}":                         `at 1:4: upper wants 1 argument, as in upper TEXT, and gets 2; a call that is an argument stands in parentheses`,
		"{{ .cluster.name | replace \"a\" }}":                     `at 1:20: replace wants 3 arguments, as in replace OLD NEW TEXT, and gets 2; a call that is an argument stands in parentheses`,
		"{{ eq 1 }}":                                              `at 1:4: eq wants at least 2 arguments, as in eq A B..., and gets 1; a call that is an argument stands in parentheses`,
		"{{ .cluster.name 1 }}":                                   `at 1:4: .cluster.name is not a function, so it takes no arguments`,
		"{{ 1 | .cluster.name }}":                                 `at 1:8: .cluster.name is not a function, so it takes no arguments`,
		"{{ nil }}":                                               `at 1:4: nil is no value`,
		"{{ . }}":                                                 `at 1:4: . is all of the data here; name a part of it, such as .cluster.name`,
		"{{ toJson $ }}":                                          `at 1:11: $ is all of the data; name a part of it, such as $.cluster.name`,
		"{{ $ := 1 }}":                                            `at 1:4: $ cannot be assigned to; give the variable a name, such as $x`,
		"{{ $x := $x }}":                                          "at 1:10: there is no variable $x here",
		"{{ range $x, $x }}{{ end }}":                             "at 1:14: there is no variable $x here",
		"{{ $x = 1 }}":                                            "at 1:4: there is no variable $x here",
		"{{ if true }}{{ $x := 1 }}{{ else }}{{ $x.y }}{{ end }}": "at 1:40: there is no variable $x here",
		"{{ and false ($x := 1) }}{{ $x }}":                       "at 1:15: a variable cannot be set in parentheses; do so in an action of its own",
		"{{ 1i }}":                                                `at 1:4: 1i is not a number that an object can hold`,
		"{{ 18446744073709551615 }}":                              `at 1:4: 18446744073709551615 is not a number that an object can hold`,
		"{{ $labels.instance }}":                                  "in line 1: there is no variable $labels; if the braces are not meant for this provider, write {{ `{{ ... }}` }} around them",
		"{{ .cluster.name":                                        "in line 1: an action is not closed with }}; if the braces are not meant for this provider, write {{ `{{ ... }}` }} around them",
		"a\n{{ .cluster.name\n":                                   "in line 3: an action is not closed with }}, started at line 2; if the braces are not meant for this provider, write {{ `{{ ... }}` }} around them",
		"{{ }}":                                                   "in line 1: there is nothing between {{ and }}; if the braces are not meant for this provider, write {{ `{{ ... }}` }} around them",
		"{{ if true }}":                                           "in line 1: an if, with or range has no {{ end }}; if the braces are not meant for this provider, write {{ `{{ ... }}` }} around them",
		"{{ end }}":                                               "in line 1: unexpected {{end}}; if the braces are not meant for this provider, write {{ `{{ ... }}` }} around them",
		"{{ \"a }}":                                               "in line 1: unterminated quoted string; if the braces are not meant for this provider, write {{ `{{ ... }}` }} around them",
		"{{ template \"x\" }}":                                    `at 1:13: define, block and template are not supported: a leaf is one template`,
		"a {{ define \"x\" }}{{ end }}":                           `at 1:3: define, block and template are not supported: a leaf is one template`,
		"{{ block \"x\" .cluster }}{{ end }}":                     `at 1:1: define, block and template are not supported: a leaf is one template`,
		"{{ .values.nothing }}":                                   `at 1:4: the result is null, which no object can hold; add | default "..." after it`,
		"{{ .values.nulls }}":                                     `at 1:4: the result is a list with null in it, which no object can hold`,
		"{{ .values.nothing }}a":                                  `at 1:4: null cannot be written into text; add | default "..." after it`,
		"{{ .values.list }}a":                                     `at 1:4: a list cannot be written into text; use toJson, or join for a list`,
		"{{ range .values.password }}{{ end }}":                   `at 1:10: range goes over a list or a map, and this is a string`,
		"{{ range 3 }}{{ end }}":                                  `at 1:10: range goes over a list or a map, and this is a whole number`,
		"{{ int .values.password }}":                              `at 1:4: int: .values.password is a string that is not a whole number of 64 bits`,
		"{{ int .values.share }}":                                 `at 1:4: int: .values.share is not a whole number`,
		"{{ int .values.on }}":                                    `at 1:4: int: .values.on is a boolean, want a string or a number`,
		"{{ .values.password | int }}":                            `at 1:23: int: the value from the pipe is a string that is not a whole number of 64 bits`,
		"{{ int \"hunter\" }}":                                    `at 1:4: int: argument 1 is a string that is not a whole number of 64 bits`,
		"{{ float .values.password }}":                            `at 1:4: float: .values.password is a string that is not a number`,
		"{{ float \"NaN\" }}":                                     `at 1:4: float: argument 1 is a string that is not a number`,
		"{{ bool .values.password }}":                             `at 1:4: bool: .values.password is a string that is neither "true" nor "false"`,
		"{{ bool 1 }}":                                            `at 1:4: bool: argument 1 is a whole number, want "true" or "false"`,
		"{{ string .values.list }}":                               `at 1:4: string: .values.list is a list, want a number or a boolean; toJson writes any value`,
		"{{ fromJson .values.password }}":                         `at 1:4: fromJson: .values.password is not JSON`,
		"{{ b64dec .values.password }}":                           `at 1:4: b64dec: .values.password is not base64`,
		"{{ b64dec \"/w==\" }}":                                   `at 1:4: b64dec: argument 1 stands for bytes that are not text; keep them in base64`,
		"{{ upper 1 }}":                                           `at 1:4: upper: argument 1 is a whole number, want a string`,
		"{{ eq .cluster.properties.replicas 3 }}":                 `at 1:4: eq: .cluster.properties.replicas is a string and argument 2 is a whole number, which cannot be compared; labels and properties are strings, convert with int, float, bool or string`,
		"{{ lt .values.list .values.list }}":                      `at 1:4: lt: .values.list is a list and .values.list is a list, which cannot be compared; labels and properties are strings, convert with int, float, bool or string`,
		`{{ (fromJson "{\"hunter2\":1}").hunter }}`:               `at 1:32: (...) has no key "hunter"; where it may be missing, add | default "..." after it`,
		`{{ index (fromJson "{\"hunter2\":1}") .cluster.name }}`:  `at 1:47: argument 1 has no key that equals .cluster.name`,
		"{{ len 1 }}":                                             `at 1:4: len: argument 1 is a whole number, want a list, a map or a string`,
		"{{ hasKey .cluster.name \"a\" }}":                        `at 1:4: hasKey: .cluster.name is a string, want a map`,
		"{{ replace \"\" \"a\" \"b\" }}":                          `at 1:4: replace: argument 1 is empty, want what to replace`,
		"{{ split \"\" \"b\" }}":                                  `at 1:4: split: argument 1 is empty, want what stands between the parts`,
		"{{ join \",\" .cluster.name }}":                          `at 1:4: join: .cluster.name is a string, want a list`,
		"{{ join \",\" .values.nulls }}":                          `at 1:4: join: item 0 of .values.nulls is null, want a string, a number or a boolean`,
		"{{ indent 101 \"a\" }}":                                  `at 1:4: indent: argument 1 is not between 0 and 100`,
		"{{ printf \"%d\" .values.password }}":                    `at 1:4: printf: %d wants a whole number; convert with int: .values.password is a string`,
		"{{ printf \"%s %s\" .values.password }}":                 `at 1:4: printf: the format has more verbs than there are values, which are 1`,
		"{{ printf \"%s\" 1 2 }}":                                 `at 1:4: printf: %s wants a string; use %v, or convert with string: argument 2 is a whole number`,
		"{{ printf \"%1000d\" 1 }}":                               `at 1:4: printf: the format has a verb that is none of %s, %d, %f, %q and %v, or a width of more than two digits; a percent sign is %%`,
		"{{ printf \"%x\" 1 }}":                                   `at 1:4: printf: the format has a verb that is none of %s, %d, %f, %q and %v, or a width of more than two digits; a percent sign is %%`,
		"{{ printf \"100%\" }}":                                   `at 1:4: printf: the format has a verb that is none of %s, %d, %f, %q and %v, or a width of more than two digits; a percent sign is %%`,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := render(t, text)
			if err == nil {
				t.Fatalf("rendered %#v", got)
			}
			if message := strings.TrimPrefix(err.Error(), "spec.x, template "); message != want {
				t.Errorf("(-want +got)\n%s", cmp.Diff(want, message))
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

// All that is wrong is reported at once, in the order of the paths, and a caller finds out which key is missing.
func TestErrorsOfAnObject(t *testing.T) {
	renderer, err := template.New(data())
	if err != nil {
		t.Fatal(err)
	}
	object := map[string]any{
		"spec": map[string]any{
			"list":  []any{"fine", "a\n{{ .values.db }}"},
			"a.b":   "{{ one }}{{ two .cluster.name }}",
			"image": "{{ .cluster.name",
			"good":  "{{ .cluster.name }}",
			"env": []any{
				map[string]any{"name": "A", "value": "{{ .x }}"}, map[string]any{"name": "B", "value": "{{ .x }}"},
				map[string]any{"name": "B", "value": "{{ .x }}"}, map[string]any{"name": "{{ .x }}"},
			},
			"index": `{{ index .cluster.labels "tier/x" }}`,
			"with":  `{{ with .cluster }}{{ .tier }}{{ end }}`,
		},
	}
	_, err = renderer.Render(object)
	var all template.Errors
	if !errors.As(err, &all) {
		t.Fatalf("the error is %v", err)
	}
	type summary struct {
		Text string
		Key  []string
	}
	var got []summary
	for _, e := range all {
		text, _, _ := strings.Cut(e.Error(), ": ")
		got = append(got, summary{text, e.Key})
	}
	want := []summary{
		{"spec['a.b'], template at 1:4", nil},
		{"spec['a.b'], template at 1:13", nil},
		{"spec.env[name=A].value, template at 1:4", []string{"x"}},
		{"spec.env[1].value, template at 1:4", []string{"x"}},
		{"spec.env[2].value, template at 1:4", []string{"x"}},
		{"spec.env[3].name, template at 1:4", []string{"x"}},
		{"spec.image, template in line 1", nil},
		{"spec.index, template at 1:26", []string{"cluster", "labels", "tier/x"}},
		{"spec.list[1], template at 2:11", []string{"values", "db"}},
		{"spec.with, template at 1:23", nil},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if one := (*template.Error)(nil); !errors.As(err, &one) || one != all[0] {
		t.Error("errors.As does not find the first")
	}
}
