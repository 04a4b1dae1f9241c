package placement_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

func TestCompileRefuses(t *testing.T) {
	expression := func(key string, operator fleet.SelectorOperator, values ...string) fleet.Selector {
		return fleet.Selector{MatchExpressions: []fleet.Requirement{{Key: key, Operator: operator, Values: values}}}
	}
	tests := map[string]struct {
		selector fleet.Selector
		want     string
	}{
		"a bad operator": {
			expression("a", "in", "b"),
			`match_expressions[0].operator: there is no operator "in"; want one of In, NotIn, Exists, DoesNotExist; did you mean "In"?`,
		},
		"an operator that is nothing like one": {
			expression("a", "=~"),
			`match_expressions[0].operator: there is no operator "=~"; want one of In, NotIn, Exists, DoesNotExist`,
		},
		"In without values": {
			expression("a", "In"),
			`match_expressions[0].values: operator In needs at least one value to compare with`,
		},
		"NotIn without values": {
			expression("a", "NotIn"),
			`match_expressions[0].values: operator NotIn needs at least one value to compare with`,
		},
		"Exists with values": {
			expression("a", "Exists", "b"),
			`match_expressions[0].values: operator Exists looks at the key only and takes no values`,
		},
		"DoesNotExist with values": {
			expression("a", "DoesNotExist", "b"),
			`match_expressions[0].values: operator DoesNotExist looks at the key only and takes no values`,
		},
		"a key that cannot be one": {
			expression("-a", "Exists"),
			`match_expressions[0].key: "-a" cannot be a label's key: name part`,
		},
		"a value that cannot be one": {
			fleet.Selector{MatchLabels: map[string]string{"a": "b c"}},
			`match_labels["a"]: "b c" cannot be a label's value: `,
		},
		"a misspelt field": {
			fleet.Selector{CEL: `cluster.nmae == "a"`},
			"cel: 1:8: undefined field 'nmae'; did you mean \"name\"?\n  cluster.nmae == \"a\"\n         ^",
		},
		"a misspelt field on a later line": {
			fleet.Selector{CEL: "cluster.reachable &&\n\tcluster.facts.node > 3"},
			"cel: 2:15: undefined field 'node'; did you mean \"nodes\"?\n   cluster.facts.node > 3\n                ^",
		},
		"an unknown variable": {
			fleet.Selector{CEL: `labels.a == "b"`},
			"cel: 1:1: undeclared reference to 'labels' (in container '')\n  labels.a == \"b\"\n  ^",
		},
		"an expression that ends early": {
			fleet.Selector{CEL: `cluster.name ==`},
			"cel: 1:16: Syntax error: mismatched input '<EOF>'",
		},
		"an expression that yields no bool": {
			fleet.Selector{CEL: `cluster.facts.nodes`},
			`cel: the expression yields int, want bool, such as cluster.labels.region == "eu"`,
		},
		"types that do not compare": {
			fleet.Selector{CEL: `cluster.facts.nodes == "3"`},
			"cel: 1:21: found no matching overload for '_==_' applied to '(int, string)'",
		},
		"a regular expression that is none": {
			fleet.Selector{CEL: `cluster.name.matches("[")`},
			"cel: 1:22: invalid matches argument",
		},
		"an expression that is too deep": {
			fleet.Selector{CEL: strings.Repeat("(", 500) + "true" + strings.Repeat(")", 500)},
			"cel: ",
		},
		"an expression that is too long": {
			fleet.Selector{CEL: strings.Repeat("true && ", 10_000) + "true"},
			"cel: ",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := placement.Compile(test.selector)
			if want := "the selector cannot be used: " + test.want; !strings.HasPrefix(message(err), want) {
				t.Errorf("error:\n%s\nwant prefix:\n%s", message(err), want)
			}
		})
	}
}

