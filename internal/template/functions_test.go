package template_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/template"
)

// The table is what the documentation is made of.
func TestFunctionsAreDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range template.Functions() {
		if seen[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
		if !strings.HasPrefix(f.Usage, f.Name+" ") || f.Description == "" || strings.ContainsAny(f.Description, "\n") {
			t.Errorf("%s: usage %q, description %q", f.Name, f.Usage, f.Description)
		}
		// Too few arguments for any of them.
		if _, err := render(t, "{{ "+f.Name+" }}"); err == nil || !strings.Contains(err.Error(), f.Name+" wants ") {
			t.Errorf("%s without arguments: %v", f.Name, err)
		}
	}
}

// What text/template offers beyond the table is out of reach, as is what this package adds for itself.
func TestOtherFunctionsAreOutOfReach(t *testing.T) {
	for _, name := range []string{"call", "html", "js", "urlquery", "print", "println", "slice", "field", "optionalField", "optionalIndex", "yield", "write", "each", "step"} {
		if got, err := render(t, fmt.Sprintf("{{ %s 1 1 1 }}", name)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("there is no function %q", name)) {
			t.Errorf("%s: rendered %v, error %v", name, got, err)
		}
	}
}

func ExampleRenderer_Render() {
	renderer, err := template.New(map[string]any{"cluster": template.Cluster(fleet.Cluster{
		Name: "eu-1", Labels: map[string]string{"env": "prod"}, Properties: map[string]string{"replicas": "3"},
	})})
	if err != nil {
		fmt.Println(err)
		return
	}
	object, err := renderer.Render(map[string]any{
		"host":     "shop.{{ .cluster.name }}.example.org",
		"replicas": "{{ int .cluster.properties.replicas }}",
	})
	fmt.Println(object["host"], object["replicas"], err)
	_, err = renderer.Render(map[string]any{"spec": map[string]any{"tier": "{{ .cluster.labels.evn }}"}})
	fmt.Println(err)
	// Output:
	// shop.eu-1.example.org 3 <nil>
	// spec.tier, template at 1:19: .cluster.labels has no key "evn"; did you mean "env"? (its keys: "env")
}
