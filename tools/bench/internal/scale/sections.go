package scale

import (
	"fmt"
	"slices"
	"time"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/contest"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/report"
)

// Sections are the rows as tables: what each step cost, what a cluster cost from size to size, and the targets.
func (b *Bench) Sections(rows []Row) []report.Section {
	sections := []report.Section{b.steps(rows), b.perCluster(rows)}
	if targets := b.targets(rows); len(targets.Rows) > 0 {
		sections = append(sections, targets)
	}
	return sections
}

func (b *Bench) steps(rows []Row) report.Section {
	section := report.Section{
		Title:  fmt.Sprintf("%d objects on each cluster of a simulated fleet", b.Objects),
		Note:   "The simulation shares the processors: its time is in every wall time.",
		Header: []string{"step", "clusters", "contestant", "wall", "CPU", "CPU of Terraform", "CPU of the simulation", "peak memory", "requests per cluster", "state", "plan JSON"},
	}
	for _, row := range rows {
		terraform := "–"
		if row.terraform() > 0 {
			terraform = report.Seconds(row.terraform())
		}
		asked := "–"
		if total := row.Sample.Requests.Total(); total > 0 {
			asked = fmt.Sprintf("%.1f", float64(total)/float64(row.Clusters))
		}
		section.Rows = append(section.Rows, []string{
			row.Step, fmt.Sprint(row.Clusters), row.Who, report.Seconds(row.Sample.Wall), report.Seconds(row.cpu()), terraform, report.Seconds(row.Simulation),
			report.Bytes(row.Sample.Peak), asked, report.Bytes(row.Sample.State), report.Bytes(row.Sample.Plan),
		})
	}
	return section
}

// costs are what a cluster may cost.
var costs = []struct {
	name string
	of   func(Row) time.Duration
}{{"wall", Row.wall}, {"CPU", Row.cpu}, {"CPU of Terraform", Row.terraform}}

// perCluster compares what one cluster costs in each size with what it costs in the size before.
func (b *Bench) perCluster(rows []Row) report.Section {
	section := report.Section{
		Title: "What one cluster costs",
		Note: "In brackets, how many times what it costs in the size before. Flat is 1.0×; less is what a small fleet pays for starting. " +
			"CPU is that of the contestant alone.",
		Header: []string{"step", "contestant"},
	}
	for _, cost := range costs {
		for _, size := range b.Sizes {
			section.Header = append(section.Header, fmt.Sprintf("%s of %d", cost.name, size))
		}
	}
	type key struct{ step, who string }
	var keys []key
	for _, row := range rows {
		if k := (key{row.Step, row.Who}); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		cells := []string{k.step, k.who}
		for _, cost := range costs {
			before := 0.0
			for _, size := range b.Sizes {
				each := 0.0
				if row := find(rows, size, k.who, k.step); row != nil {
					each = cost.of(*row).Seconds() / float64(size)
				}
				cells = append(cells, milliseconds(each, before))
				before = each
			}
		}
		// A step that was done in one size only, as those with faults, compares with nothing.
		if find(rows, b.Sizes[0], k.who, k.step) != nil {
			section.Rows = append(section.Rows, cells)
		}
	}
	return section
}

func milliseconds(each, before float64) string {
	if each == 0 {
		return "–"
	}
	text := fmt.Sprintf("%.1f ms", each*1000)
	if before > 0 {
		text += fmt.Sprintf(" (%.1f×)", each/before)
	}
	return text
}

// The shape that the targets are for.
const targetClusters, targetObjects = 1000, 20

// targets compares what a thousand clusters cost with what they may.
func (b *Bench) targets(rows []Row) report.Section {
	section := report.Section{Title: "Targets", Header: []string{"target", "contestant", "limit", "measured", "met"}}
	if b.Objects != targetObjects || !slices.Contains(b.Sizes, targetClusters) {
		return section
	}
	judge := func(what, who, limit, measured string, met bool) {
		section.Rows = append(section.Rows, []string{what, who, limit, measured, map[bool]string{true: "yes", false: "no"}[met]})
	}
	for _, detail := range b.Details {
		who := name(detail)
		var peak int64
		for _, row := range rows {
			if row.Clusters == targetClusters && row.Who == who {
				peak = max(peak, row.Sample.Peak)
			}
		}
		const limit = 1 << 30
		judge("peak memory of the provider", who, report.Bytes(limit), report.Bytes(peak), peak <= limit)
		plan := find(rows, targetClusters, who, string(contest.PlanSame))
		if plan != nil {
			judge(string(contest.PlanSame), who, report.Seconds(time.Minute), report.Seconds(plan.Sample.Wall), plan.Sample.Wall <= time.Minute)
		}
		for _, step := range []contest.Step{contest.FirstApply, contest.PlanSame} {
			b.judgeFlat(rows, who, string(step), judge)
		}
	}
	return section
}

// flat is how many times its cost in the size before a cluster may cost.
const flat = 1.2

func (b *Bench) judgeFlat(rows []Row, who, step string, judge func(what, who, limit, measured string, met bool)) {
	for i, size := range b.Sizes[1:] {
		small, large := find(rows, b.Sizes[i], who, step), find(rows, size, who, step)
		if small == nil || large == nil {
			continue
		}
		for _, cost := range costs {
			before, now := cost.of(*small).Seconds()/float64(b.Sizes[i]), cost.of(*large).Seconds()/float64(size)
			judge(fmt.Sprintf("%s: %s per cluster from %d to %d", step, cost.name, b.Sizes[i], size), who, report.Ratio(flat, 1), report.Ratio(now, before), now <= flat*before)
		}
	}
}

func find(rows []Row, clusters int, who, step string) *Row {
	for i := range rows {
		if rows[i].Clusters == clusters && rows[i].Who == who && rows[i].Step == step {
			return &rows[i]
		}
	}
	return nil
}

// cpu is the contestant's own processor time.
func (r Row) cpu() time.Duration {
	if r.Who == contest.FloorName {
		return r.Sample.CPU
	}
	return r.Sample.ProviderCPU
}

// terraform is Terraform's processor time; nothing where it does not run.
func (r Row) terraform() time.Duration {
	if r.Who == contest.FloorName {
		return 0
	}
	return r.Sample.CPU
}

func (r Row) wall() time.Duration { return r.Sample.Wall }

// name is what results call the provider with a detail.
func name(detail string) string {
	if detail == "" {
		return "fleet"
	}
	return "detail " + detail
}
