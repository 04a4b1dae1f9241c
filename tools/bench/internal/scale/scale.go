// Package scale measures what a cluster costs in fleets of ten, a hundred and a thousand, and what a fleet costs that is
// slow or partly down.
package scale

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/config"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/contest"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/fleets"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/report"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/requests"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/work"
)

// Fleet is a fleet whose clusters can be made slow and let down.
type Fleet interface {
	// First is the part that the first n clusters are.
	First(n int) (*fleets.Fleet, error)
	// Counter counts the requests to a part.
	Counter(part *fleets.Fleet) (requests.Counter, error)
	// Set makes exactly these faults.
	Set(ctx context.Context, faults fleets.Faults) error
	// CPU is the processor time that the simulation has used so far.
	CPU() time.Duration
}

// Bench is what to measure.
type Bench struct {
	Fleet Fleet
	// Sizes are the numbers of clusters, ascending. The faults are measured on the last.
	Sizes []int
	// Objects is how many there are on each cluster.
	Objects int
	// Details are the values of fleet_manifest's detail; an empty one is left out of the configuration.
	Details []string
	// Latency is how slow a slow fleet is.
	Latency time.Duration
	// Down are the shares of clusters that do not answer, in percent.
	Down     []int
	Programs contest.Programs
	// Provider is the provider's program, and Args further arguments of Terraform's commands.
	Provider string
	Args     []string
	// Say tells how far it is.
	Say func(format string, args ...any)
}

// Row is one measurement.
type Row struct {
	Clusters int
	// Who is the detail of fleet_manifest, or the client-go loop.
	Who string
	// Step is what was done.
	Step   string
	Sample contest.Sample
	// Simulation is the processor time that the simulation used meanwhile.
	Simulation time.Duration
}

// Run measures everything, from small to large.
func (b *Bench) Run(ctx context.Context) (rows []Row, err error) {
	// Whatever happens, the fleet is left as it was.
	defer func() { err = errors.Join(err, b.Fleet.Set(context.WithoutCancel(ctx), fleets.Faults{})) }()
	for _, size := range b.Sizes {
		part, err := b.Fleet.First(size)
		if err != nil {
			return nil, err
		}
		counter, err := b.Fleet.Counter(part)
		if err != nil {
			return nil, err
		}
		s := &series{Bench: b, part: part, counter: counter}
		if err := s.floor(ctx); err != nil {
			return nil, err
		}
		for _, detail := range b.Details {
			if err := s.provider(ctx, detail); err != nil {
				return nil, err
			}
		}
		rows = append(rows, s.rows...)
	}
	return rows, nil
}

// series is the measurements on a part of the fleet.
type series struct {
	*Bench
	part    *fleets.Fleet
	counter requests.Counter
	rows    []Row
}

// measure measures a step, and counts its requests. Those to clusters that are down cannot be counted.
func (s *series) measure(ctx context.Context, who, what string, counted bool, do func() (contest.Sample, error)) error {
	if counted {
		if err := s.counter.Begin(ctx); err != nil {
			return err
		}
	}
	before := s.Fleet.CPU()
	sample, err := do()
	if err != nil {
		return fmt.Errorf("%d clusters, %s, %s: %w", len(s.part.Clusters), who, what, err)
	}
	simulation := s.Fleet.CPU() - before
	if counted {
		if sample.Requests, err = s.counter.End(ctx); err != nil {
			return err
		}
	}
	s.Say("%d clusters, %s: %s: %s, %s", len(s.part.Clusters), who, what, report.Seconds(sample.Wall), report.Bytes(sample.Peak))
	s.rows = append(s.rows, Row{Clusters: len(s.part.Clusters), Who: who, Step: what, Sample: sample, Simulation: simulation})
	return nil
}

// floor measures the client-go loop, which tells what the simulation itself costs.
func (s *series) floor(ctx context.Context) error {
	loop := &contest.Floor{Fleet: s.part}
	w := work.New("bench-"+contest.FloorName, s.Objects)
	for _, step := range []contest.Step{contest.FirstApply, contest.PlanSame, contest.Destroy} {
		err := s.measure(ctx, contest.FloorName, string(step), true, func() (contest.Sample, error) { return loop.Do(ctx, step, w, nil) })
		if err != nil {
			return err
		}
	}
	return nil
}

// provider measures the provider with a detail: the steps, and on the largest part the faults.
func (s *series) provider(ctx context.Context, detail string) (err error) {
	contestant, err := contest.NewProvider(s.Programs, config.Fleet, s.Provider, s.part)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, contestant.Close()) }()
	contestant.Setup.Detail, contestant.Setup.Defer, contestant.Args = detail, true, s.Args
	who := name(detail)
	w := work.New("bench-scale", s.Objects)
	step := func(step contest.Step, to work.Work) error {
		w = to
		return s.measure(ctx, who, string(step), true, func() (contest.Sample, error) { return contestant.Do(ctx, step, w, nil) })
	}
	if err := step(contest.FirstApply, w); err != nil {
		return err
	}
	if err := step(contest.PlanSame, w); err != nil {
		return err
	}
	if err := step(contest.ApplyEditOne, w.EditOne()); err != nil {
		return err
	}
	if len(s.part.Clusters) == s.Sizes[len(s.Sizes)-1] {
		if err := s.faults(ctx, who, contestant, w); err != nil {
			return err
		}
	}
	return step(contest.Destroy, w)
}

// faults measures a slow fleet, and fleets that are down in part.
func (s *series) faults(ctx context.Context, who string, contestant *contest.Provider, w work.Work) error {
	plan := func(what string) error {
		return s.measure(ctx, who, what, false, func() (contest.Sample, error) { return contestant.Do(ctx, contest.PlanSame, w, nil) })
	}
	if err := s.Fleet.Set(ctx, fleets.Faults{Latency: s.Latency}); err != nil {
		return err
	}
	if err := plan(fmt.Sprintf("%s, %s latency", contest.PlanSame, s.Latency)); err != nil {
		return err
	}
	for i, percent := range s.Down {
		names := spread(s.part.Clusters, percent)
		if err := s.Fleet.Set(ctx, fleets.Faults{Down: names}); err != nil {
			return err
		}
		if err := plan(fmt.Sprintf("%s, %d %% down", contest.PlanSame, percent)); err != nil {
			return err
		}
		// Another value each time, so that there is something to apply.
		w.Image = fmt.Sprintf("2.0.%d", i)
		err := s.measure(ctx, who, fmt.Sprintf("%s, %d %% down", contest.ApplyEditOne, percent), false, func() (contest.Sample, error) {
			return contestant.Do(ctx, contest.ApplyEditOne, w, nil)
		})
		if err != nil {
			return err
		}
		if err := s.Fleet.Set(ctx, fleets.Faults{}); err != nil {
			return err
		}
		if err := contestant.Repair(ctx, w); err != nil {
			return err
		}
	}
	return s.Fleet.Set(ctx, fleets.Faults{})
}

// spread chooses a share of the clusters, at least one, from all over the list.
func spread(clusters []string, percent int) []string {
	n := max(1, len(clusters)*percent/100)
	var chosen []string
	for i := range n {
		chosen = append(chosen, clusters[(i*len(clusters)+len(clusters)/2)/n])
	}
	return slices.Compact(chosen)
}
