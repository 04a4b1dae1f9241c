package placement_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

func pointer(n int64) *int64 { return &n }

func optional(t *rapid.T, label string, least, most int64) *int64 {
	if !rapid.Bool().Draw(t, "has "+label) {
		return nil
	}
	return pointer(rapid.Int64Range(least, most).Draw(t, label))
}

var taints = rapid.Custom(func(t *rapid.T) fleet.Taint {
	return fleet.Taint{
		Key:    rapid.SampledFrom([]string{"gpu", "old"}).Draw(t, "taint"),
		Effect: rapid.SampledFrom([]fleet.TaintEffect{fleet.NoSelect, fleet.PreferNoSelect, fleet.NoSelectIfNew}).Draw(t, "effect"),
	}
})

// member is a cluster with all that scheduling looks at. Its labels are set most of the time.
func drawMember(t *rapid.T, name string) fleet.Cluster {
	c := fleet.Cluster{
		Name: name, Labels: map[string]string{}, Reachable: rapid.IntRange(0, 9).Draw(t, "answers") > 0,
		Properties: map[string]string{"cost": fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "cost"))},
	}
	for _, key := range []string{"region", "tier"} {
		if value := rapid.SampledFrom([]string{"a", "b", "c", "a", "b", ""}).Draw(t, key); value != "" {
			c.Labels[key] = value
		}
	}
	if rapid.IntRange(0, 4).Draw(t, "tainted") == 0 {
		c.Taints = []fleet.Taint{taints.Draw(t, "taint")}
	}
	return c
}

func drawMembers(t *rapid.T, least, most int) []fleet.Cluster {
	members := make([]fleet.Cluster, rapid.IntRange(least, most).Draw(t, "clusters"))
	for i := range members {
		members[i] = drawMember(t, fmt.Sprintf("c%d", 2*i+1))
	}
	return members
}

func drawSpread(t *rapid.T, most int) []placement.Spread {
	var list []placement.Spread
	for _, key := range rapid.SampledFrom([][]string{{}, {"region"}, {"tier"}, {"region", "tier"}, {"tier", "region"}}).Draw(t, "spread over") {
		if len(list) == most {
			break
		}
		s := placement.Spread{Key: key, MaxSkew: optional(t, "max_skew", 1, 2), MaxGroups: optional(t, "max_groups", 1, 3)}
		s.MinGroups = optional(t, "min_groups", 1, 3)
		if rapid.IntRange(0, 2).Draw(t, "soft") == 0 {
			s.WhenUnsatisfiable = placement.ScheduleAnyway
		}
		if s.MinGroups != nil && s.MaxGroups != nil && *s.MinGroups > *s.MaxGroups {
			s.MinGroups = s.MaxGroups
		}
		if s.MaxSkew == nil && s.MinGroups == nil && s.MaxGroups == nil {
			s.MaxSkew = pointer(1)
		}
		list = append(list, s)
	}
	return list
}

func drawPolicy(t *rapid.T) placement.Policy {
	p := placement.Policy{NumberOfClusters: optional(t, "number_of_clusters", 3, 5), Spread: drawSpread(t, 2)}
	if rapid.Bool().Draw(t, "selects") {
		p.Selectors = compileAll(t, []fleet.Selector{{MatchExpressions: []fleet.Requirement{{Key: "region", Operator: fleet.OperatorIn, Values: []string{"a", "b"}}}}})
	}
	if rapid.Bool().Draw(t, "tolerates") {
		p.Tolerations = []placement.Toleration{{Key: "gpu", Operator: placement.TolerationExists}}
	}
	if rapid.Bool().Draw(t, "ranks") {
		p.Prioritizers = []placement.Prioritizer{{Type: placement.PropertyScore, Property: "cost", Weight: rapid.Int64Range(-2, 2).Draw(t, "weight")}}
	}
	if rapid.Bool().Draw(t, "has affinities") {
		all := compileAll(t, []fleet.Selector{{MatchLabels: map[string]string{"region": "a"}}, {MatchLabels: map[string]string{"tier": "a"}}})
		p.Affinities = []placement.Affinity{{Name: "one", Selector: all[0]}, {Name: "two", Selector: all[1]}, {Name: "any"}}
		p.Failback = rapid.Bool().Draw(t, "failback")
	}
	if rapid.Bool().Draw(t, "has lost") {
		p.Lost = []string{"c1"}
	}
	if rapid.Bool().Draw(t, "has groups") {
		size, _ := placement.ParseSize(rapid.SampledFrom([]string{"1", "2", "30%", "100%"}).Draw(t, "size"))
		p.Groups = []placement.Group{{Name: "canary", Size: size}, {Name: "tier", Selector: compileAll(t, []fleet.Selector{{MatchLabels: map[string]string{"tier": "b"}}})[0]}}
	}
	p.Weights = &placement.Weights{Source: placement.WeightEqual}
	return p
}

