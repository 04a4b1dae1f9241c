package deploy

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

const secretText = "apiVersion: v1\nkind: Secret\nmetadata: {name: key, namespace: web}\nstringData: {password: hunter2}\n"

// varied is a source with everything that a content has.
func varied(t *testing.T) Source {
	t.Helper()
	choose := func(spec fleet.Selector) *placement.Selector {
		s, err := placement.Compile(spec)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	star := fleet.NewGlob("set*")
	return Source{
		Texts: []string{"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {name: \"{{ .cluster.name }}\"}\n"}, Fallback: true, Template: true, Namespace: "web", WriteOnlyVersion: "1/null",
		Variants: []Variant{
			{Clusters: choose(fleet.Selector{MatchLabels: map[string]string{"region": "us"}}), Texts: []string{secretText}},
			{Clusters: choose(fleet.Selector{CEL: "cluster.name == 'ap-1'"}), Texts: []string{"apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(secretText, "\n", "\n  ")}},
		},
		Overrides: []Override{
			{Clusters: choose(fleet.Selector{Names: []string{"eu-2"}, Exclude: []string{"eu-3"}}), Target: manifest.Target{Kind: "ConfigMap", Name: &star}, Rule: override.Rule{MergePatch: "data: {more: x}"}},
			{Target: manifest.Target{Kind: "ConfigMap"}, Rule: override.Rule{JSONPatch: `[{"op": "add", "path": "/data/every", "value": "1"}]`}},
		},
	}
}

// kept is the source by what the cluster keeps of it, and the text of that.
func kept(t *testing.T, source Source, c fleet.Cluster) (back Source, text string) {
	t.Helper()
	content, err := source.contentFor(c)
	if err != nil {
		t.Fatal(err)
	}
	said, err := content.Text()
	if err != nil {
		t.Fatal(err)
	}
	if back, err = parseContent(said); err != nil {
		t.Fatal(err)
	}
	return back, string(said)
}

func heldBy(t *testing.T, source Source, c fleet.Cluster) (Held, error) {
	t.Helper()
	renderer, err := Set{}.rendererOf(source)
	if err != nil {
		t.Fatal(err)
	}
	return Set{}.heldBy(renderer, "r", c)
}

// TestContent_survives has a cluster get the same objects by what it keeps as by what the set said.
func TestContent_survives(t *testing.T) {
	source := varied(t)
	for _, c := range []fleet.Cluster{{Name: "eu-1"}, {Name: "eu-2"}, {Name: "us-1", Labels: map[string]string{"region": "us"}}, {Name: "ap-1"}} {
		back, text := kept(t, source, c)
		want, err := heldBy(t, source, c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := heldBy(t, back, c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(contents(want.objects), contents(got.objects)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.Name, diff)
		}
		if has, wants := strings.Contains(text, "hunter2"), c.Name == "us-1" || c.Name == "ap-1"; has != wants {
			t.Errorf("%s keeps a Secret: %t, want %t", c.Name, has, wants)
		}
	}
}

// TestContent_withholds has nobody get a variant of which only other clusters keep the Secrets.
func TestContent_withholds(t *testing.T) {
	back, _ := kept(t, varied(t), fleet.Cluster{Name: "eu-1"})
	var withheld *WithheldError
	if _, err := heldBy(t, back, fleet.Cluster{Name: "us-1", Labels: map[string]string{"region": "us"}}); !errors.As(err, &withheld) || withheld.Variant != 0 {
		t.Errorf("us-1 gets %v, want that variant 0 is withheld", err)
	}
}

// TestRevision names what a source says, and not how.
func TestRevision(t *testing.T) {
	base := varied(t).Revision()
	same := varied(t)
	same.Texts = []string{"# a comment\nkind: ConfigMap\napiVersion: v1\ndata:\n  name: '{{ .cluster.name }}'\nmetadata:\n  name: settings\n"}
	same.Overrides[0].Rule.MergePatch = `{"data": {"more": "x"}}`
	if got := same.Revision(); got != base {
		t.Errorf("another formatting is revision %s, want %s", got, base)
	}
	for what, change := range map[string]func(*Source){
		"a text":     func(s *Source) { s.Texts[0] += "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n" },
		"a variant":  func(s *Source) { s.Variants[0].Texts = nil },
		"a selector": func(s *Source) { s.Variants[0].Clusters = nil },
		"an order":   func(s *Source) { s.Variants[0], s.Variants[1] = s.Variants[1], s.Variants[0] },
		"a patch":    func(s *Source) { s.Overrides[0].Rule.MergePatch = "data: {more: y}" },
		"a target":   func(s *Source) { s.Overrides[0].Target.Name = nil },
		"an exclude": func(s *Source) { s.Overrides[1].Rule = override.Rule{Exclude: true} },
		"template":   func(s *Source) { s.Template = false },
		"namespace":  func(s *Source) { s.Namespace = "" },
		"a version":  func(s *Source) { s.WriteOnlyVersion = "2/null" },
	} {
		other := varied(t)
		if change(&other); other.Revision() == base {
			t.Errorf("%s makes no other revision", what)
		}
	}
}

func contents(objects []manifest.Object) []map[string]any {
	var out []map[string]any
	for _, o := range objects {
		out = append(out, o.Object)
	}
	return out
}
