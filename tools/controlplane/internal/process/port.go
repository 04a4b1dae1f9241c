package process

import (
	"context"
	"fmt"
	"net"

	psnet "github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"
)

// PortFree fails when a TCP port of the loopback address is taken, and says by
// whom.
func PortFree(ctx context.Context, port int) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return fmt.Errorf("port %d is taken by %s: %w", port, holder(ctx, port), err)
	}
	if err := listener.Close(); err != nil {
		return fmt.Errorf("trying port %d: %w", port, err)
	}
	return nil
}

// holder describes the process that listens on a port as well as this user may
// see it.
func holder(ctx context.Context, port int) string {
	const unknown = "another program"
	connections, err := psnet.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return unknown
	}
	for _, connection := range connections {
		if connection.Status != "LISTEN" || int(connection.Laddr.Port) != port || connection.Pid == 0 {
			continue
		}
		description := fmt.Sprintf("process %d", connection.Pid)
		if listening, err := process.NewProcessWithContext(ctx, connection.Pid); err == nil {
			if name, err := listening.NameWithContext(ctx); err == nil {
				description = name + ", " + description
			}
		}
		return description
	}
	return unknown
}