func drawPrevious(t *rapid.T, members []fleet.Cluster) placement.Previous {
	var previous placement.Previous
	for _, c := range members {
		if rapid.IntRange(0, 2).Draw(t, c.Name+" was chosen") == 0 {
			previous.Selected = append(previous.Selected, c.Name)
		}
	}
	previous.Affinity = rapid.SampledFrom([]string{"", "one", "two", "any", "gone"}).Draw(t, "previous affinity")
	return previous
}

func TestScheduleAnswersForEveryClusterOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, policy := drawMembers(t, 0, 9), drawPolicy(t)
		in := placement.Input{Clusters: members, Previous: drawPrevious(t, members), Unknown: drawUnknown(t, members)}
		decision, err := placement.Schedule(policy, in)
		if err != nil {
			return
		}
		answered := slices.Concat(decision.Selected, decision.Undecided, slices.Collect(maps.Keys(decision.Rejected)))
		slices.Sort(answered)
		var want []string
		for _, c := range members {
			want = append(want, c.Name)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, answered, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("clusters answered for (-want +got):\n%s", diff)
		}
		if len(decision.Undecided) > 0 {
			return
		}
		for name, reason := range decision.Rejected {
			if reason == "" && len(in.Unknown[name]) == 0 {
				t.Errorf("%s is rejected without a reason", name)
			}
		}
		for _, name := range decision.Selected {
			if group, found := decision.Groups[name]; policy.Groups != nil && len(in.Unknown[name]) == 0 && len(in.Unknown) == 0 && (!found || group == "") {
				t.Errorf("%s is in no group", name)
			}
		}
	})
}

func TestScheduleDoesNotDependOnTheOrderOfClusters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, policy := drawMembers(t, 0, 9), drawPolicy(t)
		in := placement.Input{Clusters: members, Previous: drawPrevious(t, members)}
		want, wantErr := placement.Schedule(policy, in)
		in.Clusters = rapid.Permutation(members).Draw(t, "shuffled")
		got, gotErr := placement.Schedule(policy, in)
		if diff := cmp.Diff(want, got); diff != "" || message(wantErr) != message(gotErr) {
			t.Errorf("decision (-want +got):\n%s\nerrors %v, %v", diff, wantErr, gotErr)
		}
	})
}

// A decision given back as the previous one is kept, so that the plan after an apply is empty.
func TestScheduleKeepsItsOwnDecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, policy := drawMembers(t, 0, 9), drawPolicy(t)
		in := placement.Input{Clusters: members, Previous: drawPrevious(t, members)}
		first, err := placement.Schedule(policy, in)
		if err != nil {
			return
		}
		in.Previous = previousOf(first)
		second, err := placement.Schedule(policy, in)
		if err != nil {
			t.Fatalf("decided once, fails again: %v", err)
		}
		if diff := cmp.Diff(first, second, cmpopts.IgnoreFields(placement.Decision{}, "Changes")); diff != "" {
			t.Errorf("decision (-first +second):\n%s", diff)
		}
		if len(second.Changes) > 0 {
			t.Errorf("changes %q", second.Changes)
		}
	})
}

