package template_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/template"
)

func TestLimits(t *testing.T) {
	const (
		tooLong = "the result has more than the limit of 1048576 bytes"
		tooMuch = "the template does more than is allowed for one leaf; nested loops are the usual cause"
	)
	half := strings.Repeat("x", template.MaxBytes/2)
	loop := func(levels int, body string) string {
		return `{{ $l := split "," "` + strings.Repeat(",", 99) + `" }}` + strings.Repeat("{{ range $l }}", levels) + body + strings.Repeat("{{ end }}", levels)
	}
	keys := strings.Builder{}
	for i := range 10_000 {
		fmt.Fprintf(&keys, `"%d":1,`, i)
	}
	tests := map[string]struct{ text, want string }{
		"loops over many keys":  {"{{ $m := fromJson `{" + keys.String() + "\"\":1}` }}" + loop(2, "{{ range $m }}{{ break }}{{ end }}"), tooMuch},
		"a long template":       {half + half + "{{ 1 }}", "the template has 1048583 bytes, more than the limit of 1048576"},
		"text in a loop":        {loop(2, strings.Repeat("y", 1000)), tooLong},
		"values in a loop":      {`{{ $s := "` + half + `" }}{{ $s }}{{ $s }}{{ 1 }}`, tooLong},
		"a string that doubles": {`{{ $s := "12345678" }}` + loop(1, `{{ $s = printf "%s%s" $s $s }}`), "printf: " + tooLong},
		"replace":               {`{{ $s := "` + half + `" }}{{ replace "x" "12345678" $s | len }}`, "replace: " + tooLong},
		"indent":                {`{{ indent 100 (replace "x" "\n" "` + half + `") | len }}`, "indent: " + tooLong},
		"join":                  {`{{ join "` + half + `" (split "," ",,,") | len }}`, "join: " + tooLong},
		"base64":                {`{{ b64enc (b64enc (b64enc "` + half + `")) | len }}`, "b64enc: " + tooLong},
		"nested loops":          {loop(5, ""), tooMuch},
		"loops with calls":      {loop(2, `{{ $x := upper "`+strings.Repeat("a", 10000)+`" }}`), tooMuch},
		"loops with branches":   {loop(2, strings.Repeat("{{ if false }}{{ end }}", 10000)), tooMuch},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := render(t, test.text)
			if err == nil {
				t.Fatalf("rendered to %T", got)
			}
			if !strings.HasSuffix(err.Error(), ": "+test.want) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// Templates as deep as they can be end neither the program nor the stack.
func TestDeepTemplates(t *testing.T) {
	for _, unit := range []string{"{{if 1}}", "{{with 1}}", `{{range fromJson "[1]"}}`} {
		n := template.MaxBytes / len(unit+"{{end}}")
		if got, err := render(t, strings.Repeat(unit, n)+strings.Repeat("{{end}}", n)); err == nil && got != "" {
			t.Errorf("%s is rendered to %v", unit, got)
		}
	}
	chain := "{{if 0}}" + strings.Repeat("{{else if 0}}", template.MaxBytes/len("{{else if 0}}")-2) + "{{end}}"
	if got, err := render(t, chain); err != nil || got != "" {
		t.Errorf("a chain of ifs: %v, %v", got, err)
	}
	deep := strings.Repeat("(", 9000) + "1" + strings.Repeat(")", 9000)
	if got, err := render(t, "{{ "+deep+" }}"); err != nil || got != int64(1) {
		t.Errorf("parentheses: %v, %v", got, err)
	}
	if _, err := render(t, "{{ "+strings.Repeat("(", template.MaxBytes/2)); err == nil {
		t.Error("half a million parentheses are fine")
	}
}

func TestConcurrentUse(t *testing.T) {
	renderer, err := template.New(data())
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				got, err := renderer.Render(map[string]any{"a": "{{ .cluster.weight }}", "b": "{{ range .values.list }}{{ . }}{{ end }}", "c": "{{ .values.map }}"})
				if err != nil || got["a"] != int64(100) || got["b"] != "x2" {
					t.Errorf("rendered %v, %v", got, err)
					return
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkRender(b *testing.B) {
	renderer, err := template.New(data())
	if err != nil {
		b.Fatal(err)
	}
	object := map[string]any{"a": "{{ .cluster.name }}", "b": "x-{{ .cluster.labels.region }}", "c": "plain", "d": []any{"plain", int64(1)}}
	for b.Loop() {
		if _, err := renderer.Render(object); err != nil {
			b.Fatal(err)
		}
	}
}
