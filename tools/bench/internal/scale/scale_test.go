package scale

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/contest"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/requests"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/usage"
)

func TestSpread(t *testing.T) {
	var clusters []string
	for i := range 100 {
		clusters = append(clusters, fmt.Sprint(i))
	}
	for percent, want := range map[int][]string{1: {"50"}, 4: {"12", "37", "62", "87"}, 100: clusters} {
		if got := spread(clusters, percent); !slices.Equal(got, want) {
			t.Errorf("%d %%: %v, want %v", percent, got, want)
		}
	}
	if got := spread(clusters[:3], 1); len(got) != 1 {
		t.Errorf("one percent of three is %v, want one of them", got)
	}
}

// rows has a provider that costs each cluster so many milliseconds, in fleets of 10 and 1,000, with a step of its own on
// the large one.
func rows(small, large int, peak int64) (*Bench, []Row) {
	b := &Bench{Sizes: []int{10, 1000}, Objects: 20, Details: []string{"digest"}}
	var list []Row
	for i, each := range []int{small, large} {
		n := b.Sizes[i]
		cost := usage.Cost{Wall: time.Duration(n*each) * time.Millisecond, CPU: time.Second, ProviderCPU: time.Duration(n) * 10 * time.Millisecond, Peak: peak}
		for _, step := range []contest.Step{contest.FirstApply, contest.PlanSame} {
			list = append(list, Row{Clusters: n, Who: "detail digest", Step: string(step), Sample: contest.Sample{Cost: cost, Requests: requests.Counts{"list": 10 * n}}})
		}
	}
	return b, append(list, Row{Clusters: 1000, Who: "detail digest", Step: "plan, 1 % down", Sample: contest.Sample{Cost: usage.Cost{Wall: time.Minute}}})
}

func TestPerClusterComparesSizes(t *testing.T) {
	b, list := rows(20, 30, 1<<20)
	got := b.perCluster(list)
	want := [][]string{
		{"first apply", "detail digest", "20.0 ms", "30.0 ms (1.5×)", "10.0 ms", "10.0 ms (1.0×)", "100.0 ms", "1.0 ms (0.0×)"},
		{"plan, no change", "detail digest", "20.0 ms", "30.0 ms (1.5×)", "10.0 ms", "10.0 ms (1.0×)", "100.0 ms", "1.0 ms (0.0×)"},
	}
	if diff := cmp.Diff(want, got.Rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestStepsHaveEveryRow(t *testing.T) {
	b, list := rows(20, 30, 1<<20)
	got := b.steps(list).Rows
	if len(got) != 5 {
		t.Fatalf("%d rows, want 5", len(got))
	}
	want := []string{"first apply", "10", "detail digest", "0.200 s", "0.100 s", "1.00 s", "–", "1.0 MiB", "10.0", "–", "–"}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	if got[4][8] != "–" {
		t.Errorf("requests %q, want none counted", got[4][8])
	}
}

func TestTargets(t *testing.T) {
	answers := func(b *Bench, list []Row) map[string]string {
		met := map[string]string{}
		for _, row := range b.targets(list).Rows {
			met[row[0]] = row[4]
		}
		return met
	}
	want := map[string]string{
		"peak memory of the provider": "yes", "plan, no change": "yes",
		"first apply: wall per cluster from 10 to 1000": "yes", "first apply: CPU per cluster from 10 to 1000": "yes", "first apply: CPU of Terraform per cluster from 10 to 1000": "yes",
		"plan, no change: wall per cluster from 10 to 1000": "yes", "plan, no change: CPU per cluster from 10 to 1000": "yes", "plan, no change: CPU of Terraform per cluster from 10 to 1000": "yes",
	}
	if diff := cmp.Diff(want, answers(rows(20, 24, 1<<30))); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	for _, what := range []string{
		"peak memory of the provider", "plan, no change", "first apply: wall per cluster from 10 to 1000", "plan, no change: wall per cluster from 10 to 1000",
	} {
		want[what] = "no"
	}
	if diff := cmp.Diff(want, answers(rows(20, 61, 1<<30+1))); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	b, list := rows(20, 24, 1)
	b.Objects = 5
	if got := b.targets(list).Rows; len(got) > 0 {
		t.Errorf("targets for another shape: %v", got)
	}
}