// Each group takes no more than its size, and each chosen cluster is in one.
func TestScheduleGroupsPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := drawMembers(t, 0, 9)
		text := rapid.SampledFrom([]string{"1", "2", "34%"}).Draw(t, "size")
		size, _ := placement.ParseSize(text)
		before := map[string]string{}
		for _, c := range members {
			before[c.Name] = rapid.SampledFrom([]string{"", "first", "second", "rest", "gone"}).Draw(t, "was in")
		}
		policy := placement.Policy{Groups: []placement.Group{{Name: "first", Size: size}, {Name: "second", Size: size}}}
		decision, err := placement.Schedule(policy, placement.Input{Clusters: members, Previous: placement.Previous{Groups: before}})
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]int{}
		for _, group := range decision.Groups {
			counts[group]++
		}
		n := len(decision.Selected)
		most := map[string]int{"1": 1, "2": 2, "34%": (34*n + 99) / 100}[text]
		if len(decision.Groups) != n || counts["first"] > most || counts["second"] > most ||
			counts["first"] < min(most, n) || counts["first"]+counts["second"]+counts["rest"] != n {
			t.Errorf("%d clusters, at most %d in a group: %v", n, most, counts)
		}
	})
}

// What is decided while parts are unknown must hold whatever they turn out to be: the plan promises it.
func TestWhatIsScheduledEarlyHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, policy := drawMembers(t, 0, 7), drawPolicy(t)
		part := rapid.SampledFrom([]placement.Part{
			{Field: "labels"}, {Field: "labels", Entry: "region"}, {Field: "labels", Entry: "tier"},
			{Field: "properties", Entry: "cost"}, {Field: "taints"}, {Field: "reachable"},
		})
		unknown := map[string]placement.Unknown{}
		redacted := make([]fleet.Cluster, 0, len(members))
		for _, c := range members {
			c = c.Clone()
			if rapid.IntRange(0, 2).Draw(t, "has unknown parts") == 0 {
				p := part.Draw(t, "unknown part of "+c.Name)
				unknown[c.Name] = placement.Unknown{p: true}
				switch {
				case p.Field == "labels" && p.Entry == "":
					c.Labels = nil
				case p.Field == "labels":
					delete(c.Labels, p.Entry)
				case p.Field == "properties":
					delete(c.Properties, p.Entry)
				case p.Field == "taints":
					c.Taints = nil
				case p.Field == "reachable":
					c.Reachable = rapid.Bool().Draw(t, "stands for unknown")
				}
			}
			redacted = append(redacted, c)
		}
		in := placement.Input{Clusters: redacted, Previous: drawPrevious(t, members), Unknown: unknown}
		early, err := placement.Schedule(policy, in)
		if err != nil {
			return
		}
		in.Clusters, in.Unknown = members, nil
		late, err := placement.Schedule(policy, in)
		if err != nil {
			// That no cluster has a key shows only when all labels are known.
			if len(early.Undecided) == 0 && !strings.Contains(err.Error(), "topology_key: no cluster has") {
				t.Fatalf("decided early, fails late: %v", err)
			}
			return
		}
		for _, name := range early.Selected {
			if !slices.Contains(late.Selected, name) {
				t.Errorf("%s was selected early, and late: %s", name, late.Rejected[name])
			}
			if group, found := early.Groups[name]; found && late.Groups[name] != group {
				t.Errorf("%s is in %q early and in %q late", name, group, late.Groups[name])
			}
		}
		for name, reason := range early.Rejected {
			if got := late.Rejected[name]; got == "" || len(early.Undecided) == 0 && reason != "" && got != reason {
				t.Errorf("%s: rejected early with %q, late with %q", name, reason, got)
			}
		}
		for name, score := range early.Scores {
			if got := late.Scores[name]; len(early.Undecided) == 0 && !score.Unknown && got.String() != score.String() {
				t.Errorf("%s: scored %s early, %s late", name, score, got)
			}
		}
		if len(early.Undecided) == 0 && !early.ChangesUnknown && !slices.Equal(early.Changes, late.Changes) {
			t.Errorf("changes %q early, %q late", early.Changes, late.Changes)
		}
		if len(early.Undecided) == 0 && early.Affinity != late.Affinity {
			t.Errorf("affinity %q early, %q late", early.Affinity, late.Affinity)
		}
	})
}
