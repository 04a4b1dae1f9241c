package template_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/template"
)

// content generates what objects hold; strings come from leaves.
func content(depth int, leaves *rapid.Generator[string]) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Map(leaves, func(s string) any { return s }),
		rapid.Map(leaves, func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Float64Range(-1e30, 1e30), func(f float64) any { return f }),
		rapid.Just[any](nil),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	return rapid.OneOf(append(scalars,
		rapid.Map(rapid.SliceOfN(content(depth-1, leaves), 0, 4), func(l []any) any { return l }),
		rapid.Map(object(depth-1, leaves), func(m map[string]any) any { return m }),
	)...)
}

func object(depth int, leaves *rapid.Generator[string]) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.OneOf(rapid.StringMatching(`[a-z./]{1,6}`), rapid.Just("{{ .nothing }}")), content(depth, leaves), 0, 4)
}

var (
	braceless = rapid.String().Filter(func(s string) bool { return !strings.Contains(s, "{{") })
	templated = rapid.OneOf(rapid.Just("{{ .values.map }}"), rapid.Map(rapid.SliceOfN(rapid.OneOf(rapid.Map(braceless, func(s string) string { return strings.ReplaceAll(s, "{", "") }), rapid.SampledFrom([]string{
		"{{ .cluster.name }}", "{{ .values.port }}", "{{ int .cluster.properties.replicas }}", `{{ index .cluster.labels "app-name" }}`,
		"{{ .cluster.labels.tier | default 1 }}", "{{ range .values.list }}{{ . }}{{ end }}", "{{ with .cluster }}{{ .minor }}{{ end }}",
	})), 1, 3), func(parts []string) string { return strings.Join(parts, "") }))
)

// TestWithoutBracesNothingChanges also holds for what was rendered, so that rendering twice does no harm.
func TestWithoutBracesNothingChanges(t *testing.T) {
	renderer, err := template.New(data())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		plain := object(3, braceless).Draw(t, "object")
		got, err := renderer.Render(plain)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(plain, got) {
			t.Fatalf("(-want +got)\n%s", cmp.Diff(plain, got))
		}
		reads, err := template.Inspect(plain)
		if err != nil || len(reads) > 0 {
			t.Fatalf("it reads %v, error %v", reads, err)
		}
	})
}

func TestRenderingIsIdempotentAndPure(t *testing.T) {
	renderer, err := template.New(data())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		original := object(3, templated).Draw(t, "object")
		before := deepCopy(original)
		got, err := renderer.Render(original)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(before, original) {
			t.Fatalf("the input was changed (-before +after)\n%s", cmp.Diff(before, original))
		}
		again, err := renderer.Render(got)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, again) {
			t.Fatalf("(-once +twice)\n%s", cmp.Diff(got, again))
		}
		scribble(got)
		if !reflect.DeepEqual(before, original) {
			t.Fatalf("the result shares memory with the input (-before +after)\n%s", cmp.Diff(before, original))
		}
	})
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			m[key] = deepCopy(item)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, item := range v {
			l[i] = deepCopy(item)
		}
		return l
	default:
		return v
	}
}

// scribble writes over everything in a value.
func scribble(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			scribble(item)
			v[key] = "scribbled"
		}
		v["scribbled"] = true
	case []any:
		for i, item := range v {
			scribble(item)
			v[i] = "scribbled"
		}
	}
}

// only keeps of the data what the paths name.
func only(v any, at []string, reads [][]string) any {
	below := false
	for _, read := range reads {
		if len(read) <= len(at) && slices.Equal(read, at[:len(read)]) {
			return v
		}
		below = below || len(read) > len(at) && slices.Equal(at, read[:len(at)])
	}
	m, ok := v.(map[string]any)
	if texts, isTexts := v.(map[string]string); isTexts {
		m, ok = map[string]any{}, true
		for key, text := range texts {
			m[key] = text
		}
	}
	if !ok || !below {
		return nil
	}
	kept := map[string]any{}
	for key, item := range m {
		path := append(slices.Clone(at), key)
		if slices.ContainsFunc(reads, func(read []string) bool { n := min(len(read), len(path)); return slices.Equal(read[:n], path[:n]) }) {
			kept[key] = only(item, path, reads)
		}
	}
	return kept
}

// FuzzRender feeds anything as a leaf: it is refused with an error of ours that tells no secret, or becomes something that
// an object can hold, which depends on nothing but what Inspect says it reads.
func FuzzRender(f *testing.F) {
	for _, seed := range []string{
		"{{ .cluster.name }}", "{{ int .cluster.properties.replicas }}", `{{ index .values "password" | b64enc }}`, "{{ range $k, $v := .values.map }}{{ $k }}{{ toJson $v }}{{ end }}",
		`{{ with $x := .cluster }}{{ $x.labels.y | default .name }}{{ else }}{{ break }}{{ end }}`, "{{ define \"leaf\" }}{{ end }}", "{{- /* x */ -}} {{ . }}", "{{ $ }}",
		`{{ printf "%s-%05d-%q" .cluster.name 1 .values.password | upper | split "-" }}`, `{{ and .values.on (or .values.nothing nil) }}`, "{{ ((.values).map).c }}",
		`{{ fromJson "[1,null,{}]" }}`, `{{ eq .values.list nil }}`, "{{ lt 'a' 1e3 0x1p4 }}", "{{ index .cluster.labels .values.password }}", `{{ required "a" .values.x }}`,
		"{{ range .values.list }}{{ continue }}{{ end }}", "{{ $x := 1 }}{{ $x = 2 }}{{ $x }}", "{{ replace .values.password .values.password .values.password }}", "{{ int .values.password",
		"{{ range $v, $v }}{{ end }}", "{{ required \"\" .a }}", "{{ (($x := 1) | printf \"%v\") }}{{ $x }}", "{{ if 0 }}{{ $x := 1 }}{{ else }}{{ $x }}{{ end }}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		reads, inspectErr := template.Inspect(map[string]any{"spec": map[string]any{"x": text}})
		got, err := render(t, text)
		if err != nil {
			var all template.Errors
			if !errors.As(err, &all) || len(all) == 0 || all[0].Detail == "" || strings.Contains(all[0].Detail, "error of the provider") {
				t.Fatalf("the error is %#v", err)
			}
			if strings.Contains(err.Error(), secret) && !strings.Contains(text, secret) {
				t.Fatalf("the error tells a secret: %v", err)
			}
		} else if inspectErr != nil {
			t.Fatalf("inspecting fails with %v, rendering yields %v", inspectErr, got)
		}
		if !holdable(got) && err == nil {
			t.Fatalf("rendered to %#v", got)
		}
		if inspectErr != nil {
			return
		}
		less, ok := only(data(), nil, reads).(map[string]any)
		if !ok {
			less = nil
		}
		renderer, newErr := template.New(less)
		if newErr != nil {
			t.Fatal(newErr)
		}
		object, lessErr := renderer.Render(map[string]any{"x": text})
		if (err == nil) != (lessErr == nil) || err == nil && !reflect.DeepEqual(object["x"], got) {
			t.Fatalf("it says to read %v; with all data: %#v, %v; with these only: %#v, %v", reads, got, err, object, lessErr)
		}
	})
}

func holdable(v any) bool {
	switch v := v.(type) {
	case string, bool, int64, float64:
		return true
	case map[string]any:
		for _, item := range v {
			if !holdable(item) {
				return false
			}
		}
		return true
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !holdable(item) })
	default:
		return false
	}
}