func TestCompileListsEveryProblem(t *testing.T) {
	_, err := placement.Compile(fleet.Selector{
		MatchLabels: map[string]string{"-a": "b c"},
		MatchExpressions: []fleet.Requirement{
			{Key: "ok", Operator: fleet.OperatorExists},
			{Key: "a", Operator: fleet.OperatorIn},
		},
		CEL: "nope",
	})
	invalid := (*placement.InvalidSelectorError)(nil)
	if !errors.As(err, &invalid) {
		t.Fatalf("got %T: %v", err, err)
	}
	type place struct {
		Argument, Key string
		Index         int
		Field         string
	}
	got := make([]place, 0, len(invalid.Problems))
	for _, p := range invalid.Problems {
		got = append(got, place{p.Argument, p.Key, p.Index, p.Field})
	}
	want := []place{
		{"match_labels", "-a", -1, ""}, {"match_labels", "-a", -1, ""},
		{"match_expressions", "", 1, "values"}, {"cel", "", -1, ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

func TestMatch(t *testing.T) {
	selector := compile(t, fleet.Selector{MatchLabels: map[string]string{"region": "eu"}})[0]
	ok, reason, err := selector.Match(fleet.Cluster{Name: "a", Labels: map[string]string{"region": "eu"}})
	if !ok || reason != "" || err != nil {
		t.Errorf("got %v, %q, %v", ok, reason, err)
	}
	ok, reason, err = selector.Match(fleet.Cluster{Name: "b"})
	if want := `label region is not set, want "eu"`; ok || reason != want || err != nil {
		t.Errorf("got %v, %q, %v", ok, reason, err)
	}
	selector = compile(t, fleet.Selector{CEL: `cluster.labels.a == "b"`})[0]
	_, _, err = selector.Match(fleet.Cluster{Name: "c"})
	if failed := (*placement.EvaluationError)(nil); !errors.As(err, &failed) || failed.Clusters[0] != "c" {
		t.Errorf("got %v, want an EvaluationError for c", err)
	}
}

func TestDependsOn(t *testing.T) {
	tests := map[string]struct {
		selector fleet.Selector
		want     []placement.Part
	}{
		"nothing": {fleet.Selector{}, nil},
		"names":   {fleet.Selector{Exclude: []string{"a"}}, []placement.Part{{Field: "name"}}},
		"labels": {
			fleet.Selector{
				MatchLabels:      map[string]string{"b": "1"},
				MatchExpressions: []fleet.Requirement{{Key: "a", Operator: fleet.OperatorExists}},
			},
			[]placement.Part{{"labels", "a"}, {"labels", "b"}},
		},
		"an expression": {
			fleet.Selector{CEL: `cluster.labels.a == cluster.labels["b/c"] && cluster.labels[?"d"].orValue("") == "" && cluster.minor > "1.30"`},
			[]placement.Part{{"labels", "a"}, {"labels", "b/c"}, {"labels", "d"}, {"minor", ""}},
		},
		"a test for presence": {fleet.Selector{CEL: `has(cluster.properties.a)`}, []placement.Part{{"properties", "a"}}},
		"an optional field":   {fleet.Selector{CEL: `cluster.?uid.hasValue()`}, []placement.Part{{"uid", ""}}},
		"a map as a whole":    {fleet.Selector{CEL: `"a" in cluster.labels`}, []placement.Part{{"labels", ""}}},
		"a key not known":     {fleet.Selector{CEL: `cluster.labels[cluster.name] == "a"`}, []placement.Part{{"labels", ""}, {"name", ""}}},
		"facts":               {fleet.Selector{CEL: `cluster.facts.zones.exists(z, z == "a")`}, []placement.Part{{"facts", "zones"}}},
		"another variable":    {fleet.Selector{CEL: `[{"uid": "a"}].exists(c, c.uid == "a")`}, nil},
		"a cluster as a whole": {
			fleet.Selector{CEL: `[cluster].exists(c, c.uid == "a")`},
			[]placement.Part{{"facts", ""}, {"group", ""}, {"kubernetes_version", ""}, {"labels", ""}, {"minor", ""}, {"name", ""},
				{"platform", ""}, {"properties", ""}, {"reachable", ""}, {"taints", ""}, {"uid", ""}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := compile(t, test.selector)[0].DependsOn()
			if len(got) == 0 && len(test.want) == 0 {
				return
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}
