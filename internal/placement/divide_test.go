package placement_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

func TestDivide(t *testing.T) {
	type shares = []placement.Share
	three := int64(3)
	tests := map[string]struct {
		total  int64
		shares shares
		want   map[string]int64
	}{
		"nothing":          {0, shares{{Cluster: "a", Weight: 1}}, map[string]int64{"a": 0}},
		"equal":            {6, shares{{Cluster: "a", Weight: 1}, {Cluster: "b", Weight: 1}, {Cluster: "c", Weight: 1}}, map[string]int64{"a": 2, "b": 2, "c": 2}},
		"a tie by name":    {4, shares{{Cluster: "b", Weight: 1}, {Cluster: "a", Weight: 1}, {Cluster: "c", Weight: 1}}, map[string]int64{"a": 2, "b": 1, "c": 1}},
		"by weight":        {10, shares{{Cluster: "a", Weight: 3}, {Cluster: "b", Weight: 2}}, map[string]int64{"a": 6, "b": 4}},
		"Webster's method": {100, shares{{Cluster: "a", Weight: 53}, {Cluster: "b", Weight: 24}, {Cluster: "c", Weight: 23}}, map[string]int64{"a": 53, "b": 24, "c": 23}},
		"small ones get none": {
			4, shares{{Cluster: "a", Weight: 90}, {Cluster: "b", Weight: 5}, {Cluster: "c", Weight: 5}}, map[string]int64{"a": 4, "b": 0, "c": 0},
		},
		"a minimum":        {4, shares{{Cluster: "a", Weight: 90}, {Cluster: "b", Weight: 5, Min: 1}}, map[string]int64{"a": 3, "b": 1}},
		"a maximum":        {9, shares{{Cluster: "a", Weight: 90, Max: &three}, {Cluster: "b", Weight: 5}}, map[string]int64{"a": 3, "b": 6}},
		"no weight":        {5, shares{{Cluster: "a", Weight: 0}, {Cluster: "b", Weight: 1}}, map[string]int64{"a": 0, "b": 5}},
		"no weight, a min": {5, shares{{Cluster: "a", Weight: 0, Min: 2}, {Cluster: "b", Weight: 1}}, map[string]int64{"a": 2, "b": 3}},
		"unchanged, whatever the weights are now": {
			6, shares{{Cluster: "a", Weight: 1, Previous: 5}, {Cluster: "b", Weight: 9, Previous: 1}}, map[string]int64{"a": 5, "b": 1},
		},
		"more go to who has too few": {
			9, shares{{Cluster: "a", Weight: 1, Previous: 5}, {Cluster: "b", Weight: 9, Previous: 1}}, map[string]int64{"a": 5, "b": 4},
		},
		"fewer come from who has too many": {
			4, shares{{Cluster: "a", Weight: 1, Previous: 5}, {Cluster: "b", Weight: 9, Previous: 1}}, map[string]int64{"a": 3, "b": 1},
		},
		"what a cluster that left had is given out": {
			6, shares{{Cluster: "a", Weight: 1, Previous: 2}, {Cluster: "b", Weight: 1, Previous: 2}}, map[string]int64{"a": 3, "b": 3},
		},
		"a new cluster waits for more": {
			4, shares{{Cluster: "a", Weight: 1, Previous: 2}, {Cluster: "b", Weight: 1, Previous: 2}, {Cluster: "c", Weight: 1}}, map[string]int64{"a": 2, "b": 2, "c": 0},
		},
		"a new cluster with a minimum does not": {
			4, shares{{Cluster: "a", Weight: 1, Previous: 2}, {Cluster: "b", Weight: 1, Previous: 2}, {Cluster: "c", Weight: 1, Min: 1}}, map[string]int64{"a": 2, "b": 1, "c": 1},
		},
		"a weight that became 0": {
			4, shares{{Cluster: "a", Weight: 0, Previous: 2}, {Cluster: "b", Weight: 1, Previous: 2}}, map[string]int64{"a": 0, "b": 4},
		},
		"very many": {
			1 << 31, shares{{Cluster: "a", Weight: 1}, {Cluster: "b", Weight: 1 << 40}, {Cluster: "c", Weight: 1 << 40}},
			map[string]int64{"a": 0, "b": 1 << 30, "c": 1 << 30},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := placement.Divide(test.total, test.shares)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDivideRefuses(t *testing.T) {
	one := int64(1)
	tests := map[string]struct {
		total  int64
		shares []placement.Share
		want   string
	}{
		"no clusters":     {3, nil, "3 replicas cannot be divided: no cluster has a weight, and the minimums add up to 0"},
		"no weights":      {3, []placement.Share{{Cluster: "a", Min: 2}}, "3 replicas cannot be divided: no cluster has a weight, and the minimums add up to 2"},
		"too little room": {3, []placement.Share{{Cluster: "a", Weight: 1, Max: &one}}, "3 replicas cannot be divided: the maximums of the clusters, and the minimums of those with weight 0, add up to 1"},
		"too few":         {1, []placement.Share{{Cluster: "a", Weight: 1, Min: 1}, {Cluster: "b", Weight: 1, Min: 1}}, "1 replicas cannot be divided: the minimums of the clusters add up to more"},
		"bounds":          {1, []placement.Share{{Cluster: "a", Weight: 1, Min: 2, Max: &one}}, "1 replicas cannot be divided: cluster a has the minimum 2 and the maximum 1"},
		"negative":        {-1, nil, "-1 replicas cannot be divided: the number is negative"},
		"negative weight": {1, []placement.Share{{Cluster: "a", Weight: -1}}, "1 replicas cannot be divided: cluster a has a negative weight or minimum (-1, 0)"},
		"twice":           {1, []placement.Share{{Cluster: "a", Weight: 1}, {Cluster: "a", Weight: 1}}, "1 replicas cannot be divided: cluster a has two shares"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := placement.Divide(test.total, test.shares); message(err) != test.want {
				t.Errorf("got %q, want %q", message(err), test.want)
			}
		})
	}
}

var shareLists = rapid.Custom(func(t *rapid.T) []placement.Share {
	list := make([]placement.Share, rapid.IntRange(1, 6).Draw(t, "clusters"))
	for i := range list {
		list[i] = placement.Share{Cluster: fmt.Sprintf("c%d", i), Weight: rapid.Int64Range(0, 9).Draw(t, "weight")}
		if rapid.Bool().Draw(t, "bounded") {
			list[i].Min = rapid.Int64Range(0, 3).Draw(t, "min")
			if most := rapid.Int64Range(-1, 9).Draw(t, "max"); most >= list[i].Min {
				list[i].Max = &most
			}
		}
	}
	return list
})

func sum(parts map[string]int64) (total int64) {
	for _, n := range parts {
		total += n
	}
	return total
}

// checkParts checks what always holds.
func checkParts(t *rapid.T, total int64, list []placement.Share, parts map[string]int64) {
	if sum(parts) != total || len(parts) != len(list) {
		t.Fatalf("%v adds up to %d, want %d", parts, sum(parts), total)
	}
	for _, s := range list {
		if n := parts[s.Cluster]; n < s.Min || s.Max != nil && n > *s.Max || s.Weight == 0 && n != s.Min {
			t.Fatalf("%+v got %d", s, n)
		}
	}
}

// Without previous parts the division is the textbook's.
func TestDivideIsWebster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list, total := shareLists.Draw(t, "shares"), rapid.Int64Range(0, 300).Draw(t, "total")
		got, err := placement.Divide(total, list)
		if err != nil {
			return
		}
		checkParts(t, total, list, got)
		want := map[string]int64{}
		for _, s := range list {
			want[s.Cluster] = s.Min
		}
		for sum(want) < total {
			best, priority := "", -1.0
			for _, s := range list {
				n := want[s.Cluster]
				full := s.Weight == 0 || s.Max != nil && n == *s.Max
				p := float64(s.Weight) / float64(2*n+1)
				if !full && (p > priority || p == priority && n < want[best]) {
					best, priority = s.Cluster, p
				}
			}
			want[best]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-textbook +got)\n%s", diff)
		}
	})
}

