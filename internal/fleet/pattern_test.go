package fleet_test

import (
	"testing"

	"pgregory.net/rapid"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

func TestPatternMatch(t *testing.T) {
	image := fieldpath.MakePathOrDie("spec", "template", "spec", "containers", keyed("name", "web"), "image")
	port := fieldpath.MakePathOrDie("spec", "ports", keyed("containerPort", 80, "protocol", "TCP"), "name")
	annotation := fieldpath.MakePathOrDie("metadata", "annotations", "example.org/a.b")
	tests := map[string]struct {
		path fieldpath.Path
		want bool
	}{
		"spec.template":                                   {image, true},
		"spec.template.spec.containers":                   {image, true},
		"spec.template.spec.containers[name=web]":         {image, true},
		"spec.template.spec.containers[name=web].image":   {image, true},
		"spec.template.spec.containers[name=w*].image":    {image, true},
		"spec.template.spec.containers[*].image":          {image, true},
		"spec.*.spec.containers[*].im?ge":                 {image, true},
		"spec.template.spec.containers[name=side*]":       {image, false},
		"spec.template.spec.containers[name=web].image.x": {image, false},
		"spec.template.spec.containers[name=web].command": {image, false},
		"spec.temp":                               {image, false},
		"spec.template.spec.containers[0].image":  {image, false},
		"spec.ports[containerPort=80]":            {port, true},
		"spec.ports[protocol=TCP]":                {port, true},
		"spec.ports[containerPort=81]":            {port, false},
		"spec.ports[containerPort='80']":          {port, false},
		"spec.ports[hostPort=80]":                 {port, false},
		"metadata.annotations['example.org/*']":   {annotation, true},
		"metadata.annotations['example.org/a.b']": {annotation, true},
		"metadata.annotations['other.org/*']":     {annotation, false},
		"metadata.annotations[*]":                 {annotation, false},
		"metadata.finalizers[=example.org/*]":     {fieldpath.MakePathOrDie("metadata", "finalizers", value.NewValueInterface("example.org/x")), true},
	}
	for text, test := range tests {
		t.Run(text, func(t *testing.T) {
			pattern, err := fleet.ParsePattern(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := pattern.Match(test.path); got != test.want {
				t.Errorf("%s matches %s: %v", text, fleet.FormatPath(test.path), got)
			}
		})
	}
}

func TestParsePatternErrors(t *testing.T) {
	for _, text := range []string{"", ".", "a[", "a[*", "a[*]b", "a[b", "a['*"} {
		if p, err := fleet.ParsePattern(text); err == nil {
			t.Errorf("%q is parsed as %v", text, p)
		}
	}
}

// TestEveryPathIsAPattern reads any path as a pattern, which then matches the path itself and what is below it.
func TestEveryPathIsAPattern(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := fieldpath.Path(rapid.SliceOfN(element(), 1, 5).Draw(t, "path"))
		pattern, err := fleet.ParsePattern(fleet.FormatPath(path))
		if err != nil {
			t.Fatalf("%s: %v", fleet.FormatPath(path), err)
		}
		if !pattern.Match(path) {
			t.Fatalf("%s does not match itself", pattern)
		}
		if n, ok := pattern.Covers(append(path, element().Draw(t, "below"))); !ok || n != len(path) {
			t.Fatalf("%s does not match what is below it", pattern)
		}
	})
}
