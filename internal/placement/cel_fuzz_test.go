package placement_test

import (
	"errors"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// FuzzCEL feeds anything as an expression: it is refused, fails with an error of ours, or answers, and what it
// answers while parts are unknown it answers when all is known.
func FuzzCEL(f *testing.F) {
	for _, seed := range []string{
		`cluster.labels.region == "eu"`, `cluster.labels[?"tier"].orValue("x") in ["a", "b"]`, `cluster`, `dyn(cluster).uid`,
		`cluster.facts.allocatable.map(k, k + "1").size() > 2 && cluster.taints[0].effect == ""`, `"é😀" == cluster.nmae`,
		"cluster.name.matches('(')", "cluster.\n\tuid", `[1].map(cluster, cluster)[0] == 1`, `cluster.?labels[?"a"].hasValue()`,
		`"%s".format([cluster.labels])== ""`, `true`, "", `cluster.facts.nodes / 0 > 1 || cluster.uid == ""`, `{"a": cluster}["a"] == cluster`,
	} {
		f.Add(seed)
	}
	cluster := fleet.Cluster{
		Name: "eu-1", UID: "1", Labels: map[string]string{"region": "eu", "tier": "a"}, Minor: "1.36", Reachable: true,
		Facts: fleet.Facts{Nodes: 3, Allocatable: map[string]string{"cpu": "4"}, Zones: []string{"a"}},
	}
	unknown := placement.Unknown{{Field: "uid"}: true, {Field: "labels", Entry: "tier"}: true, {Field: "facts"}: true}
	f.Fuzz(func(t *testing.T, text string) {
		selector, err := placement.Compile(fleet.Selector{CEL: text})
		if err != nil {
			if invalid := (*placement.InvalidSelectorError)(nil); !errors.As(err, &invalid) || invalid.Problems[0].Detail == "" {
				t.Fatalf("compile: %v", err)
			}
			return
		}
		selector.DependsOn()
		ok, reason, err := selector.Match(cluster)
		if failed := (*placement.EvaluationError)(nil); err != nil && (!errors.As(err, &failed) || failed.Detail == "") {
			t.Fatalf("match: %v", err)
		}
		if err == nil && ok == (reason != "") {
			t.Errorf("match %v with reason %q", ok, reason)
		}
		early, earlyErr := selector.Judge(cluster, unknown)
		if earlyErr != nil || early.Outcome == placement.Undecided {
			return
		}
		if err != nil || ok != (early.Outcome == placement.Matches) || reason != early.Reason {
			t.Errorf("early %v; late %v, %q, %v", early, ok, reason, err)
		}
	})
}

func BenchmarkSelect(b *testing.B) {
	members := make([]fleet.Cluster, 1000)
	for i := range members {
		members[i] = fleet.Cluster{Name: string(rune('a'+i%26)) + string(rune('a'+i/26)), Labels: map[string]string{"region": "eu"}}
	}
	selector, err := placement.Compile(fleet.Selector{
		MatchLabels: map[string]string{"region": "eu"},
		CEL:         `cluster.labels[?"tier"].orValue("gold") == "gold" && cluster.facts.nodes < 10`,
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := placement.Select([]*placement.Selector{selector}, members, nil); err != nil {
			b.Fatal(err)
		}
	}
}
