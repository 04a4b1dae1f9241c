package placement_test

import (
	"fmt"
	"maps"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// fits tells whether clusters that are chosen of the candidates keep to a constraint, as its documentation says.
func fits(spread []placement.Spread, s placement.Spread, candidates []fleet.Cluster, chosen map[string]bool) bool {
	counts, all := map[string]int64{}, map[string]bool{}
	for _, c := range candidates {
		value := c.Labels[s.Key]
		all[value] = all[value] || !closed(spread, s, candidates, chosen, c)
		if chosen[c.Name] {
			counts[value]++
		}
	}
	used := int64(len(counts))
	if s.MinGroups != nil && used < *s.MinGroups || s.MaxGroups != nil && used > *s.MaxGroups {
		return false
	}
	if s.MaxSkew == nil || used == 0 {
		return true
	}
	most, fewest := slices.Max(slices.Collect(maps.Values(counts))), slices.Min(slices.Collect(maps.Values(counts)))
	// Groups that may not be opened hold nobody down.
	maps.DeleteFunc(all, func(_ string, counts bool) bool { return !counts })
	if counted := int64(len(all)); used < counted && (s.MaxGroups == nil || used < *s.MaxGroups) {
		fewest = 0
	}
	return most-fewest <= *s.MaxSkew
}

// closed tells whether a cluster is in a group that the max_groups of another constraint leaves out.
func closed(spread []placement.Spread, except placement.Spread, candidates []fleet.Cluster, chosen map[string]bool, cluster fleet.Cluster) bool {
	for _, s := range spread {
		if s.Key == except.Key || s.MaxGroups == nil || s.WhenUnsatisfiable == placement.ScheduleAnyway {
			continue
		}
		used := map[string]bool{}
		for _, c := range candidates {
			if chosen[c.Name] {
				used[c.Labels[s.Key]] = true
			}
		}
		if int64(len(used)) == *s.MaxGroups && !used[cluster.Labels[s.Key]] {
			return true
		}
	}
	return false
}

// candidatesOf are the clusters that could be chosen if there were no limit.
func candidatesOf(t *rapid.T, policy placement.Policy, in placement.Input) []fleet.Cluster {
	spread := policy.Spread
	policy.NumberOfClusters, policy.Spread = nil, nil
	decision, err := placement.Schedule(policy, in)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(slices.Clone(in.Clusters), func(c fleet.Cluster) bool {
		for _, s := range spread {
			if _, set := c.Labels[s.Key]; !set && s.WhenUnsatisfiable != placement.ScheduleAnyway {
				return true
			}
		}
		return !slices.Contains(decision.Selected, c.Name)
	})
}

// best tries every choice: how many clusters can be chosen at all, and how many of those chosen before can then stay.
func best(policy placement.Policy, candidates []fleet.Cluster, before []string, soft bool) (most, stay int, possible bool) {
	most = -1
	for mask := range 1 << len(candidates) {
		n := bits.OnesCount(uint(mask))
		if policy.NumberOfClusters != nil && int64(n) > *policy.NumberOfClusters || n < most {
			continue
		}
		chosen, kept := map[string]bool{}, 0
		for i, c := range candidates {
			if mask>>i&1 == 1 {
				chosen[c.Name] = true
				if slices.Contains(before, c.Name) {
					kept++
				}
			}
		}
		ok := true
		for _, s := range policy.Spread {
			ok = ok && (!soft && s.WhenUnsatisfiable == placement.ScheduleAnyway || fits(policy.Spread, s, candidates, chosen))
		}
		if ok && (n > most || kept > stay) {
			most, stay, possible = n, kept, true
		}
	}
	return most, stay, possible
}

// One cluster comes, goes or is relabelled: as many clusters as can be are chosen, and of those chosen before as many
// stay as can, which is told by trying every choice.
func TestScheduleMovesTheMinimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := placement.Policy{NumberOfClusters: optional(t, "number_of_clusters", 3, 5), Spread: drawSpread(t, 1)}
		in := placement.Input{Clusters: drawMembers(t, 2, 8)}
		first, err := placement.Schedule(policy, in)
		if err != nil {
			return
		}
		in.Previous = previousOf(first)
		change(t, &in)
		second, err := placement.Schedule(policy, in)
		candidates := candidatesOf(t, policy, in)
		most, _, possible := best(policy, candidates, in.Previous.Selected, false)
		if err != nil {
			if possible && !strings.Contains(err.Error(), "topology_key: no cluster has") {
				t.Fatalf("%v; but %d clusters can be chosen", err, most)
			}
			return
		}
		all, stay, _ := best(policy, candidates, in.Previous.Selected, true)
		if all < most {
			// A constraint that need not be kept says nothing of who goes where it is not.
			stay = -1
		}
		kept := 0
		for _, name := range second.Selected {
			if slices.Contains(in.Previous.Selected, name) {
				kept++
			}
		}
		if len(second.Selected) != most || stay >= 0 && kept != stay {
			t.Errorf("before %v, now %v: %d of %d can be chosen, %d stay, %d could", in.Previous.Selected, second.Selected,
				len(second.Selected), most, kept, stay)
		}
	})
}

