package deploy

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

var (
	web  = fleet.ObjectKey{Group: "apps", Kind: "Deployment", Namespace: "web", Name: "web"}
	conf = fleet.ObjectKey{Kind: "ConfigMap", Namespace: "web", Name: "conf"}
)

func TestSentences(t *testing.T) {
	scaled := ObjectPlan{Action: ActionCorrect, Changes: []ssa.Difference{{Path: "spec.replicas", From: "7", To: "3"}}}
	var many []ssa.Difference
	for _, p := range []string{"a", "b", "c", "d", "e", "f"} {
		many = append(many, ssa.Difference{Path: p, To: `"x"`})
	}
	create := ClusterPlan{Objects: map[fleet.ObjectKey]ObjectPlan{web: {Action: ActionCreate}, conf: {Action: ActionCreate}}}
	for _, c := range []struct {
		name string
		plan map[string]ClusterPlan
		want []string
	}{
		{"nothing", map[string]ClusterPlan{"a": {Objects: map[fleet.ObjectKey]ObjectPlan{web: {}}}}, []string{}},
		{"creation is counted", map[string]ClusterPlan{"a": create, "b": create, "c": create, "d": create}, []string{"create 2 objects on 4 clusters"}},
		{"a new cluster is told the same way before and after it can be asked", map[string]ClusterPlan{
			"a": {Unknown: true, New: 1}, "b": {New: 1, Objects: map[fleet.ObjectKey]ObjectPlan{web: {Action: ActionCreate}}},
		}, []string{"create 1 object on a, b"}},
		{"the same change stands once", map[string]ClusterPlan{
			"a": {Objects: map[fleet.ObjectKey]ObjectPlan{web: scaled}}, "b": {Objects: map[fleet.ObjectKey]ObjectPlan{web: scaled}},
		}, []string{"correct Deployment.apps web/web on a, b: spec.replicas 7 → 3"}},
		{"many fields are counted", map[string]ClusterPlan{"a": {Objects: map[fleet.ObjectKey]ObjectPlan{conf: {Action: ActionUpdate, Changes: many}}}},
			[]string{"update ConfigMap web/conf on a: a (none) → x, b (none) → x, c (none) → x, d (none) → x and 2 more fields"}},
		{"an unfinished apply", map[string]ClusterPlan{"a": {Unsettled: true}}, []string{"finish the last apply on a"}},
		{"a deferred cluster does nothing", map[string]ClusterPlan{"a": {Deferred: "offline", Unsettled: true}}, []string{}},
		{"a cluster that leaves", map[string]ClusterPlan{"a": {Leaving: true, Objects: map[fleet.ObjectKey]ObjectPlan{web: {Action: ActionDelete}, conf: {Action: ActionRelease}}}},
			[]string{"delete Deployment.apps web/web on a", "release ConfigMap web/conf on a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Plan{Clusters: c.plan}.Sentences()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestProblemsGroupClusters(t *testing.T) {
	denied := errors.New("denied")
	got := Problems{
		{Cluster: "us-1", Object: &web, Err: denied}, {Cluster: "eu-1", Object: &web, Err: denied},
		{Cluster: "eu-2", Err: errors.New("no route")}, {Cluster: "eu-1", Object: &conf, Err: denied},
	}.String()
	want := "eu-1  ConfigMap web/conf: denied\neu-1, us-1  Deployment.apps web/web: denied\neu-2: no route"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
