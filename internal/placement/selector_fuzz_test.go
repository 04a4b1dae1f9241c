package placement_test

import (
	"errors"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// FuzzSelector feeds anything as labels, operators and names: a selector is refused with a place for each problem, or
// answers with a reason, also while the label is unknown.
func FuzzSelector(f *testing.F) {
	f.Add("region", "In", "eu", "eu-1")
	f.Add("example.org/tier", "DoesNotExist", "", "")
	f.Add("", "NotIn", "a b", "é")
	f.Add("a/b/c", "Exists", "x", "eu-2")
	cluster := fleet.Cluster{Name: "eu-1", Labels: map[string]string{"region": "eu"}}
	f.Fuzz(func(t *testing.T, key, operator, value, name string) {
		for _, selector := range []fleet.Selector{
			{MatchLabels: map[string]string{key: value}, Names: []string{name}},
			{MatchExpressions: []fleet.Requirement{{Key: key, Operator: fleet.SelectorOperator(operator), Values: []string{value}}}, Exclude: []string{name}},
			{MatchExpressions: []fleet.Requirement{{Key: key, Operator: fleet.SelectorOperator(operator)}}},
		} {
			compiled, err := placement.Compile(selector)
			if err != nil {
				invalid := (*placement.InvalidSelectorError)(nil)
				if !errors.As(err, &invalid) || invalid.Problems[0].Argument == "" || invalid.Problems[0].Detail == "" {
					t.Fatalf("compile: %v", err)
				}
				continue
			}
			ok, reason, err := compiled.Match(cluster)
			if err != nil || ok == (reason != "") {
				t.Errorf("match %v with reason %q, error %v", ok, reason, err)
			}
			early, err := compiled.Judge(cluster, placement.Unknown{{Field: "labels", Entry: "region"}: true})
			if err != nil || early.Outcome != placement.Undecided && (ok != (early.Outcome == placement.Matches) || early.Reason != "" && reason != early.Reason) {
				t.Errorf("early %v, error %v; late %v, %q", early, err, ok, reason)
			}
		}
	})
}

// FuzzNumber feeds anything as an expression that yields a number: it is refused, fails with an error of ours, or gives a
// score.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{
		"cluster.facts.nodes", "double(cluster.facts.nodes) * -1.5", "1u", `size(cluster.labels)`, `dyn(cluster).name`, "true", "1 / 0", "0.0 / 0.0",
		`cluster.properties[?"cost"].orValue("x") == "x" ? 1 : int(cluster.properties.cost)`, "", "cluster.nmae", "9223372036854775807",
	} {
		f.Add(seed)
	}
	in := placement.Input{Clusters: []fleet.Cluster{
		{Name: "a", Reachable: true, Facts: fleet.Facts{Nodes: 3}}, {Name: "b", Reachable: true, Properties: map[string]string{"cost": "7"}},
	}}
	f.Fuzz(func(t *testing.T, text string) {
		expression, detail := placement.CompileNumber(text)
		if expression == nil {
			if detail == "" {
				t.Fatal("refused without a word")
			}
			return
		}
		expression.DependsOn()
		one := int64(1)
		decision, err := placement.Schedule(placement.Policy{
			NumberOfClusters: &one, Prioritizers: []placement.Prioritizer{
				{Type: placement.Steady}, {Type: placement.ExpressionScore, Weight: 1, Expression: expression},
			},
		}, in)
		if failed := (placement.EvaluationErrors)(nil); err != nil {
			if !errors.As(err, &failed) || failed[0].Argument != "prioritizers" || failed[0].Detail == "" {
				t.Fatalf("schedule: %v", err)
			}
			return
		}
		for name, score := range decision.Scores {
			if score.Total < -100 || score.Total > 100 || score.Unknown {
				t.Errorf("%s is scored %s", name, score)
			}
		}
	})
}
