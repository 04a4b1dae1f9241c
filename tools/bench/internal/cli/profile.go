package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/config"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/contest"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/fleets"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/work"
)

// envProfile is what the provider, built with the tag profile, reads the directory for its profiles from.
const envProfile = "FLEET_PROFILE_DIR"

// profileOptions are those of bench profile.
type profileOptions struct {
	*options
	shapes    shapes
	dir, dest string
	simulated string
	top       int
	cum       bool
	plans     int
}

func runProfile(ctx context.Context, args []string, opts *options) (err error) {
	o := &profileOptions{options: opts, shapes: shapes{{4, 21}}}
	flags := opts.flags("profile")
	flags.Var(&o.shapes, "shape", "CLUSTERSxOBJECTS")
	flags.StringVar(&o.dir, "dir", "", "use the fleet of tools/controlplane that is up in this directory (default: bring one up)")
	flags.StringVar(&o.controlplane, "controlplane", "build/controlplane", "the program of tools/controlplane, for bringing a fleet up")
	flags.StringVar(&o.simulated, "simulated", "", "use the fleet that fleetsim serves and describes in this directory")
	flags.StringVar(&o.dest, "out", "build/profiles", "where profiles are written: STEP/cpu-*.pprof and STEP/heap-*.pprof")
	flags.IntVar(&o.top, "top", 25, "how many entries of each profile to print")
	flags.BoolVar(&o.cum, "cum", false, "sort by what is spent in a function and what it calls")
	flags.IntVar(&o.plans, "plans", 5, "how often to plan without changes; one plan is too short for a good profile")
	if err := o.parse(flags, args); err != nil {
		return err
	}
	switch {
	case len(o.shapes) != 1:
		return usageError{errors.New("a profile is of one shape")}
	case o.dir != "" && o.simulated != "":
		return usageError{errors.New("-dir and -simulated exclude each other")}
	}
	if o.dest, err = filepath.Abs(o.dest); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fleet-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.say("building the provider with profiling")
	if o.provider, err = o.provide(ctx, dir, "-tags", "profile"); err != nil {
		return err
	}
	programs, err := o.programs(ctx, dir)
	if err != nil {
		return err
	}
	fleet, down, err := o.find(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, down()) }()
	return o.profile(ctx, programs, fleet)
}

// find is the fleet to profile on.
func (o *profileOptions) find(ctx context.Context) (*fleets.Fleet, func() error, error) {
	if o.simulated == "" {
		return o.fleet(ctx, o.dir, o.shapes[0].clusters)
	}
	fleet, down, err := o.serve(ctx, o.simulated, 0)
	if err != nil {
		return nil, nil, err
	}
	part, err := fleet.First(o.shapes[0].clusters)
	return part, down, err
}

// profile goes through a round, and prints the top of the profiles of each step.
func (o *profileOptions) profile(ctx context.Context, programs contest.Programs, fleet *fleets.Fleet) (err error) {
	contestant, err := contest.NewProvider(programs, config.Fleet, o.provider, fleet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, contestant.Close()) }()
	w := work.New("bench-profile", o.shapes[0].objects)
	for _, step := range []struct {
		step  contest.Step
		name  string
		work  work.Work
		times int
	}{
		{contest.FirstApply, "apply", w, 1}, {contest.PlanSame, "plan", w, o.plans},
		{contest.ApplyEditAll, "apply-edit", w.EditAll(), 1}, {contest.Destroy, "destroy", w.EditAll(), 1},
	} {
		dest := filepath.Join(o.dest, step.name)
		if err := errors.Join(os.RemoveAll(dest), os.MkdirAll(dest, 0o755)); err != nil {
			return err
		}
		contestant.Env = []string{envProfile + "=" + dest}
		o.say("%s", step.step)
		for range step.times {
			if _, err := contestant.Do(ctx, step.step, step.work, nil); err != nil {
				return err
			}
		}
		if err := o.print(ctx, step.name, dest); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(o.out, "\nThe profiles are in %s; look closer with\n  go tool pprof -http : %s\n", o.dest, filepath.Join(o.dest, "plan", "cpu-*.pprof"))
	return err
}

// print prints the top of the profiles of all provider processes of a step together.
func (o *profileOptions) print(ctx context.Context, name, dir string) error {
	for _, kind := range []struct{ title, pattern, index string }{
		{"processor time", "cpu-*.pprof", "cpu"},
		{"memory allocated in all", "heap-*.pprof", "alloc_space"},
	} {
		files, err := filepath.Glob(filepath.Join(dir, kind.pattern))
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("the provider wrote no %s to %s: it has to be built with -tags profile", kind.pattern, dir)
		}
		args := append([]string{"tool", "pprof", "-top", "-nodecount", fmt.Sprint(o.top), "-sample_index", kind.index, fmt.Sprintf("-cum=%t", o.cum)}, files...)
		out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("go tool pprof: %w\n%s", err, out)
		}
		if _, err := fmt.Fprintf(o.out, "\n%s: %s\n\n%s", name, kind.title, out); err != nil {
			return err
		}
	}
	return nil
}
