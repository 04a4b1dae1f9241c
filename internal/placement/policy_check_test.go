package placement_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

func TestPolicyCheck(t *testing.T) {
	spread := func(s ...placement.Spread) placement.Policy { return placement.Policy{Spread: s} }
	prioritizers := func(p ...placement.Prioritizer) placement.Policy { return placement.Policy{Prioritizers: p} }
	n := pointer
	tests := map[string]struct {
		policy placement.Policy
		want   []string
	}{
		"nothing":           {},
		"a negative number": {placement.Policy{NumberOfClusters: n(-1)}, []string{"number_of_clusters: -1 is negative"}},
		"tolerations": {
			placement.Policy{Tolerations: []placement.Toleration{
				{}, {Key: "a", Operator: "Exist"}, {Key: "a", Operator: "Exists", Value: "b"}, {Key: "a", Effect: "NoSchedule", Seconds: n(-3)},
				{Operator: "Exists"}, {Key: "a", Value: "b", Effect: "NoSelect", Seconds: n(0)},
			}},
			[]string{
				`tolerations[0].key: the key is empty, which means all taints and needs operator = "Exists"`,
				`tolerations[1].operator: there is no operator "Exist"; want Equal or Exists; did you mean "Exists"?`,
				`tolerations[2].value: operator Exists looks at the key only and takes no value`,
				`tolerations[3].effect: there is no effect "NoSchedule"; want one of NoSelect, PreferNoSelect, NoSelectIfNew`,
				`tolerations[3].toleration_seconds: -3 is negative`,
			},
		},
		"spread that contradicts itself": {
			placement.Policy{NumberOfClusters: n(2), Spread: []placement.Spread{
				{Key: "a", MinGroups: n(3), MaxGroups: n(2)}, {Key: "b", MinGroups: n(3)}, {Key: "a", MaxSkew: n(1)}, {Key: "a", Type: "property", MaxSkew: n(1)},
			}},
			[]string{
				"spread[0].min_groups: at least 3 groups and at most 2 contradict each other",
				"spread[1].min_groups: 3 groups need as many clusters, and number_of_clusters is 2",
				"spread[2].topology_key: item 0 spreads over label a already; put both into one item",
			},
		},
		"spread that is none": {
			spread(placement.Spread{Key: "a"}, placement.Spread{MaxSkew: n(1)}, placement.Spread{Key: "-b", MaxSkew: n(0)},
				placement.Spread{Key: "c", Type: "zone", MaxGroups: n(-1), WhenUnsatisfiable: "Never"}),
			[]string{
				"spread[0]: it constrains nothing; give max_skew, min_groups or max_groups",
				"spread[1].topology_key: the key is empty",
				`spread[2].topology_key: "-b" cannot be a label's key: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
				"spread[2].max_skew: 0 is too small; want at least 1",
				`spread[3].topology_type: there is no topology type "zone"; want label or property`,
				`spread[3].when_unsatisfiable: there is no "Never"; want DoNotSchedule or ScheduleAnyway`,
				"spread[3].max_groups: -1 is too small; want at least 1",
			},
		},
		"prioritizers": {
			prioritizers(placement.Prioritizer{Type: "Stedy"}, placement.Prioritizer{Type: placement.Steady, Weight: 11},
				placement.Prioritizer{Type: placement.PropertyScore, Weight: 1}, placement.Prioritizer{Type: placement.ExpressionScore, Weight: -11},
				placement.Prioritizer{Type: placement.Steady, Weight: 1, Property: "a"}, placement.Prioritizer{Type: placement.PropertyScore, Property: "a", Weight: 1}),
			[]string{
				`prioritizers[0].type: there is no prioritizer "Stedy"; want one of Steady, Balance, PreferNoSelect, ResourceAllocatableCPU, ResourceAllocatableMemory, Property, CEL; did you mean "Steady"?`,
				"prioritizers[1].weight: 11 is out of range; want -10 to 10",
				"prioritizers[2].property: a prioritizer of type Property ranks by a property; name it",
				"prioritizers[3].weight: -11 is out of range; want -10 to 10",
				"prioritizers[3].cel: a prioritizer of type CEL ranks by an expression; give one",
				"prioritizers[4].property: only a prioritizer of type Property takes a property",
				"prioritizers[4].type: item 1 is Steady, too; weights of one prioritizer do not add up",
			},
		},
		"weights of prioritizers that are all 0": {
			prioritizers(placement.Prioritizer{Type: placement.Steady}, placement.Prioritizer{Type: placement.Balance}, placement.Prioritizer{Type: placement.AvoidTainted}),
			[]string{"prioritizers: all weights are 0, so that nothing is left to rank clusters by"},
		},
		"a weight of 0 among others": {prioritizers(placement.Prioritizer{Type: placement.Steady}), nil},
		"affinities": {
			placement.Policy{Affinities: []placement.Affinity{{Name: "a"}, {Name: "a"}, {}}, Failover: "auto"},
			[]string{`affinities[1].name: "a" stands in item 0 already`, "affinities[2].name: the name is empty", `failover: there is no failover "auto"; want manual or automatic`},
		},
		"failover to nowhere": {
			placement.Policy{Failover: placement.FailoverAutomatic, Failback: true},
			[]string{
				"failover: automatic failover needs affinities to fail over to; without them a cluster that does not answer keeps what it has",
				"failback: there are no affinities to fail back to",
			},
		},
		"groups": {
			placement.Policy{Groups: []placement.Group{{Name: "rest"}, {Name: "a"}, {Name: "a"}}},
			[]string{
				`groups[0].name: "rest" is the group of the clusters that no other takes; name this one otherwise, or put it last without selector and size`,
				`groups[2].name: "a" stands in item 1 already`,
			},
		},
		"weights": {placement.Policy{Weights: &placement.Weights{Source: "cpus"}}, []string{`weights.by: there is no "cpus"; want one of equal, cpu, memory, static; did you mean "cpu"?`}},
		"static weights": {
			placement.Policy{Weights: &placement.Weights{Source: "static", Static: []placement.StaticWeight{{Weight: -1}, {Weight: 0}}}},
			[]string{"weights.static[0].weight: -1 is negative"},
		},
		"bounds of replicas": {
			placement.Policy{Weights: &placement.Weights{Source: "static", Min: n(3), Static: []placement.StaticWeight{{Weight: 1, Max: n(2)}, {Weight: 1, Min: n(-1)}}}},
			[]string{
				"weights.static[0].min_replicas: at least 3 replicas and at most 2 contradict each other",
				"weights.static[1].min_replicas: -1 is negative",
			},
		},
		"static weights that are all 0": {
			placement.Policy{Weights: &placement.Weights{Source: "static", Static: []placement.StaticWeight{{}, {}}}},
			[]string{"weights.static: all weights are 0, so that no cluster would get anything"},
		},
		"no static weights": {placement.Policy{Weights: &placement.Weights{Source: "static"}}, []string{"weights.static: static weights need at least one rule"}},
		"static weights of another source": {
			placement.Policy{Weights: &placement.Weights{Source: "equal", Static: []placement.StaticWeight{{Weight: 1}}}},
			[]string{`weights.static: the rules count only where by is "static", and it is "equal"`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range test.policy.Check() {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]string{
		"3": "", "25%": "", "100%": "", "1": "",
		"0": `"0" is not positive`, "-2": `"-2" is not positive`, "0%": `"0%" is not positive`, "101%": `"101%" is more than all`,
		"": `"" is neither a count such as "3" nor a percentage such as "25%"`, "a": `"a" is neither a count such as "3" nor a percentage such as "25%"`,
		"99999999999": `"99999999999" is neither a count such as "3" nor a percentage such as "25%"`,
	} {
		if _, err := placement.ParseSize(text); message(err) != want {
			t.Errorf("%q: %q, want %q", text, message(err), want)
		}
	}
}
