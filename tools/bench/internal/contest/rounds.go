package contest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/fleets"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/floor"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/report"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/requests"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/work"
)

// Contest is a benchmark on one fleet.
type Contest struct {
	Fleet *fleets.Fleet
	// Objects is how many there are on each cluster.
	Objects     int
	Rounds      int
	Programs    Programs
	Contestants []Contestant
	Counter     requests.Counter
	// Say tells how far the contest is.
	Say func(format string, args ...any)
}

// Results are the samples of each step and contestant, one for each round.
type Results struct {
	Clusters, Objects, Rounds int
	// Names are the contestants that did every round, in their order.
	Names []string
	// Own are the samples of a plan of nothing.
	Own []Sample
	// Dropped says why a contestant is not among Names.
	Dropped map[string]string

	samples map[Step]map[string][]Sample
}

// Of are the samples of a step of a contestant, in the order of the rounds.
func (r *Results) Of(step Step, name string) []Sample { return r.samples[step][name] }

func (r *Results) add(step Step, name string, sample Sample) {
	if r.samples[step] == nil {
		r.samples[step] = map[string][]Sample{}
	}
	r.samples[step][name] = append(r.samples[step][name], sample)
}

// Run has the contestants do the work by turns, so that whatever else the machine does hits all of them. A contestant
// that fails is an error if it is the loop or strict, and else is dropped.
func (c *Contest) Run(ctx context.Context) (*Results, error) {
	results := &Results{
		Clusters: len(c.Fleet.Clusters), Objects: c.Objects, Rounds: c.Rounds, Dropped: map[string]string{}, samples: map[Step]map[string][]Sample{},
	}
	for round := range c.Rounds {
		own, err := PlanNothing(ctx, c.Programs)
		if err != nil {
			return nil, err
		}
		results.Own = append(results.Own, own)
		c.Say("round %d of %d: %s: %s", round+1, c.Rounds, Nothing, report.Seconds(own.Wall))
		for _, contestant := range c.Contestants {
			if results.Dropped[contestant.Name()] != "" {
				continue
			}
			err := c.round(ctx, round, contestant, results)
			if provider, ok := contestant.(*Provider); err != nil && ok && !provider.Strict && ctx.Err() == nil {
				c.Say("%s is dropped: %v", contestant.Name(), err)
				results.Dropped[contestant.Name()] = err.Error()
				continue
			}
			if err != nil {
				return nil, err
			}
		}
	}
	for _, contestant := range c.Contestants {
		if results.Dropped[contestant.Name()] == "" {
			results.Names = append(results.Names, contestant.Name())
		}
	}
	return results, nil
}

// clean has a contestant destroy what it has made, after a failure and after an interruption, too: the fleet may be
// somebody's who keeps it.
func (c *Contest) clean(ctx context.Context, contestant Contestant, w work.Work) error {
	c.Say("%s is cleaning up", contestant.Name())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	_, err := contestant.Do(ctx, Destroy, w, nil)
	return err
}

// round has one contestant do all the steps.
func (c *Contest) round(ctx context.Context, round int, contestant Contestant, results *Results) error {
	// Every round has a namespace of its own, so that none waits for what another has left.
	w := work.New(fmt.Sprintf("bench-%d-%s", round+1, contestant.Name()), c.Objects)
	for _, step := range Steps {
		var drifts []work.Drift
		switch step {
		case PlanDrift:
			drifts = work.OneDrift(w.List())
		case PlanPercent:
			drifts = work.PercentDrift(w.List(), len(c.Fleet.Clusters))
		case ApplyEditOne:
			if work.FirstDeployment(w.List()) < 0 {
				continue
			}
			w = w.EditOne()
		case ApplyEditAll:
			w = w.EditAll()
		}
		sample, err := c.step(ctx, step, contestant, w, drifts)
		if err != nil {
			return errors.Join(err, c.clean(ctx, contestant, w))
		}
		c.Say("round %d of %d: %s: %s: %s, %d requests", round+1, c.Rounds, contestant.Name(), step, report.Seconds(sample.Wall), sample.Requests.Total())
		results.add(step, contestant.Name(), sample)
	}
	return nil
}

func (c *Contest) step(ctx context.Context, step Step, contestant Contestant, w work.Work, drifts []work.Drift) (Sample, error) {
	if len(drifts) > 0 {
		if err := floor.Drift(ctx, c.Fleet.Kubeconfig, c.Fleet.Clusters, w.List(), drifts); err != nil {
			return Sample{}, err
		}
	}
	if err := c.Counter.Begin(ctx); err != nil {
		return Sample{}, err
	}
	sample, err := contestant.Do(ctx, step, w, drifts)
	if err != nil {
		return Sample{}, err
	}
	if sample.Requests, err = c.Counter.End(ctx); err != nil {
		return Sample{}, err
	}
	if len(drifts) > 0 {
		err = contestant.Repair(ctx, w)
	}
	return sample, err
}
