package placement_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// document is one file of testdata/select: a fleet, and what becomes of it under different selectors.
type document struct {
	Fleet   []fleet.Cluster
	Unknown map[string][]string
	Cases   []struct {
		Name      string
		Selectors []fleet.Selector
		Selected  []string
		Rejected  map[string]string
		Undecided []string
		Warnings  []string
		Error     string
	}
}

func TestSelect(t *testing.T) {
	files, err := filepath.Glob("testdata/select/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc document
		if err := yaml.UnmarshalStrict(text, &doc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range doc.Cases {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml")+"/"+c.Name, func(t *testing.T) {
				want := placement.Decision{Selected: c.Selected, Rejected: c.Rejected, Undecided: c.Undecided, Warnings: c.Warnings}
				got, err := placement.Select(compile(t, c.Selectors...), doc.Fleet, unknownParts(doc.Unknown))
				if text := message(err); text != c.Error {
					t.Fatalf("error:\n%s", cmp.Diff(c.Error, text))
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("decision (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestSelectRefusesAClusterTwice(t *testing.T) {
	_, err := placement.Select(nil, []fleet.Cluster{{Name: "a"}, {Name: "b"}, {Name: "a"}}, nil)
	if got, want := message(err), `two clusters have the name "a"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSelectOfNoClustersIsEmpty(t *testing.T) {
	got, err := placement.Select(compile(t, fleet.Selector{Names: []string{"a"}}), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(placement.Decision{}, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("decision (-want +got):\n%s", diff)
	}
}

func compile(t testing.TB, selectors ...fleet.Selector) []*placement.Selector {
	t.Helper()
	compiled := make([]*placement.Selector, 0, len(selectors))
	for _, sel := range selectors {
		s, err := placement.Compile(sel)
		if err != nil {
			t.Fatalf("compile %+v: %v", sel, err)
		}
		compiled = append(compiled, s)
	}
	return compiled
}

func unknownParts(texts map[string][]string) map[string]placement.Unknown {
	unknown := make(map[string]placement.Unknown, len(texts))
	for cluster, parts := range texts {
		unknown[cluster] = placement.Unknown{}
		for _, part := range parts {
			field, entry, _ := strings.Cut(part, ".")
			unknown[cluster][placement.Part{Field: field, Entry: entry}] = true
		}
	}
	return unknown
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
