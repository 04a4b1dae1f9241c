// Package contest has contestants do the same work on the same fleet, by turns, and keeps what each step cost.
package contest

import (
	"context"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/requests"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/usage"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/work"
)

// Step is one thing that is measured.
type Step string

// The steps, as results call them.
const (
	// Nothing is a plan of a configuration without providers: Terraform's own share.
	Nothing      Step = "plan of nothing"
	FirstApply   Step = "first apply"
	PlanSame     Step = "plan, no change"
	PlanDrift    Step = "plan, 1 field drifted"
	PlanPercent  Step = "plan, 1 % of objects drifted"
	ApplyEditOne Step = "apply, 1 object edited"
	ApplyEditAll Step = "apply, every object edited"
	Destroy      Step = "destroy"
)

// Steps are the steps of a round, in order.
var Steps = []Step{FirstApply, PlanSame, PlanDrift, PlanPercent, ApplyEditOne, ApplyEditAll, Destroy}

// Sample is what one step cost one contestant once.
type Sample struct {
	usage.Cost
	// Requests are what the API servers were asked, of all clusters together.
	Requests requests.Counts
	// State and Plan are the sizes of the state and of the plan as JSON, in bytes; 0 where there is none.
	State, Plan int64
}

// Contestant is somebody who does the work.
type Contestant interface {
	// Name is what results call it.
	Name() string
	// Do does a step that is measured. w is the work as it is to be after the step, and drifts are what somebody changed
	// before it.
	Do(ctx context.Context, step Step, w work.Work, drifts []work.Drift) (Sample, error)
	// Repair puts back what drifted, and is not measured.
	Repair(ctx context.Context, w work.Work) error
	// Close removes what Do left on this machine.
	Close() error
}
