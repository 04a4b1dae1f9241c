package rollout_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

func TestOutline(t *testing.T) {
	s := rollout.Strategy{Through: "eu", Waves: []rollout.Wave{
		{Name: "canary", Clusters: []string{"edge-1"}}, {Name: "gone", Clusters: []string{"left"}}, {Name: "eu", Clusters: []string{"edge-1", "eu-1"}}, {Name: "us", Clusters: []string{"us-1", "us-2", "us-3"}},
	}}
	p := rollout.Progress{Revision: "9f2c77", Clusters: map[string]rollout.Cluster{
		"edge-1": {State: rollout.Deferred, Revision: "41aa03"}, "eu-1": {}, "us-1": {Revision: "41aa03"}, "us-2": {Revision: "9f2c11"}, "us-3": {}, "ap-1": {Revision: "41aa03"}, "ap-2": {Leaving: true},
	}}
	want := []string{
		`edge-1 is in the waves "canary" and "eu"; it goes with the first, "canary"`,
		`wave "canary" is passed over, and so tests nothing: its 1 cluster (edge-1) cannot be reached or is in maintenance`,
		`wave "gone" has no clusters and is passed over`,
	}
	if diff := cmp.Diff(want, rollout.Outline(s, p)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if notes := rollout.Outline(rollout.Unstaged(), p); len(notes) > 0 {
		t.Errorf("a set without waves has notes: %q", notes)
	}
}
