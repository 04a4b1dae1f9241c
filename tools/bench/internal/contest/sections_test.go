package contest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/requests"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/usage"
)

// measured is results of two rounds, in the second of which the machine was busy. The first apply takes so many
// milliseconds in the first.
func measured(apply int) *Results {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	r := &Results{Clusters: 4, Objects: 21, Rounds: 2, Names: []string{FloorName, "fleet"}, samples: map[Step]map[string][]Sample{}}
	for _, slow := range []int{1, 3} {
		r.Own = append(r.Own, Sample{Cost: usage.Cost{Wall: ms(slow * 100), CPU: time.Millisecond}})
		r.add(FirstApply, FloorName, Sample{Cost: usage.Cost{Wall: ms(slow * 500), CPU: time.Second}, Requests: requests.Counts{requests.Patch: 84}})
		r.add(FirstApply, "fleet", Sample{
			Cost:  usage.Cost{Wall: ms(slow * apply), CPU: time.Second, ProviderCPU: 2 * time.Second, Peak: 64 << 20},
			State: 84 * 1024, Requests: requests.Counts{requests.Patch: 84, "get": 2},
		})
		r.add(PlanSame, "fleet", Sample{Cost: usage.Cost{Wall: ms(slow * 200)}, Requests: requests.Counts{"list": 40}, Plan: 2048})
	}
	return r
}

func TestCosts(t *testing.T) {
	got := measured(1100).costs()
	want := [][]string{
		{"first apply", "client-go", "1.00 s", "–", "1.00 s", "–", "–", "21", "–", "–"},
		// 1.1 s without 0.1 s is twice 0.5 s, in the slow round as well.
		{"first apply", "fleet", "2.20 s", "2.0×", "2.00 s", "1.00 s", "64.0 MiB", "21.5", "84.0 KiB", "–"},
		{"plan, no change", "fleet", "0.400 s", "–", "–", "–", "–", "10", "–", "2.0 KiB"},
	}
	if diff := cmp.Diff(want, got.Rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if !strings.Contains(got.Note, "2 round") || !strings.Contains(got.Note, "0.200 s") {
		t.Errorf("note %q, want the rounds and Terraform's own time", got.Note)
	}
}

func TestRequestsByVerb(t *testing.T) {
	got := measured(1000).requestsByVerb()
	if want := []string{"step", "contestant", "get", "list", "patch"}; !slices.Equal(got.Header, want) {
		t.Errorf("header %v, want %v", got.Header, want)
	}
	if want := []string{"first apply", "fleet", "0.5", "0", "21"}; !slices.Equal(got.Rows[1], want) {
		t.Errorf("row %v, want %v", got.Rows[1], want)
	}
}

func TestTargets(t *testing.T) {
	met := func(r *Results) map[string]string {
		answers := map[string]string{}
		for _, row := range r.targets().Rows {
			answers[row[0]] = row[3]
		}
		return answers
	}
	want := map[string]string{
		"first apply": "yes", "first apply: 3 × client-go and Terraform's own": "yes", "plan, no change": "yes",
		"plan, no change: requests per cluster": "yes", "state per object": "yes",
	}
	if diff := cmp.Diff(want, met(measured(700))); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	want["first apply"] = "no" // the median of 0.8 s and 2.4 s; three times the loop's and Terraform's own are 3.2 s
	if diff := cmp.Diff(want, met(measured(800))); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	other := measured(1000)
	other.Objects = 50
	if rows := other.targets().Rows; len(rows) > 0 {
		t.Errorf("targets for another shape: %v", rows)
	}
}
