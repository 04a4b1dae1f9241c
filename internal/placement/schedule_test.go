package placement_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/golden"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// scheduleDocument is one file of testdata/schedule: a fleet, and what to decide about it under different policies. The
// decisions are in the file beside it that ends in .golden.yaml.
type scheduleDocument struct {
	Fleet []fleet.Cluster
	Cases []scheduleCase
}

type scheduleCase struct {
	Name   string
	Policy policyDocument
	// Fleet replaces clusters of the document by name; Without removes some.
	Fleet   []fleet.Cluster
	Without []string
	Unknown map[string][]string
	// Answering are clusters that the same apply connects to.
	Answering []string
	Previous  placement.Previous
	// After decides a case before this one and takes its decision as the previous one.
	After  string
	Others [][]string
	Now    time.Time
}

// policyDocument is a policy with selectors that are still to be compiled.
type policyDocument struct {
	Selectors    []fleet.Selector
	RequiredAPIs []string
	Tolerations  []placement.Toleration
	Lost         []string
	Number       *int64
	Spread       []placement.Spread
	Prioritizers []struct {
		Type     placement.PrioritizerType
		Weight   int64
		Property string
		CEL      string
	}
	Affinities []named
	Failover   placement.Failover
	Failback   bool
	Groups     []named
	Weights    *struct {
		By       placement.WeightSource
		Min, Max *int64
		Static   []struct {
			Selector *fleet.Selector
			Weight   int64
			Min, Max *int64
		}
	}
}

type named struct {
	Name     string
	Selector *fleet.Selector
	Size     string
}

func (d policyDocument) policy(t testing.TB) placement.Policy {
	t.Helper()
	one := func(sel *fleet.Selector) *placement.Selector {
		if sel == nil {
			return nil
		}
		return compile(t, *sel)[0]
	}
	p := placement.Policy{
		Selectors: compile(t, d.Selectors...), RequiredAPIs: d.RequiredAPIs, Tolerations: d.Tolerations, Lost: d.Lost,
		NumberOfClusters: d.Number, Spread: d.Spread, Failover: d.Failover, Failback: d.Failback,
	}
	for _, given := range d.Prioritizers {
		prioritizer := placement.Prioritizer{Type: given.Type, Weight: given.Weight, Property: given.Property}
		if given.CEL != "" {
			var detail string
			if prioritizer.Expression, detail = placement.CompileNumber(given.CEL); detail != "" {
				t.Fatal(detail)
			}
		}
		p.Prioritizers = append(p.Prioritizers, prioritizer)
	}
	for _, a := range d.Affinities {
		p.Affinities = append(p.Affinities, placement.Affinity{Name: a.Name, Selector: one(a.Selector)})
	}
	for _, g := range d.Groups {
		group := placement.Group{Name: g.Name, Selector: one(g.Selector)}
		if g.Size != "" {
			var err error
			if group.Size, err = placement.ParseSize(g.Size); err != nil {
				t.Fatal(err)
			}
		}
		p.Groups = append(p.Groups, group)
	}
	if d.Weights != nil {
		p.Weights = &placement.Weights{Source: d.Weights.By, Min: d.Weights.Min, Max: d.Weights.Max}
		for _, s := range d.Weights.Static {
			p.Weights.Static = append(p.Weights.Static, placement.StaticWeight{
				Selector: one(s.Selector), Weight: s.Weight, Min: s.Min, Max: s.Max,
			})
		}
	}
	return p
}

// input is the case's input. decided are the decisions of the cases before it.
func (c scheduleCase) input(doc scheduleDocument, decided map[string]placement.Decision) placement.Input {
	in := placement.Input{Unknown: unknownParts(c.Unknown), Previous: c.Previous, Others: c.Others, Now: c.Now, Answering: map[string]bool{}}
	for _, name := range c.Answering {
		in.Answering[name] = true
	}
	if c.After != "" {
		in.Previous = previousOf(decided[c.After])
	}
	replaced := map[string]bool{}
	for _, name := range c.Without {
		replaced[name] = true
	}
	for _, member := range c.Fleet {
		replaced[member.Name] = true
	}
	for _, member := range doc.Fleet {
		if !replaced[member.Name] {
			in.Clusters = append(in.Clusters, member)
		}
	}
	in.Clusters = append(in.Clusters, c.Fleet...)
	return in
}

func previousOf(d placement.Decision) placement.Previous {
	return placement.Previous{Selected: d.Selected, Affinity: d.Affinity, Groups: d.Groups}
}

// goldenDecision is a decision as the golden files show it.
type goldenDecision struct {
	Selected    []string          `json:"selected,omitempty"`
	Rejected    map[string]string `json:"rejected,omitempty"`
	Undecided   []string          `json:"undecided,omitempty"`
	Warnings    []string          `json:"warnings,omitempty"`
	Compromises []string          `json:"compromises,omitempty"`
	Affinity    string            `json:"affinity,omitempty"`
	Scores      map[string]string `json:"scores,omitempty"`
	Groups      map[string]string `json:"groups,omitempty"`
	Shares      map[string]string `json:"shares,omitempty"`
	Changes     []string          `json:"changes,omitempty"`
	Error       string            `json:"error,omitempty"`
}

func asGolden(d placement.Decision, err error) goldenDecision {
	if err != nil {
		return goldenDecision{Error: err.Error()}
	}
	g := goldenDecision{
		Selected: d.Selected, Rejected: d.Rejected, Undecided: d.Undecided, Warnings: d.Warnings, Affinity: d.Affinity,
		Groups: d.Groups, Changes: d.Changes, Compromises: d.Compromises,
	}
	for name, share := range d.Shares {
		if g.Shares == nil {
			g.Shares = map[string]string{}
		}
		g.Shares[name] = fmt.Sprintf("%d, from %d", share.Weight, share.Min)
		if share.Max != nil {
			g.Shares[name] += fmt.Sprintf(" to %d", *share.Max)
		}
	}
	for name, score := range d.Scores {
		if g.Scores == nil {
			g.Scores = map[string]string{}
		}
		g.Scores[name] = score.String()
	}
	return g
}

func TestSchedule(t *testing.T) {
	files, err := filepath.Glob("testdata/schedule/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for _, file := range files {
		name, isDocument := strings.CutSuffix(file, ".yaml")
		if strings.HasSuffix(name, ".golden") || !isDocument {
			continue
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			var doc scheduleDocument
			readYAML(t, file, &doc)
			got, decided := map[string]goldenDecision{}, map[string]placement.Decision{}
			for _, c := range doc.Cases {
				in := c.input(doc, decided)
				decision, err := placement.Schedule(c.Policy.policy(t), in)
				got[c.Name], decided[c.Name] = asGolden(decision, err), decision
			}
			if len(got) != len(doc.Cases) {
				t.Fatal("two cases have the same name")
			}
			compareGolden(t, name+".golden.yaml", got)
		})
	}
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func compareGolden(t *testing.T, file string, got any) {
	t.Helper()
	text, err := yaml.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, file, string(text))
}
