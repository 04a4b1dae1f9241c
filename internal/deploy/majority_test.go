package deploy

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

func TestCompareObject(t *testing.T) {
	three, seven := ssa.Fields{"spec.replicas": "3"}, ssa.Fields{"spec.replicas": "7"}
	for name, c := range map[string]struct {
		samples map[string]ssa.Fields
		want    Comparison
	}{
		"one cluster":   {map[string]ssa.Fields{"a": three}, Comparison{}},
		"all the same":  {map[string]ssa.Fields{"a": three, "b": three, "c": three}, Comparison{}},
		"nobody has it": {map[string]ssa.Fields{"a": nil, "b": nil}, Comparison{}},
		"one differs": {map[string]ssa.Fields{"a": three, "b": seven, "c": three},
			Comparison{Fields: map[string][]ssa.Difference{"b": {{Path: "spec.replicas", From: "3", To: "7"}}}}},
		"one lacks a field": {map[string]ssa.Fields{"a": three, "b": {}, "c": three},
			Comparison{Fields: map[string][]ssa.Difference{"b": {{Path: "spec.replicas", From: "3"}}}}},
		"one has a field more": {map[string]ssa.Fields{"a": {}, "b": three, "c": {}},
			Comparison{Fields: map[string][]ssa.Difference{"b": {{Path: "spec.replicas", To: "3"}}}}},
		"one lacks the object": {map[string]ssa.Fields{"a": three, "b": nil, "c": three}, Comparison{Missing: []string{"b"}}},
		"only one has it":      {map[string]ssa.Fields{"a": nil, "b": three, "c": nil}, Comparison{Extra: []string{"b"}}},
		"two are a tie": {map[string]ssa.Fields{"b": seven, "a": three},
			Comparison{Ties: []Tie{{Path: "spec.replicas", Values: []Vote{{"3", []string{"a"}}, {"7", []string{"b"}}}}}}},
		"a tie of presence": {map[string]ssa.Fields{"b": nil, "a": three},
			Comparison{Ties: []Tie{{Values: []Vote{{"absent", []string{"b"}}, {"present", []string{"a"}}}}}}},
		"one field that differs everywhere does not hide the others": {map[string]ssa.Fields{
			"a": {"x": "1", "y": "1"}, "b": {"x": "2", "y": "1"}, "c": {"x": "3", "y": "2"}},
			Comparison{Fields: map[string][]ssa.Difference{"c": {{Path: "y", From: "1", To: "2"}}},
				Ties: []Tie{{Path: "x", Values: []Vote{{"1", []string{"a"}}, {"2", []string{"b"}}, {"3", []string{"c"}}}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Object = web
			if diff := cmp.Diff(c.want, compareObject(web, c.samples)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func drawSamples(t *rapid.T) []ssa.Fields {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ssa.Fields {
		if rapid.IntRange(0, 4).Draw(t, "absent") == 0 {
			return nil
		}
		fields := ssa.Fields{}
		for _, path := range []string{"a", "b", "c"} {
			if v := rapid.IntRange(0, 3).Draw(t, path); v > 0 {
				fields[path] = fmt.Sprint(v)
			}
		}
		return fields
	}), 1, 8).Draw(t, "samples")
}

// TestCompareObject_properties: what agrees is never reported; who is reported differs from what most have; and what is said of a cluster
// depends on what it has, not on its place among the others.
func TestCompareObject_properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := drawSamples(t)
		named := func(order []int) map[string]ssa.Fields {
			samples := map[string]ssa.Fields{}
			for i, at := range order {
				samples[fmt.Sprintf("c%d", at)] = list[i]
			}
			return samples
		}
		var straight []int
		for i := range list {
			straight = append(straight, i)
		}
		order := rapid.Permutation(straight).Draw(t, "order")
		there := compareObject(web, named(straight))
		moved := compareObject(web, named(order))
		for i, at := range order {
			before, after := fmt.Sprintf("c%d", i), fmt.Sprintf("c%d", at)
			if diff := cmp.Diff(there.Fields[before], moved.Fields[after]); diff != "" {
				t.Errorf("the same sample is judged differently in another place: %s", diff)
			}
		}
		if len(there.Ties) != len(moved.Ties) || len(there.Missing) != len(moved.Missing) || len(there.Extra) != len(moved.Extra) {
			t.Errorf("%+v became %+v", there, moved)
		}
		for name, fields := range there.Fields {
			for _, d := range fields {
				agree, differ := 0, 0
				for _, sample := range named(straight) {
					switch {
					case sample == nil:
					case sample[d.Path] == d.From:
						agree++
					case sample[d.Path] == d.To:
						differ++
					}
				}
				if agree <= differ || named(straight)[name][d.Path] != d.To {
					t.Errorf("%s: %+v, which %d have, against %d", name, d, agree, differ)
				}
			}
		}
		same := map[string]ssa.Fields{}
		for i := range list {
			same[fmt.Sprint(i)] = list[0]
		}
		if c := compareObject(web, same); !c.Same() {
			t.Errorf("equal objects differ: %+v", c)
		}
	})
}
