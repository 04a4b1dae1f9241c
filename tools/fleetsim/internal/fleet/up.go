// Package fleet runs a fleet of simulated clusters in this process and describes it in a directory.
package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/apiserver"
	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/endpoint"
	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/store"
)

// domain is what the clusters' names in certificates end with.
const domain = ".fleet.test"

// regions are the clusters' regions in turn.
var regions = []string{"eu", "us", "ap"}

// MaxClusters is how many clusters a fleet may have: each takes a port, of which a machine has 64,000.
const MaxClusters = 10000

// Plan says what fleet to run.
type Plan struct {
	// Dir is where the fleet is described. It is made if it is not there.
	Dir string
	// Count is how many clusters there are.
	Count int
	// Port is the first cluster's, the others following; 0 chooses free ones.
	Port int
	// Knobs are the faults at first, as JSON.
	Knobs []byte
	// Seed is what random faults come from.
	Seed uint64
}

// Names are the clusters' names: sim-0001 and so on.
func (p Plan) Names() []string {
	names := make([]string, p.Count)
	for i := range names {
		names[i] = fmt.Sprintf("sim-%04d", i+1)
	}
	return names
}

// Garbage is collected when the heap has grown by this much, in percent, or towards this size, in bytes. A fleet's heap is small and the processor is shared with
// what is measured.
const (
	heapGrowth = 300
	heapLimit  = 900 << 20
)

// Up runs the fleet until the context ends. When all clusters answer, and are described in the directory, it calls ready.
func Up(ctx context.Context, p Plan, ready func(*File) error) (err error) {
	debug.SetGCPercent(heapGrowth)
	debug.SetMemoryLimit(heapLimit)
	dir, err := filepath.Abs(p.Dir)
	if err != nil {
		return fmt.Errorf("find the directory: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "fleet.json")); err == nil {
		return fmt.Errorf("%s has a fleet already; take it down, or remove its fleet.json if nothing of it runs any more", dir)
	}
	signer, err := newAuthority(filepath.Join(dir, "pki"))
	if err != nil {
		return err
	}
	f := &File{State: "running", Dir: dir, Kubeconfig: filepath.Join(dir, "kubeconfig"), Simulated: true, PID: os.Getpid()}
	certificate, err := signer.server()
	if err := errors.Join(err, signer.admin()); err != nil {
		return err
	}
	faults := endpoint.NewFaults(p.Names(), p.Seed)
	if _, err := faults.Set(p.Knobs); err != nil {
		return err
	}
	server := endpoint.NewServer(signer.config(certificate), faults)
	if err := f.populate(ctx, p, server, faults); err != nil {
		return err
	}
	stop, err := f.administer(ctx, endpoint.Admin(faults, server))
	if err != nil {
		return err
	}
	if err := errors.Join(server.Adjust(ctx), f.write()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop(), f.remove()) }()
	if err := ready(f); err != nil {
		return err
	}
	return server.Wait(ctx)
}

// populate makes the clusters and serves them.
func (f *File) populate(ctx context.Context, p Plan, server *endpoint.Server, faults *endpoint.Faults) error {
	api, err := apiserver.New()
	if err != nil {
		return err
	}
	pki := func(name string) string { return filepath.Join(f.Dir, "pki", name) }
	for i, name := range p.Names() {
		cluster := store.NewCluster(name)
		if err := api.Bootstrap(ctx, cluster); err != nil {
			return err
		}
		token, port := name+"."+rand.Text(), 0
		if p.Port != 0 {
			port = p.Port + i
		}
		if port, err = server.Listen(ctx, endpoint.New(cluster, token, api, faults), port); err != nil {
			return err
		}
		f.Clusters = append(f.Clusters, Cluster{
			Name: name, Version: apiserver.Version, Minor: "1." + apiserver.Minor, State: "running", Region: regions[i%len(regions)],
			Host: fmt.Sprintf("https://127.0.0.1:%d", port), ServerName: name + domain, Ports: Ports{API: port},
			CAFile: pki("ca.crt"), CAKeyFile: pki("ca.key"), ClientCertFile: pki("admin.crt"), ClientKeyFile: pki("admin.key"), token: token,
		})
	}
	return nil
}

// administer serves the knobs, to whoever is on this machine: there is nothing behind them but simulated clusters.
func (f *File) administer(ctx context.Context, handler http.Handler) (stop func() error, err error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the knobs: %w", err)
	}
	f.Admin = "http://" + listener.Addr().String()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		// It ends when it is closed.
		_ = server.Serve(listener)
	}()
	return server.Close, nil
}
