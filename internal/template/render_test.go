package template_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/template"
)

// secret is in no error.
const secret = "hunter2-and-more"

func data() map[string]any {
	return map[string]any{
		"cluster": template.Cluster(fleet.Cluster{
			Name:       "eu-1",
			Labels:     map[string]string{"region": "eu", "env": "prod", "example.org/zone": "a", "app-name": "shop"},
			Properties: map[string]string{"replicas": "3", "ratio": "0.5", "debug": "true", "hosts": `["a","b"]`, "empty": ""},
			Minor:      "1.36",
			Facts:      fleet.Facts{Nodes: 4, Zones: []string{"a", "b", "c"}},
			Weight:     100,
		}),
		"values": map[string]any{
			"password": secret, "five": "5", "port": 8080, "share": 0.25, "whole": 2.0, "on": true, "nothing": nil,
			"map": map[string]any{"a": 1, "b": nil, "c": []any{"x", 1.0}}, "list": []any{"x", 2}, "nulls": []any{nil},
		},
	}
}

func render(t testing.TB, leaf any) (any, error) {
	t.Helper()
	renderer, err := template.New(data())
	if err != nil {
		t.Fatal(err)
	}
	object, err := renderer.Render(map[string]any{"spec": map[string]any{"x": leaf}})
	if err != nil {
		return nil, err
	}
	return object["spec"].(map[string]any)["x"], nil
}

