// Package fleets finds the clusters that a benchmark runs on: a fleet of real ones that it brings up or that is up
// already, or a simulated one.
package fleets

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/floor"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/requests"
)

// Fleet is some clusters.
type Fleet struct {
	// Kubeconfig is the path of a kubeconfig with one context for each cluster.
	Kubeconfig string
	// Clusters are the contexts' names.
	Clusters []string
	// About says in a few words what kind of fleet it is.
	About string
	// logs are the audit logs of real clusters, in the clusters' order.
	logs []string
}

// Up brings up a fleet of n real clusters in a directory of its own, with the program of tools/controlplane, whose
// progress goes to say. It lives until down is called, or this process ends.
func Up(ctx context.Context, controlplane string, n int, say io.Writer) (fleet *Fleet, down func() error, err error) {
	parent, err := os.MkdirTemp("", "fleet-bench-")
	if err != nil {
		return nil, nil, err
	}
	dir := filepath.Join(parent, "fleet")
	// Not bound to ctx: an interrupted benchmark still takes its fleet down in good order.
	cmd := exec.Command(controlplane, "up", "--attach", "--dir", dir, "--clusters", strconv.Itoa(n), "--nodes", "1")
	cmd.Stderr = say
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("bringing up a fleet: %w (make controlplane builds the program)", err)
	}
	down = func() error {
		_ = hold.Close() // closed before where ctx has ended
		return errors.Join(cmd.Wait(), os.RemoveAll(parent))
	}
	defer context.AfterFunc(ctx, func() { _ = hold.Close() })()
	if lines := bufio.NewScanner(ready); !lines.Scan() || lines.Text() != "ready" {
		return nil, nil, errors.Join(errors.New("the fleet did not come up"), ctx.Err(), down())
	}
	fleet, err = Open(dir)
	if err != nil {
		return nil, nil, errors.Join(err, down())
	}
	return fleet, down, nil
}

// Open finds the fleet of real clusters that is up in a directory.
func Open(dir string) (*Fleet, error) {
	content, err := os.ReadFile(filepath.Join(dir, "fleet.json"))
	if err != nil {
		return nil, fmt.Errorf("no fleet is up in %s: %w", dir, err)
	}
	var described struct {
		Kubeconfig string
		Clusters   []struct{ Name, Version, AuditLog string }
	}
	if err := json.Unmarshal(content, &described); err != nil {
		return nil, fmt.Errorf("reading fleet.json: %w", err)
	}
	fleet := &Fleet{Kubeconfig: described.Kubeconfig}
	versions := ""
	for i, cluster := range described.Clusters {
		fleet.Clusters = append(fleet.Clusters, cluster.Name)
		fleet.logs = append(fleet.logs, cluster.AuditLog)
		if i > 0 {
			versions += ", "
		}
		versions += cluster.Version
	}
	fleet.About = "real API servers: " + versions
	return fleet, nil
}

// First is the part of the fleet that the first n clusters are.
func (f *Fleet) First(n int) (*Fleet, error) {
	if n > len(f.Clusters) {
		return nil, fmt.Errorf("the fleet has %d clusters, and %d are asked for", len(f.Clusters), n)
	}
	part := *f
	part.Clusters = f.Clusters[:n]
	if f.logs != nil {
		part.logs = f.logs[:n]
	}
	return &part, nil
}

// Counter counts the requests to a real fleet.
func (f *Fleet) Counter() (requests.Counter, error) {
	configs, err := floor.Configs(f.Kubeconfig, f.Clusters, requests.UserAgent)
	if err != nil {
		return nil, err
	}
	var clusters []requests.Logged
	for i, name := range f.Clusters {
		clusters = append(clusters, requests.Logged{Name: name, Path: f.logs[i], Config: configs[i]})
	}
	return requests.NewAudit(clusters)
}
