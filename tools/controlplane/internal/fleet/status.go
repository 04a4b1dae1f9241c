package fleet

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/programs"
)

// Status is what is to be seen of one cluster.
type Status struct {
	Cluster *cluster.Cluster
	// Summary is running, stopped, or says what is wrong.
	Summary string
	// Memory is the resident memory of its programs in bytes.
	Memory uint64
}

// Status looks at the processes of the fleet.
func (c *Control) Status(ctx context.Context) (*Fleet, []Status, error) {
	fleet, err := Load(c.Dir)
	if err != nil {
		return nil, nil, err
	}
	statuses := make([]Status, len(fleet.Clusters))
	for i, one := range fleet.Clusters {
		running, err := one.Processes(ctx)
		if err != nil {
			return nil, nil, err
		}
		// What is to be seen counts, also for those who read it as JSON.
		clear(one.PIDs)
		status := Status{Cluster: one}
		for _, found := range running {
			one.PIDs[found.Program] = found.PID
			status.Memory += found.Memory
		}
		status.Summary = summary(one)
		statuses[i] = status
	}
	return fleet, statuses, nil
}

func summary(one *cluster.Cluster) string {
	missing := slices.DeleteFunc(slices.Clone(programs.All), func(program string) bool { return one.PIDs[program] != 0 })
	if one.State == cluster.Running && len(missing) > 0 {
		return fmt.Sprintf("broken (ended: %s)", strings.Join(missing, ", "))
	}
	return string(one.State)
}
