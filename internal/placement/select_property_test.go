package placement_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// The vocabulary is small, so that selectors and clusters often have to do with each other.
var (
	keys   = rapid.SampledFrom([]string{"region", "tier", "example.org/zone"})
	values = rapid.SampledFrom([]string{"a", "b", "c", ""})
	names  = rapid.SampledFrom([]string{"c0", "c1", "c2", "c3", "c4", "c9"})
	cels   = rapid.SampledFrom([]string{
		"",
		`cluster.labels[?"region"].orValue("") == "a"`,
		`"tier" in cluster.labels && cluster.labels.tier == "b"`,
		`cluster.uid != "" || has(cluster.labels.region)`,
		`cluster.facts.nodes > 1 && cluster.properties[?"tier"].orValue("x") < "c"`,
		`cluster.name in ["c0", "c3"] ? cluster.minor == "a" : cluster.labels.size() > 1`,
		`[cluster].all(c, c.minor == "b" || c.labels.exists(k, c.labels[k] == "a"))`,
		`cluster.labels.region == "a"`,
		`cluster.labels.map(k, cluster.labels[k]).exists_one(v, v == "b")`,
	})
	parts = rapid.SampledFrom([]placement.Part{
		{Field: "uid"}, {Field: "labels"}, {Field: "labels", Entry: "region"}, {Field: "labels", Entry: "tier"},
		{Field: "properties", Entry: "tier"}, {Field: "minor"}, {Field: "facts"}, {Field: "facts", Entry: "nodes"},
	})
)

var requirements = rapid.Custom(func(t *rapid.T) fleet.Requirement {
	r := fleet.Requirement{Key: keys.Draw(t, "key")}
	r.Operator = rapid.SampledFrom([]fleet.SelectorOperator{
		fleet.OperatorIn, fleet.OperatorNotIn, fleet.OperatorExists, fleet.OperatorDoesNotExist,
	}).Draw(t, "operator")
	if r.Operator == fleet.OperatorIn || r.Operator == fleet.OperatorNotIn {
		r.Values = rapid.SliceOfN(values, 1, 3).Draw(t, "values")
	}
	return r
})

var selectors = rapid.Custom(func(t *rapid.T) fleet.Selector {
	return fleet.Selector{
		MatchLabels:      rapid.MapOfN(keys, values, 0, 1).Draw(t, "labels"),
		MatchExpressions: rapid.SliceOfN(requirements, 0, 2).Draw(t, "expressions"),
		Names:            rapid.OneOf(rapid.Just([]string(nil)), rapid.SliceOfN(names, 1, 4)).Draw(t, "names"),
		Exclude:          rapid.SliceOfN(names, 0, 1).Draw(t, "exclude"),
		CEL:              cels.Draw(t, "cel"),
	}
})

var clusters = rapid.Custom(func(t *rapid.T) fleet.Cluster {
	return fleet.Cluster{
		UID:        values.Draw(t, "uid"),
		Labels:     rapid.MapOfN(keys, values, 0, 3).Draw(t, "labels"),
		Properties: rapid.MapOfN(keys, values, 0, 2).Draw(t, "properties"),
		Minor:      values.Draw(t, "minor"),
		Facts:      fleet.Facts{Nodes: rapid.Int64Range(0, 3).Draw(t, "nodes")},
	}
})

func drawFleet(t *rapid.T) []fleet.Cluster {
	members := rapid.SliceOfN(clusters, 0, 5).Draw(t, "fleet")
	for i := range members {
		members[i].Name = fmt.Sprintf("c%d", i)
	}
	return members
}

func drawSelectors(t *rapid.T, least int) []*placement.Selector {
	return compileAll(t, rapid.SliceOfN(selectors, least, 3).Draw(t, "selectors"))
}

func compileAll(t *rapid.T, specs []fleet.Selector) []*placement.Selector {
	compiled := make([]*placement.Selector, 0, len(specs))
	for _, spec := range specs {
		s, err := placement.Compile(spec)
		if err != nil {
			t.Fatalf("compile: %v", err)
		}
		compiled = append(compiled, s)
	}
	return compiled
}

func TestSelectDoesNotDependOnTheOrderOfClusters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, chosen := drawFleet(t), drawSelectors(t, 0)
		shuffled := rapid.Permutation(members).Draw(t, "shuffled")
		want, wantErr := placement.Select(chosen, members, nil)
		got, gotErr := placement.Select(chosen, shuffled, nil)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("decision (-want +got):\n%s", diff)
		}
		if message(wantErr) != message(gotErr) {
			t.Errorf("errors %q and %q", message(wantErr), message(gotErr))
		}
	})
}

func TestSelectAnswersForEveryClusterOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := drawFleet(t)
		decision, err := placement.Select(drawSelectors(t, 0), members, drawUnknown(t, members))
		if err != nil {
			return
		}
		answered := slices.Concat(decision.Selected, decision.Undecided, slices.Collect(maps.Keys(decision.Rejected)))
		slices.Sort(answered)
		want := make([]string, 0, len(members))
		for _, c := range members {
			want = append(want, c.Name)
		}
		if diff := cmp.Diff(want, answered, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("clusters answered for (-want +got):\n%s", diff)
		}
	})
}

func TestSelectOfSeveralSelectorsIsTheUnion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, chosen := drawFleet(t), drawSelectors(t, 1)
		together, err := placement.Select(chosen, members, nil)
		if err != nil {
			return
		}
		for _, c := range members {
			matched := false
			for _, s := range chosen {
				ok, _, err := s.Match(c)
				matched = matched || (ok && err == nil)
			}
			if got := slices.Contains(together.Selected, c.Name); got != matched {
				t.Errorf("%s: selected together %v, by any alone %v", c.Name, got, matched)
			}
		}
	})
}

// What is decided while parts are unknown must hold whatever they turn out to be: the plan promises it.
func TestWhatIsDecidedEarlyHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, chosen := drawFleet(t), drawSelectors(t, 1)
		unknown := drawUnknown(t, members)
		early, err := placement.Select(chosen, redact(members, unknown), unknown)
		if err != nil {
			return
		}
		if len(early.Undecided) > 0 {
			// Another cluster may fail later; the promise concerns this plan's decided ones only, so judge those alone.
			members = slices.DeleteFunc(members, func(c fleet.Cluster) bool { return slices.Contains(early.Undecided, c.Name) })
		}
		late, err := placement.Select(chosen, members, nil)
		if err != nil {
			t.Fatalf("decided early, fails late: %v", err)
		}
		if diff := cmp.Diff(early.Selected, late.Selected, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("selected (-early +late):\n%s", diff)
		}
		for name, reason := range early.Rejected {
			if got := late.Rejected[name]; got == "" || (reason != "" && got != reason) {
				t.Errorf("%s: rejected early with %q, late with %q", name, reason, got)
			}
		}
	})
}

// A selector decides as soon as all that it depends on is known.
func TestDependsOnIsComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, chosen := drawFleet(t), drawSelectors(t, 1)[:1]
		unknown := drawUnknown(t, members)
		for _, c := range members {
			for _, part := range chosen[0].DependsOn() {
				for missing := range unknown[c.Name] {
					if missing.Field == part.Field && (missing.Entry == part.Entry || missing.Entry == "" || part.Entry == "") {
						delete(unknown[c.Name], missing)
					}
				}
			}
		}
		early, earlyErr := placement.Select(chosen, redact(members, unknown), unknown)
		late, lateErr := placement.Select(chosen, members, nil)
		if diff := cmp.Diff(late, early); diff != "" || message(earlyErr) != message(lateErr) {
			t.Errorf("decision (-all known +unrelated parts unknown):\n%s\nerrors %v, %v", diff, lateErr, earlyErr)
		}
	})
}

func drawUnknown(t *rapid.T, members []fleet.Cluster) map[string]placement.Unknown {
	unknown := make(map[string]placement.Unknown, len(members))
	for _, c := range members {
		unknown[c.Name] = placement.Unknown{}
		for _, part := range rapid.SliceOfN(parts, 0, 3).Draw(t, "unknown parts of "+c.Name) {
			unknown[c.Name][part] = true
		}
	}
	return unknown
}

// redact takes out of the clusters what is unknown, as the provider would not have it either.
func redact(members []fleet.Cluster, unknown map[string]placement.Unknown) []fleet.Cluster {
	redacted := make([]fleet.Cluster, 0, len(members))
	for _, c := range members {
		c = c.Clone()
		for part := range unknown[c.Name] {
			switch {
			case part.Field == "uid":
				c.UID = ""
			case part.Field == "minor":
				c.Minor = ""
			case part.Field == "labels" && part.Entry == "":
				c.Labels = nil
			case part.Field == "labels":
				delete(c.Labels, part.Entry)
			case part.Field == "properties":
				delete(c.Properties, part.Entry)
			case part.Field == "facts":
				c.Facts = fleet.Facts{}
			}
		}
		redacted = append(redacted, c)
	}
	return redacted
}
