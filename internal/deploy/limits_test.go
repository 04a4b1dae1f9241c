package deploy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

func TestLimits(t *testing.T) {
	gone := func(kinds ...string) ClusterPlan {
		plan := ClusterPlan{Objects: map[fleet.ObjectKey]ObjectPlan{}}
		for i, kind := range kinds {
			plan.Objects[fleet.ObjectKey{Kind: kind, Name: fmt.Sprint(i)}] = ObjectPlan{Action: ActionDelete}
		}
		return plan
	}
	many := map[string]ClusterPlan{}
	for i := range 14 {
		many[fmt.Sprintf("c%02d", i)] = gone("ConfigMap")
	}
	limit := func(n int64) *int64 { return &n }
	for _, c := range []struct {
		name   string
		plan   map[string]ClusterPlan
		limits Limits
		want   []string
	}{
		{"no limits", many, Limits{}, nil},
		{"at the limit", map[string]ClusterPlan{"a": gone("ConfigMap", "Secret")}, Limits{Deletions: limit(2), Clusters: limit(1)}, nil},
		{"over it, the largest first", map[string]ClusterPlan{"a": gone("ConfigMap"), "b": gone("ConfigMap", "Secret")}, Limits{Deletions: limit(2)},
			[]string{"It would delete 3 objects, and limits.deletions is 2.", "Deletions by cluster: b 2, a 1\n", "Deletions by kind: ConfigMap 2, Secret 1"}},
		{"replaced objects count", map[string]ClusterPlan{"a": {Objects: map[fleet.ObjectKey]ObjectPlan{conf: {Action: ActionReplace}}}}, Limits{Deletions: limit(0)},
			[]string{"It would delete 1 object, and limits.deletions is 0."}},
		{"released objects do not", map[string]ClusterPlan{"a": {Objects: map[fleet.ObjectKey]ObjectPlan{conf: {Action: ActionRelease}}}}, Limits{Deletions: limit(0)}, nil},
		{"what a successor finds counts", map[string]ClusterPlan{"a": {New: 1, Surplus: 7}}, Limits{Deletions: limit(6)},
			[]string{"It would delete 7 objects", "Deletions by cluster: a 7\n", "found there and not wanted 7"}},
		{"clusters that are only forgotten are not changed", map[string]ClusterPlan{"a": {Gone: true, Leaving: true, Objects: map[fleet.ObjectKey]ObjectPlan{conf: {Action: ActionForget}}}},
			Limits{Clusters: limit(0), Deletions: limit(0)}, nil},
		{"many clusters", many, Limits{Clusters: limit(3), Deletions: limit(5)},
			[]string{"It would delete 14 objects, and limits.deletions is 5; it would change 14 clusters, and limits.clusters is 3.",
				"c00 1, c01 1, c02 1, c03 1, c04 1 and 9 in 9 others", "c08, c09 and 4 more"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Plan{Clusters: c.plan}.Over(c.limits)
			if len(c.want) == 0 && got != "" {
				t.Errorf("got %q", got)
			}
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("%q lacks %q", got, w)
				}
			}
		})
	}
}
