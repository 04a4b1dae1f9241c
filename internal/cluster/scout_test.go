package cluster_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
)

// deaf is a server that takes connections and says nothing. It counts them.
func deaf(t *testing.T) (address string, opened *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	opened = &atomic.Int64{}
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
						_ = conn.Close()
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String(), opened
}

// mute is a server that agrees on encryption and answers nothing. It counts requests.
func mute(t *testing.T) (address string, opened *atomic.Int64) {
	t.Helper()
	opened = &atomic.Int64{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		opened.Add(1)
		<-req.Context().Done()
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), opened
}

// TestPool_scouts has one silent server make known that the others are silent as well: they are not waited for one after the other.
func TestPool_scouts(t *testing.T) {
	const servers = 12
	opened := make([]*atomic.Int64, servers)
	connections := map[string]cluster.Connection{}
	for i := range servers {
		var address string
		if i%2 == 0 {
			address, opened[i] = deaf(t)
		} else {
			address, opened[i] = mute(t)
		}
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
	pool.Scouted()
	for i := 1; i < servers; i++ {
		if opened[i].Load() == 0 {
			t.Errorf("nobody asked edge-%d", i)
		}
	}
	for i := 1; i < servers; i++ {
		before := opened[i].Load()
		contact(i)
		if n := opened[i].Load() - before; n > 0 {
			t.Errorf("edge-%d, known to be silent, was asked %d more times", i, n)
		}
	}
}