// Scaling up takes from nobody, scaling down gives to nobody, and doing nothing changes nothing.
func TestDivideIsSticky(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list, total := shareLists.Draw(t, "shares"), rapid.Int64Range(0, 60).Draw(t, "total")
		before, err := placement.Divide(total, list)
		if err != nil {
			return
		}
		for i := range list {
			list[i].Previous = before[list[i].Cluster]
			if list[i].Weight > 0 {
				list[i].Weight = rapid.Int64Range(1, 9).Draw(t, "other weight")
			}
		}
		other := rapid.Int64Range(0, 120).Draw(t, "other total")
		after, err := placement.Divide(other, list)
		if err != nil {
			return
		}
		checkParts(t, other, list, after)
		for name, n := range after {
			if other >= total && n < before[name] || other <= total && n > before[name] {
				t.Errorf("%d → %d replicas: %s had %d and gets %d", total, other, name, before[name], n)
			}
		}
	})
}

// A cluster that leaves moves its own replicas and no others; one that comes moves none but those of its minimum.
func TestDivideMovesTheMinimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list, total := shareLists.Draw(t, "shares"), rapid.Int64Range(0, 60).Draw(t, "total")
		before, err := placement.Divide(total, list)
		if err != nil {
			return
		}
		for i := range list {
			list[i].Previous = before[list[i].Cluster]
		}
		if fewer, err := placement.Divide(total, list[1:]); err == nil {
			for name, n := range fewer {
				if n < before[name] {
					t.Errorf("%s left, and %s goes from %d to %d", list[0].Cluster, name, before[name], n)
				}
			}
		}
		newcomer := placement.Share{Cluster: "new", Weight: rapid.Int64Range(1, 9).Draw(t, "weight"), Min: rapid.Int64Range(0, 2).Draw(t, "min")}
		more, err := placement.Divide(total, append(slices.Clone(list), newcomer))
		if err != nil {
			return
		}
		if more["new"] != newcomer.Min {
			t.Errorf("the newcomer gets %d, with minimum %d", more["new"], newcomer.Min)
		}
		for name, n := range before {
			if more[name] > n {
				t.Errorf("%s goes from %d to %d", name, n, more[name])
			}
		}
	})
}

