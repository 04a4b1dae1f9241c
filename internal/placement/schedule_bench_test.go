package placement_test

import (
	"fmt"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// syntheticFleet has n clusters in a few regions, some more zones, and providers.
func syntheticFleet(n int) []fleet.Cluster {
	members := make([]fleet.Cluster, n)
	for i := range members {
		members[i] = fleet.Cluster{
			Name: fmt.Sprintf("cluster-%05d", i), Reachable: true,
			Labels: map[string]string{
				"region": fmt.Sprintf("region-%d", i*7%10), "zone": fmt.Sprintf("zone-%d", i*11%30), "provider": fmt.Sprintf("provider-%d", i*13%4),
			},
			Properties: map[string]string{"cost": fmt.Sprint(i * 31 % 97)},
			Facts:      fleet.Facts{Allocatable: map[string]string{"cpu": fmt.Sprint(8 + i*17%64), "memory": fmt.Sprintf("%dGi", 16+i*19%256)}},
		}
	}
	return members
}

func BenchmarkSchedule(b *testing.B) {
	for _, n := range []int{50, 500, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			policy := placement.Policy{
				Selectors:        compile(b, fleet.Selector{MatchExpressions: []fleet.Requirement{{Key: "region", Operator: fleet.OperatorExists}}}),
				NumberOfClusters: pointer(int64(n / 2)),
				Spread: []placement.Spread{
					{Key: "region", MaxSkew: pointer(2), MinGroups: pointer(5)},
					{Key: "zone", MaxSkew: pointer(3), WhenUnsatisfiable: placement.ScheduleAnyway},
					{Key: "provider", MaxGroups: pointer(3)},
				},
				Prioritizers: []placement.Prioritizer{
					{Type: placement.Steady, Weight: 2}, {Type: placement.AllocatableCPU, Weight: 1},
					{Type: placement.AllocatableMemory, Weight: 1}, {Type: placement.PropertyScore, Property: "cost", Weight: -1},
				},
			}
			in := placement.Input{Clusters: syntheticFleet(n)}
			for _, c := range in.Clusters[:n/2] {
				in.Previous.Selected = append(in.Previous.Selected, c.Name)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := placement.Schedule(policy, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDivide(b *testing.B) {
	shares := make([]placement.Share, 5000)
	for i := range shares {
		shares[i] = placement.Share{Cluster: fmt.Sprintf("cluster-%05d", i), Weight: int64(1 + i*17%64)}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := placement.Divide(1_000_000, shares); err != nil {
			b.Fatal(err)
		}
	}
}