func change(t *rapid.T, in *placement.Input) {
	in.Clusters = slices.Clone(in.Clusters)
	at := rapid.IntRange(0, len(in.Clusters)-1).Draw(t, "at")
	switch rapid.SampledFrom([]string{"comes", "goes", "is relabelled"}).Draw(t, "what happens") {
	case "comes":
		in.Clusters = append(in.Clusters, drawMember(t, fmt.Sprintf("c%d", 2*at)))
	case "goes":
		in.Clusters = slices.Delete(in.Clusters, at, at+1)
	default:
		in.Clusters[at] = drawMember(t, in.Clusters[at].Name)
	}
}

// Whatever is decided keeps to all constraints that must be kept, also to several at once.
func TestScheduleKeepsToConstraints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := placement.Policy{NumberOfClusters: optional(t, "number_of_clusters", 3, 5), Spread: drawSpread(t, 2)}
		members := drawMembers(t, 0, 9)
		in := placement.Input{Clusters: members, Previous: drawPrevious(t, members)}
		decision, err := placement.Schedule(policy, in)
		if err != nil {
			return
		}
		chosen := map[string]bool{}
		for _, name := range decision.Selected {
			chosen[name] = true
		}
		candidates := candidatesOf(t, policy, in)
		for _, s := range policy.Spread {
			if s.WhenUnsatisfiable != placement.ScheduleAnyway && len(candidates) > 0 && !fits(policy.Spread, s, candidates, chosen) {
				t.Errorf("%v does not keep to %+v", decision.Selected, s)
			}
		}
		if n := policy.NumberOfClusters; n != nil && int64(len(decision.Selected)) > *n {
			t.Errorf("%d chosen instead of %d", len(decision.Selected), *n)
		}
	})
}

// Several constraints at once are decided by a heuristic. This says how good it is, always on the same fleets: it finds a
// choice wherever there is one, and hardly ever chooses fewer clusters than could be.
func TestScheduleWithSeveralConstraintsIsNearlyExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	maybe := func(least, most int64) *int64 {
		if random.IntN(2) == 0 {
			return nil
		}
		return pointer(least + random.Int64N(most-least+1))
	}
	satisfiable, fewer := 0, 0
	for range 4000 {
		policy := placement.Policy{NumberOfClusters: maybe(3, 5)}
		for _, key := range []string{"region", "tier"} {
			s := placement.Spread{Key: key, MaxSkew: maybe(1, 2), MinGroups: maybe(1, 2), MaxGroups: maybe(2, 3)}
			if s.MaxSkew == nil && s.MinGroups == nil && s.MaxGroups == nil {
				s.MaxSkew = pointer(1)
			}
			policy.Spread = append(policy.Spread, s)
		}
		in := placement.Input{Clusters: make([]fleet.Cluster, 2+random.IntN(7))}
		for i := range in.Clusters {
			in.Clusters[i] = fleet.Cluster{Name: fmt.Sprintf("c%d", i), Reachable: true, Labels: map[string]string{
				"region": string(rune('a' + random.IntN(3))), "tier": string(rune('a' + random.IntN(3))),
			}}
		}
		most, _, possible := best(policy, in.Clusters, nil, false)
		decision, err := placement.Schedule(policy, in)
		if !possible {
			continue
		}
		satisfiable++
		if err != nil {
			t.Errorf("%v; but %d clusters can be chosen of %v with %v", err, most, in.Clusters, policy.Spread)
		}
		if len(decision.Selected) < most {
			fewer++
		}
	}
	if satisfiable < 3000 || fewer*500 > satisfiable {
		t.Errorf("%d of %d decisions chose fewer clusters than could be", fewer, satisfiable)
	}
}