// Dividing many at once comes to the same as dividing one more, again and again.
func TestDivideLeapsExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Int64Range(1, 1<<30), 1, 6).Draw(t, "weights")
		shares := make([]placement.Share, len(list))
		for i, w := range list {
			shares[i] = placement.Share{Cluster: fmt.Sprintf("c%d", i), Weight: w}
		}
		total := rapid.Int64Range(100, 2000).Draw(t, "total")
		at := map[string]int64{}
		for n := int64(0); n <= total; n += 7 {
			for i := range shares {
				shares[i].Previous = at[shares[i].Cluster]
			}
			var err error
			if at, err = placement.Divide(n, shares); err != nil {
				t.Fatal(err)
			}
		}
		last := sum(at)
		for i := range shares {
			shares[i].Previous = 0
		}
		once, err := placement.Divide(last, shares)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(at, once); diff != "" {
			t.Errorf("(-steps +once)\n%s", diff)
		}
		for i := range shares {
			shares[i].Previous = once[shares[i].Cluster]
		}
		down, err := placement.Divide(40, shares)
		if err != nil {
			t.Fatal(err)
		}
		for i := range shares {
			shares[i].Previous = 0
		}
		fresh, err := placement.Divide(40, shares)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fresh, down); diff != "" {
			t.Errorf("(-fresh +down)\n%s", diff)
		}
	})
}
