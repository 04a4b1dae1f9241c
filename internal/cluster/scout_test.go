package cluster_test

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// deaf is a server that takes connections and says nothing. It counts them, and those that were given up.
func deaf(t *testing.T) (address string, opened, closed *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	opened, closed = &atomic.Int64{}, &atomic.Int64{}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			opened.Add(1)
			go func() {
				for buffer := make([]byte, 1024); ; {
					if _, err := conn.Read(buffer); err != nil {
						closed.Add(1)
						_ = conn.Close()
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String(), opened, closed
}

// TestPool_scouts has one silent server make known that the others are silent as well: they are not waited for one after the other.
func TestPool_scouts(t *testing.T) {
	const servers = 12
	opened, closed := make([]*atomic.Int64, servers), make([]*atomic.Int64, servers)
	connections := map[string]cluster.Connection{}
	for i := range servers {
		var address string
		address, opened[i], closed[i] = deaf(t)
		connections[fmt.Sprintf("edge-%d", i)] = cluster.Connection{Host: "https://" + address, Token: "secret"}
	}
	pool := cluster.NewPool(cluster.Config{Connections: connections, ConnectTimeout: 300 * time.Millisecond})
	contact := func(i int) {
		t.Helper()
		name := fmt.Sprintf("edge-%d", i)
		resolved, err := pool.Resolve(name, cluster.Connection{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = pool.Client(t.Context(), name, resolved.Access())
		var unreachable *cluster.UnreachableError
		if !errors.As(err, &unreachable) {
			t.Errorf("%s: %v, want that nobody answers", name, err)
		}
	}
	contact(0)
	fleettest.Eventually(t, "the other servers were knocked at", func() bool {
		for i := 1; i < servers; i++ {
			if n := closed[i].Load(); n == 0 || n != opened[i].Load() {
				return false
			}
		}
		return true
	})
	for i := 1; i < servers; i++ {
		before := opened[i].Load()
		contact(i)
		if n := opened[i].Load() - before; n > 0 {
			t.Errorf("edge-%d, known to be silent, got %d more connections", i, n)
		}
	}
}
