package contest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/fleets"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/floor"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/usage"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/work"
)

// FloorName is what results call the client-go loop.
const FloorName = "client-go"

// FloorCommand is this program's argument that has it do a floor.Task.
const FloorCommand = "floor"

// actions say what the loop does in the place of a step.
var actions = map[Step]string{
	FirstApply: floor.Apply, PlanSame: floor.List, PlanDrift: floor.Compare, PlanPercent: floor.Compare,
	ApplyEditOne: floor.ApplyOne, ApplyEditAll: floor.Apply, Destroy: floor.Delete,
}

// Floor is the contestant that no provider can beat: the client-go loop, in a process of its own.
type Floor struct{ Fleet *fleets.Fleet }

// Name implements Contestant.
func (f *Floor) Name() string { return FloorName }

// Close implements Contestant.
func (f *Floor) Close() error { return nil }

// Do implements Contestant. The time by the clock is that of the loop, without the start of its process.
func (f *Floor) Do(ctx context.Context, step Step, w work.Work, drifts []work.Drift) (Sample, error) {
	cost, err := f.task(ctx, actions[step], w, drifts)
	return Sample{Cost: cost}, err
}

// Repair implements Contestant.
func (f *Floor) Repair(ctx context.Context, w work.Work) error {
	_, err := f.task(ctx, floor.Apply, w, nil)
	return err
}

func (f *Floor) task(ctx context.Context, action string, w work.Work, drifts []work.Drift) (usage.Cost, error) {
	self, err := os.Executable()
	if err != nil {
		return usage.Cost{}, err
	}
	task, err := json.Marshal(floor.Task{Action: action, Kubeconfig: f.Fleet.Kubeconfig, Clusters: f.Fleet.Clusters, Work: w, Drifts: drifts})
	if err != nil {
		return usage.Cost{}, err
	}
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, self, FloorCommand)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(task), &out, &complaints
	cost, err := usage.Run(cmd, "")
	if err != nil {
		return cost, fmt.Errorf("%s %s: %w\n%s", FloorName, action, err, complaints.String())
	}
	var result floor.Result
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		return cost, fmt.Errorf("%s %s: reading its result: %w", FloorName, action, err)
	}
	cost.Wall = result.Wall
	return cost, nil
}
