package contest

import (
	"fmt"
	"strings"
	"time"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/config"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/report"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/requests"
)

// Sections are the results as tables: the medians, the requests by verb, and the targets where there are any.
func (r *Results) Sections() []report.Section {
	sections := []report.Section{r.costs(), r.requestsByVerb()}
	if targets := r.targets(); len(targets.Rows) > 0 {
		sections = append(sections, targets)
	}
	return sections
}

func (r *Results) shape() string {
	return fmt.Sprintf("%d clusters × %d objects", r.Clusters, r.Objects)
}

func (r *Results) costs() report.Section {
	section := report.Section{
		Title: r.shape(),
		Note: fmt.Sprintf("Medians over %d round(s). A %s takes %s, and %s of processor time; × client-go is without it.",
			r.Rounds, Nothing, report.Seconds(r.own()), report.Seconds(report.MedianOf(r.Own, cpu))),
		Header: []string{"step", "contestant", "wall", "× client-go", "CPU", "CPU of Terraform", "peak memory", "requests per cluster", "state", "plan JSON"},
	}
	for name, reason := range r.Dropped {
		first, _, _ := strings.Cut(reason, "\n")
		section.Note += fmt.Sprintf(" %s did not get through: %s", name, first)
	}
	r.each(func(step Step, name string, samples []Sample) {
		row := []string{string(step), name, report.Seconds(report.MedianOf(samples, wall)), r.ratio(step, name)}
		if name == FloorName {
			row = append(row, report.Seconds(report.MedianOf(samples, cpu)), "–")
		} else {
			row = append(row, report.Seconds(report.MedianOf(samples, providerCPU)), report.Seconds(report.MedianOf(samples, cpu)))
		}
		section.Rows = append(section.Rows, append(row,
			report.Bytes(report.MedianOf(samples, func(s Sample) int64 { return s.Peak })),
			r.perCluster(report.MedianOf(samples, func(s Sample) int { return s.Requests.Total() })),
			report.Bytes(report.MedianOf(samples, func(s Sample) int64 { return s.State })),
			report.Bytes(report.MedianOf(samples, func(s Sample) int64 { return s.Plan })),
		))
	})
	return section
}

func (r *Results) requestsByVerb() report.Section {
	var all []requests.Counts
	r.each(func(_ Step, _ string, samples []Sample) {
		for _, sample := range samples {
			all = append(all, sample.Requests)
		}
	})
	verbs := requests.Verbs(all...)
	section := report.Section{Title: r.shape() + ": requests per cluster by verb", Header: append([]string{"step", "contestant"}, verbs...)}
	r.each(func(step Step, name string, samples []Sample) {
		row := []string{string(step), name}
		for _, verb := range verbs {
			row = append(row, r.perCluster(report.MedianOf(samples, func(s Sample) int { return s.Requests[verb] })))
		}
		section.Rows = append(section.Rows, row)
	})
	return section
}

// each goes through the steps and, within each, the contestants.
func (r *Results) each(do func(step Step, name string, samples []Sample)) {
	for _, step := range Steps {
		for _, name := range r.Names {
			if samples := r.Of(step, name); len(samples) > 0 {
				do(step, name, samples)
			}
		}
	}
}

// ratio is the median, over the rounds, of how many times the loop's time a contestant took without Terraform's own.
// The two are of the same round, so that what slowed down a round slowed down both.
func (r *Results) ratio(step Step, name string) string {
	floor, samples := r.Of(step, FloorName), r.Of(step, name)
	if name == FloorName || len(floor) != len(samples) || len(r.Own) < len(samples) {
		return "–"
	}
	ratios := make([]float64, 0, len(samples))
	for i, sample := range samples {
		ratios = append(ratios, (sample.Wall-r.Own[i].Wall).Seconds()/floor[i].Wall.Seconds())
	}
	return report.Ratio(report.Median(ratios), 1)
}

// perCluster divides a number by the clusters; fractions, as of what is asked of one cluster only, to a tenth.
func (r *Results) perCluster(total int) string {
	if total%r.Clusters == 0 {
		return fmt.Sprint(total / r.Clusters)
	}
	return fmt.Sprintf("%.1f", float64(total)/float64(r.Clusters))
}

func (r *Results) own() time.Duration { return report.MedianOf(r.Own, wall) }

// The shape that the targets are for.
const targetClusters, targetObjects = 4, 21

// targets compares this provider with what it should reach on the shape that the targets are for.
func (r *Results) targets() report.Section {
	section := report.Section{Title: "Targets", Header: []string{"target", "limit", "measured", "met"}}
	apply, plan := r.Of(FirstApply, config.Fleet.Name), r.Of(PlanSame, config.Fleet.Name)
	floor := r.Of(FirstApply, FloorName)
	if r.Clusters != targetClusters || r.Objects != targetObjects || len(apply) == 0 || len(plan) == 0 {
		return section
	}
	judge := func(what, limit, measured string, met bool) {
		answer := "no"
		if met {
			answer = "yes"
		}
		section.Rows = append(section.Rows, []string{what, limit, measured, answer})
	}
	times := func(what string, limit, measured time.Duration) {
		judge(what, report.Seconds(limit), report.Seconds(measured), measured <= limit)
	}
	times("first apply", 1500*time.Millisecond, report.MedianOf(apply, wall))
	if len(floor) > 0 {
		times("first apply: 3 × client-go and Terraform's own", 3*report.MedianOf(floor, wall)+r.own(), report.MedianOf(apply, wall))
	}
	times("plan, no change", 600*time.Millisecond, report.MedianOf(plan, wall))
	const requestsAtMost, bytesAtMost = 10, 2048
	asked := report.MedianOf(plan, func(s Sample) int { return s.Requests.Total() })
	judge("plan, no change: requests per cluster", fmt.Sprint(requestsAtMost), r.perCluster(asked), asked <= requestsAtMost*r.Clusters)
	each := report.MedianOf(apply, func(s Sample) int64 { return s.State }) / int64(r.Clusters*r.Objects)
	judge("state per object", report.Bytes(bytesAtMost), report.Bytes(each), each <= bytesAtMost)
	return section
}

func wall(s Sample) time.Duration        { return s.Wall }
func cpu(s Sample) time.Duration         { return s.CPU }
func providerCPU(s Sample) time.Duration { return s.ProviderCPU }
