package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/process"
	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/programs"
)

// grace is how long programs may take to end by themselves.
const grace = 8 * time.Second

// Stop ends the programs of this cluster.
func (c *Cluster) Stop(ctx context.Context) error {
	return stop(ctx, c.owns)
}

// StopAll ends the programs of every cluster below a fleet's directory.
func StopAll(ctx context.Context, fleetDir string) error {
	return stop(ctx, below(fleetDir))
}

// Processes lists the running programs of every cluster below a fleet's
// directory.
func Processes(ctx context.Context, fleetDir string) ([]process.Found, error) {
	return process.Find(ctx, programs.All, below(fleetDir))
}

// Processes lists the running programs of this cluster.
func (c *Cluster) Processes(ctx context.Context) ([]process.Found, error) {
	return process.Find(ctx, programs.All, c.owns)
}

func (c *Cluster) owns(dir string) bool { return dir == c.Dir }

func below(fleetDir string) func(string) bool {
	return func(dir string) bool { return filepath.Dir(dir) == fleetDir }
}

// stop ends etcd last: what still writes to it would otherwise wait for it.
func stop(ctx context.Context, owns func(dir string) bool) error {
	others := slices.DeleteFunc(slices.Clone(programs.All), func(program string) bool { return program == programs.Etcd })
	for _, names := range [][]string{others, {programs.Etcd}} {
		err := process.Stop(ctx, grace, func(ctx context.Context) ([]process.Found, error) {
			return process.Find(ctx, names, owns)
		})
		if err != nil {
			return fmt.Errorf("stopping clusters: %w", err)
		}
	}
	return nil
}
