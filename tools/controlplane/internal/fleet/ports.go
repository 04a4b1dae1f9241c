package fleet

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/process"
)

// Ports are taken below the range from which systems take those of outgoing
// connections, so that a stopped cluster's port is still free when it starts.
const (
	lowestPort  = 20000
	highestPort = 29999
)

// choosePorts returns free ports for count clusters, the API servers' from first
// on, if it is not 0.
func choosePorts(ctx context.Context, count, first int) ([]cluster.Ports, error) {
	taken := map[int]bool{}
	ports := make([]cluster.Ports, count)
	for i := range ports {
		if first == 0 {
			continue
		}
		port := first + i
		if err := process.PortFree(ctx, port); err != nil {
			return nil, fmt.Errorf("%w; choose another --port, or leave it out to use free ones", err)
		}
		ports[i].API, taken[port] = port, true
	}
	for i := range ports {
		for _, port := range []*int{&ports[i].API, &ports[i].EtcdClient, &ports[i].EtcdPeer} {
			if *port != 0 {
				continue
			}
			free, err := freePort(ctx, taken)
			if err != nil {
				return nil, err
			}
			*port = free
		}
	}
	return ports, nil
}

func freePort(ctx context.Context, taken map[int]bool) (int, error) {
	const attempts = 1000
	for range attempts {
		port := lowestPort + rand.IntN(highestPort-lowestPort+1)
		if taken[port] || process.PortFree(ctx, port) != nil {
			continue
		}
		taken[port] = true
		return port, nil
	}
	return 0, fmt.Errorf("no free port on 127.0.0.1 between %d and %d", lowestPort, highestPort)
}
