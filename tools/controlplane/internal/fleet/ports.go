package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"

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
		if err := tryPort(port); err != nil {
			holder := process.Holder(ctx, port)
			if holder == "" {
				holder = "another program"
			}
			return nil, fmt.Errorf("port %d is taken by %s; choose another --port, or leave it out to use free ones: %w", port, holder, err)
		}
		ports[i].API, taken[port] = port, true
	}
	for i := range ports {
		for _, port := range []*int{&ports[i].API, &ports[i].EtcdClient, &ports[i].EtcdPeer} {
			if *port != 0 {
				continue
			}
			free, err := freePort(taken)
			if err != nil {
				return nil, err
			}
			*port = free
		}
	}
	return ports, nil
}

func freePort(taken map[int]bool) (int, error) {
	const attempts = 1000
	for range attempts {
		port := lowestPort + rand.IntN(highestPort-lowestPort+1)
		if taken[port] || tryPort(port) != nil {
			continue
		}
		taken[port] = true
		return port, nil
	}
	return 0, errors.New("no free port on 127.0.0.1 between 20000 and 29999")
}

func tryPort(port int) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	return listener.Close()
}
