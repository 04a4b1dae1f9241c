package contest

import (
	"context"
	"fmt"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/config"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/fleets"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/work"
)

// Provider is a contestant that does the work with Terraform.
type Provider struct {
	// Strict makes a plan that should have changes and has none an error, and the other way round.
	Strict bool
	// Setup is what the configuration is made of, besides the work.
	Setup config.Setup
	// Args are further arguments of plan, apply and destroy.
	Args []string

	*Workspace
	provider config.Provider
}

// NewProvider is a contestant for a provider's program on a fleet.
func NewProvider(programs Programs, provider config.Provider, program string, fleet *fleets.Fleet) (*Provider, error) {
	space, err := NewWorkspace(programs, provider, program)
	if err != nil {
		return nil, err
	}
	setup := config.Setup{Kubeconfig: fleet.Kubeconfig, Clusters: fleet.Clusters}
	return &Provider{Workspace: space, provider: provider, Setup: setup}, nil
}

// Name implements Contestant.
func (p *Provider) Name() string { return p.provider.Name }

// Do implements Contestant.
func (p *Provider) Do(ctx context.Context, step Step, w work.Work, _ []work.Drift) (Sample, error) {
	if err := p.Configure(w); err != nil {
		return Sample{}, err
	}
	sample, err := p.do(ctx, step)
	if err != nil {
		return sample, fmt.Errorf("%s, %s: %w", p.Name(), step, err)
	}
	sample.State = p.StateSize()
	return sample, nil
}

// Configure writes the configuration that puts the work on the fleet.
func (p *Provider) Configure(w work.Work) error {
	p.Setup.Work = w
	files, err := p.provider.Files(p.Setup)
	if err != nil {
		return err
	}
	return p.Write(files)
}

func (p *Provider) do(ctx context.Context, step Step) (Sample, error) {
	switch step {
	case PlanSame, PlanDrift, PlanPercent:
		cost, changes, size, err := p.Plan(ctx, p.Args...)
		if err == nil && p.Strict && changes != (step != PlanSame) {
			err = fmt.Errorf("the plan has changes: %t, which is wrong, so its time says nothing", changes)
		}
		return Sample{Cost: cost, Plan: size}, err
	case Destroy:
		cost, _, err := p.Run(ctx, append([]string{"destroy", "-no-color", "-auto-approve"}, p.Args...))
		return Sample{Cost: cost}, err
	default:
		cost, _, err := p.Run(ctx, append([]string{"apply", "-no-color", "-auto-approve"}, p.Args...))
		return Sample{Cost: cost}, err
	}
}

// Repair implements Contestant.
func (p *Provider) Repair(ctx context.Context, w work.Work) error {
	_, err := p.Do(ctx, ApplyEditAll, w, nil)
	return err
}

// PlanNothing measures a plan of a configuration without providers.
func PlanNothing(ctx context.Context, programs Programs) (Sample, error) {
	space, err := NewWorkspace(programs, config.Provider{}, "")
	if err != nil {
		return Sample{}, err
	}
	defer func() { _ = space.Close() }()
	if err := space.Write(config.Empty()); err != nil {
		return Sample{}, err
	}
	cost, _, size, err := space.Plan(ctx)
	return Sample{Cost: cost, Plan: size}, err
}