func TestRender(t *testing.T) {
	tests := map[string]any{
		// Text.
		"shop.{{ .cluster.name }}.example.org": "shop.eu-1.example.org",
		"":                                     "",
		"no braces }}":                         "no braces }}",
		"{{ .cluster.minor }} {{ .cluster.facts.nodes }} {{ .values.share }} {{ .values.on }} {{ .values.whole }}": "1.36 4 0.25 true 2",
		"a {{- /* nothing */ -}} b": "ab",
		"é{{ .cluster.name }}\n":    "éeu-1\n",

		// A whole leaf keeps the type of its result.
		"{{ .cluster.name }}":                   "eu-1",
		"{{.values.five}}":                      "5",
		"{{ .values.port }}":                    int64(8080),
		"{{- .values.share -}}":                 0.25,
		"{{ .values.whole }}":                   int64(2),
		"{{ .values.on }}":                      true,
		"{{ .values.list }}":                    []any{"x", int64(2)},
		"{{ .values.map }}":                     map[string]any{"a": int64(1), "c": []any{"x", int64(1)}},
		"{{ .cluster.facts.nodes }}":            int64(4),
		"{{ .cluster.facts.nodes }} ":           "4 ",
		"{{ 7 }}":                               int64(7),
		"{{ 9007199254740993 }}":                int64(9007199254740993),
		"{{ toJson -9007199254740993 }}":        "-9007199254740993",
		"{{ 0x1_0000_0000 }}{{ 1e3 }}":          "42949672961000",
		"{{ 'a' }}":                             int64(97),
		"{{ 1e3 }}":                             int64(1000),
		"{{ -1.5 }}":                            -1.5,
		"{{ true }}":                            true,
		"{{ (.cluster).name }}":                 "eu-1",
		"{{ (index .values \"map\").a }}":       int64(1),
		"{{ $x := 1 }}{{ $x }}":                 "1",
		"{{ if .values.on }}3{{ end }}":         "3",
		"{{ ternary 3 1 .values.on }}":          int64(3),
		"{{ eq .cluster.labels.env \"prod\" }}": true,

		// Conversions.
		"{{ int .cluster.properties.replicas }}":            int64(3),
		"{{ .cluster.properties.replicas | int }}":          int64(3),
		"{{ float .cluster.properties.ratio }}":             0.5,
		"{{ float .cluster.properties.replicas }}":          int64(3),
		"{{ int .values.whole }}":                           int64(2),
		"{{ bool .cluster.properties.debug }}":              true,
		"{{ string .values.port }}":                         "8080",
		"{{ fromJson .cluster.properties.hosts }}":          []any{"a", "b"},
		"{{ fromJson \"9007199254740993\" }}":               int64(9007199254740993),
		"{{ toJson .values.map }}":                          `{"a":1,"b":null,"c":["x",1]}`,
		"{{ toJson \"<a>\\n\" }}":                           `"<a>\n"`,
		"{{ b64enc .cluster.name }}":                        "ZXUtMQ==",
		"{{ b64dec \"ZXUtMQ==\" }}":                         "eu-1",
		"x={{ toJson .cluster.labels.region }}":             `x="eu"`,
		"{{ string 5 }}{{ string .values.on }}":             "5true",
		"{{ (fromJson \"{\\\"a\\\":{}}\").a }}":             map[string]any{},
		"{{ index (fromJson \"[[1,2]]\") 0 1 }}":            int64(2),
		"{{ fromJson \"{\\\"a\\\":null,\\\"b\\\":1.5}\" }}": map[string]any{"b": 1.5},

		// Keys.
		`{{ index .cluster.labels "example.org/zone" }}`:           "a",
		`{{ index .cluster "labels" "app-name" }}`:                 "shop",
		`{{ index $.cluster.facts.zones 1 }}`:                      "b",
		`{{ hasKey .cluster.labels "region" }}`:                    true,
		`{{ "tier" | hasKey .cluster.labels }}`:                    false,
		`{{ .cluster.labels.tier | default "gold" }}`:              "gold",
		`{{ default "gold" .cluster.labels.tier }}`:                "gold",
		`{{ default 1 (index .cluster.labels "example.org/x") }}`:  int64(1),
		`{{ index .cluster.labels "a/b" | default "x" | upper }}`:  "X",
		`{{ .cluster.properties.empty | default "x" }}`:            "x",
		`{{ .values.nothing | default 0 }}`:                        int64(0),
		`{{ $.cluster.labels.tier | default .cluster.name }}`:      "eu-1",
		`{{ $c := .cluster }}{{ $c.labels.x | default "y" }}`:      "y",
		`{{ required "say it" .cluster.name }}`:                    "eu-1",
		`{{ default "x" (.cluster.labels.tier) }}`:                 "x",
		`{{ if hasKey .cluster.labels "gpu" }}a{{ else }}b{{end}}`: "b",

		// Flow.
		`{{ range $i, $z := .cluster.facts.zones }}{{ if $i }},{{ end }}{{ $z }}={{ $.cluster.name }}{{ end }}`: "a=eu-1,b=eu-1,c=eu-1",
		`{{ range $k, $v := .cluster.labels }}{{ $k }};{{ end }}`:                                               "app-name;env;example.org/zone;region;",
		`{{ range .values.list }}[{{ . }}]{{ end }}`:                                                            "[x][2]",
		`{{ range .cluster.facts.zones }}{{ if eq . "b" }}{{ break }}{{ end }}{{ . }}{{ end }}`:                 "a",
		`{{ range fromJson "[]" }}a{{ else }}none {{ .cluster.name }}{{ end }}`:                                 "none eu-1",
		`{{ with .cluster }}{{ .labels.env }} {{ $.cluster.name }}{{ end }}`:                                    "prod eu-1",
		`{{ with .cluster.labels.env }}{{ . }}{{ end }}`:                                                        "prod",
		`{{ range .cluster.facts.zones }}{{ range $.values.list }}{{ . }}{{ end }}{{ end }}`:                    "x2x2x2",
		`{{ range fromJson "[{\"a\":1},{\"a\":2}]" }}{{ .a }}{{ .b | default "-" }}{{ end }}`:                   "1-2-",
		`{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := $x }}{{ $x }}{{ end }}{{ $x }}`:                         "22",
		`{{ and .values.on .values.port }}`:                                                                     int64(8080),
		`{{ or .cluster.properties.empty .cluster.name }}`:                                                      "eu-1",
		`{{ .cluster.properties.empty | or false }}`:                                                            "",
		`{{ and false (index .cluster "none") }}`:                                                               false,
		`{{ not .values.on }}`:                          false,
		`{{ len .cluster.facts.zones }}`:                int64(3),
		`{{ len "é" }}`:                                 int64(1),
		`{{ eq 1 1.0 }}`:                                true,
		`{{ eq .cluster.name "x" "eu-1" }}`:             true,
		`{{ eq .values.nothing nil }}`:                  true,
		`{{ ne .values.on true }}`:                      false,
		`{{ lt .values.share 1 }}`:                      true,
		`{{ ge (int .cluster.properties.replicas) 4 }}`: false,
		`{{ gt "b" "a" }}`:                              true,
		`{{ le 2 2 }}`:                                  true,

		// Texts.
		`{{ lower "A" }}{{ upper "b" }}{{ trim " c " }}`:                  "aBc",
		`{{ .cluster.name | trimPrefix "eu-" }}{{ trimSuffix "b" "ab" }}`: "1a",
		`{{ hasPrefix "eu" .cluster.name }}`:                              true,
		`{{ hasSuffix "eu" .cluster.name }}`:                              false,
		`{{ contains "u-" .cluster.name }}`:                               true,
		`{{ .cluster.minor | replace "." "-" }}`:                          "1-36",
		`{{ split "." .cluster.minor }}`:                                  []any{"1", "36"},
		`{{ join "," .cluster.facts.zones }}`:                             "a,b,c",
		"{{ \"a\\n\\nb\" | indent 2 }}":                                   "  a\n\n  b",
		`{{ printf "%s-%03d-%.1f-%q-%v%%" .cluster.name 7 2 "x" true }}`:  `eu-1-007-2.0-"x"-true%`,

		// Braces that are meant.
		`{{ "{{" }} $labels.instance }}`:       "{{ $labels.instance }}",
		"a {{ `{{ $labels.instance }}` }}":     "a {{ $labels.instance }}",
		`{{ "{{" }} .Values.x {{ "}}" }}`:      "{{ .Values.x }}",
		`{{ if true }}{{ "{{" }}{{ end }} }} `: "{{ }} ",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := render(t, text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestRenderWalks(t *testing.T) {
	object := map[string]any{
		"{{ .cluster.name }}": []any{
			"{{ .cluster.name }}", []any{"{{ .cluster.minor }}"}, map[string]any{"a.b": "{{ .cluster.weight }}"}, int64(1), nil, true, 0.5, []any(nil),
		},
		"same": map[string]any(nil),
	}
	renderer, err := template.New(data())
	if err != nil {
		t.Fatal(err)
	}
	got, err := renderer.Render(object)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"{{ .cluster.name }}": []any{"eu-1", []any{"1.36"}, map[string]any{"a.b": int64(100)}, int64(1), nil, true, 0.5, []any(nil)},
		"same":                map[string]any(nil),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What a leaf yields is its own: two leaves and two objects share nothing.
func TestResultsShareNothing(t *testing.T) {
	renderer, err := template.New(data())
	if err != nil {
		t.Fatal(err)
	}
	object := map[string]any{"a": "{{ .values.map }}", "b": "{{ .values.map }}"}
	first, err := renderer.Render(object)
	if err != nil {
		t.Fatal(err)
	}
	first["a"].(map[string]any)["a"] = "changed"
	again, err := renderer.Render(object)
	if err != nil {
		t.Fatal(err)
	}
	if first["b"].(map[string]any)["a"] != int64(1) || again["a"].(map[string]any)["a"] != int64(1) {
		t.Errorf("a change is seen elsewhere: %v, %v", first["b"], again["a"])
	}
}

func TestNewCopiesData(t *testing.T) {
	labels := map[string]string{"region": "eu"}
	renderer, err := template.New(map[string]any{"cluster": map[string]any{"labels": labels}})
	if err != nil {
		t.Fatal(err)
	}
	labels["region"] = "us"
	got, err := renderer.Render(map[string]any{"a": "{{ .cluster.labels.region }}"})
	if err != nil || got["a"] != "eu" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestNewRefusesWhatNoObjectHolds(t *testing.T) {
	type text string
	_, err := template.New(map[string]any{"values": map[string]any{"a": []any{text(secret)}}})
	if err == nil || err.Error() != "the data of a template: .values.a[0] is of the Go type template_test.text, which templates cannot read" {
		t.Errorf("the error is %v", err)
	}
}

// What is not known of a cluster is an error, not an empty string.
func TestClusterLeavesOutWhatIsNotKnown(t *testing.T) {
	renderer, err := template.New(map[string]any{"cluster": template.Cluster(fleet.Cluster{Name: "new"})})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"uid", "minor", "kubernetes_version", "platform", "group", "facts.nodes", "facts.zones", "facts.allocatable", "labels.x"} {
		_, err := renderer.Render(map[string]any{"a": "{{ .cluster." + key + " }}"})
		if failed := (*template.Error)(nil); !errors.As(err, &failed) || strings.Join(failed.Key, ".") != "cluster."+key {
			t.Errorf("%s: the error is %v", key, err)
		}
	}
}

func TestInspect(t *testing.T) {
	tests := map[string][]string{
		"none":                                                                 {},
		"{{ .cluster.labels.region }}":                                         {"cluster labels region"},
		"{{ $.cluster.name }}{{.values.a.b}}":                                  {"cluster name", "values a b"},
		`{{ index .cluster.labels "a.b/c" }}`:                                  {"cluster labels a.b/c"},
		`{{ index .cluster.labels .values.x "y" }}`:                            {"cluster labels", "values x"},
		`{{ hasKey .cluster.labels "x" }}`:                                     {"cluster labels x"},
		`{{ "x" | index .cluster.labels }}`:                                    {"cluster labels"},
		`{{ .cluster.labels.x | default .cluster.name }}`:                      {"cluster labels x", "cluster name"},
		`{{ with .cluster }}{{ .name }}{{ end }}`:                              {"cluster"},
		`{{ with .cluster.labels.x }}a{{ else }}{{ .values.y }}{{ end }}`:      {"cluster labels x", "values y"},
		`{{ range $k, $v := .cluster.labels }}{{ $v }}{{ $.values.a }}{{end}}`: {"cluster labels", "values a"},
		`{{ $c := .cluster }}{{ $c.name }}`:                                    {"cluster"},
		`{{ (.cluster).name }}`:                                                {"cluster"},
		`{{ upper (lower .cluster.name) | trimPrefix .values.p }}`:             {"cluster name", "values p"},
		`{{ .cluster.name }}{{ .cluster.name }}`:                               {"cluster name"},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			reads, err := template.Inspect(map[string]any{"a": []any{text}})
			if err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, path := range reads {
				got = append(got, strings.Join(path, " "))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	_, err := template.Inspect(map[string]any{"a": "{{ .cluster.nothing }}", "b": "{{ nothing }}"})
	if failed := (template.Errors)(nil); !errors.As(err, &failed) || len(failed) != 1 || failed[0].Path.String() != ".b" {
		t.Errorf("the error is %v", err)
	}
}
