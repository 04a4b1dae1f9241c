package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/errgroup"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/programs"
)

// ErrInterrupted is the cause with which a context is cancelled when somebody
// asked for an end.
var ErrInterrupted = errors.New("interrupted")

// Control works on the fleet of one directory.
type Control struct {
	// Dir is the directory as Resolve returns it.
	Dir string
	Log hclog.Logger
	// Say prints a line of progress.
	Say func(format string, args ...any)
}

// Up builds what is missing and starts a fleet. When bound is set, its programs
// end with this process. When it fails, nothing of the fleet is left but the
// logs of what failed.
func (c *Control) Up(ctx context.Context, plan Plan, supply *programs.Supply, bound bool) (*Fleet, error) {
	if err := plan.Check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the fleet's directory: %w", explainWrite(err, c.Dir))
	}
	lock, err := c.lock(ctx)
	if err != nil {
		return nil, errors.Join(err, removeDir(c.Dir))
	}
	fleet, err := c.up(ctx, plan, supply, bound)
	return fleet, errors.Join(err, c.unlock(lock))
}

func (c *Control) up(ctx context.Context, plan Plan, supply *programs.Supply, bound bool) (*Fleet, error) {
	if err := c.vacant(ctx); err != nil {
		return nil, err
	}
	if err := c.unused(plan); err != nil {
		return nil, err
	}
	// A start that failed before has left its logs to be read; they would be
	// mistaken for those of this one.
	if err := os.RemoveAll(logDir(c.Dir)); err != nil {
		return nil, fmt.Errorf("removing old logs: %w", err)
	}
	fleet, err := c.plan(ctx, plan, supply)
	if err != nil {
		return nil, err
	}
	// From here on down knows what to clean up, whatever happens to this process.
	if err := fleet.save(); err != nil {
		return nil, explainWrite(err, c.Dir)
	}
	start := time.Now()
	err = c.startAll(ctx, fleet, bound)
	if err == nil {
		err = fleet.writeKubeconfig()
	}
	if err == nil {
		err = fleet.update(func() { fleet.State = cluster.Running })
	}
	if err != nil {
		return nil, c.abandon(ctx, fleet, err)
	}
	c.Say("the fleet of %d is ready after %s", len(fleet.Clusters), seconds(start))
	return fleet, nil
}

// vacant fails when the directory holds a fleet already.
func (c *Control) vacant(ctx context.Context) error {
	present, err := Load(c.Dir)
	if errors.Is(err, ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	running, err := cluster.Processes(ctx, c.Dir)
	if err != nil {
		return err
	}
	switch {
	case present.State != cluster.Running:
		return fmt.Errorf("%s holds what is left of an up that was cut off; clean it up with `controlplane down --dir %s`", c.Dir, c.Dir)
	case len(running) == 0:
		return fmt.Errorf("%s holds a fleet of which nothing runs; use `controlplane start` for its clusters, or `controlplane down --dir %s`", c.Dir, c.Dir)
	default:
		return fmt.Errorf("a fleet (%s) runs in %s; take it down with `controlplane down --dir %s`, or choose another --dir", strings.Join(present.names(), ", "), c.Dir, c.Dir)
	}
}

// unused fails when something that is not a fleet's has a name the fleet is to
// use: down would remove it.
func (c *Control) unused(plan Plan) error {
	names := []string{"kubeconfig"}
	for _, m := range plan.members("", "") {
		names = append(names, m.name)
	}
	for _, name := range names {
		path := filepath.Join(c.Dir, name)
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s exists and is not of a fleet; remove it or choose another --dir", path)
		}
	}
	return nil
}

// plan gets the programs and describes the clusters.
func (c *Control) plan(ctx context.Context, plan Plan, supply *programs.Supply) (*Fleet, error) {
	releases := supply.Catalog.Kubernetes
	newest, older := releases[0].Version, releases[min(1, len(releases)-1)].Version
	members := plan.members(newest, older)
	sets := make([]programs.Set, len(members))
	for i, m := range members {
		set, err := supply.Set(ctx, m.version)
		if err != nil {
			return nil, err
		}
		sets[i] = set
	}
	kubectl, err := supply.Kubectl(ctx)
	if err != nil {
		return nil, err
	}
	ports, err := choosePorts(ctx, len(members), plan.Port)
	if err != nil {
		return nil, err
	}
	clusters := make([]*cluster.Cluster, len(members))
	for i, m := range members {
		version := sets[i].Version
		clusters[i] = cluster.New(c.Dir, m.name, m.region, version, programs.Minor(version), plan.Nodes, ports[i], sets[i].Paths)
	}
	return newFleet(c.Dir, kubectl, clusters), nil
}

func (c *Control) startAll(ctx context.Context, fleet *Fleet, bound bool) error {
	starter := &cluster.Starter{Log: c.Log, Bound: bound, Record: fleet.record}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce())
	for _, one := range fleet.Clusters {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			start := time.Now()
			if err := one.Prepare(); err != nil {
				return explainWrite(err, c.Dir)
			}
			if err := starter.Start(ctx, one); err != nil {
				return err
			}
			c.Say("%-8s %s  %s  ready in %s", one.Name, one.Version, one.Host, seconds(start))
			return fleet.update(func() { one.State = cluster.Running })
		})
	}
	return group.Wait()
}

// atOnce is how many clusters start at the same time: starting one keeps a core
// busy for half of the time and waits for the other half.
func atOnce() int { return runtime.NumCPU() + 1 }

// abandon undoes a start that failed.
func (c *Control) abandon(ctx context.Context, fleet *Fleet, err error) error {
	c.Say("stopping what was started")
	interrupted := errors.Is(context.Cause(ctx), ErrInterrupted)
	if undone := c.takeDown(context.WithoutCancel(ctx), fleet, !interrupted); undone != nil {
		return errors.Join(err, undone)
	}
	if interrupted {
		return err
	}
	return fmt.Errorf("%w\nthe fleet is taken down again; its logs are in %s", err, logDir(c.Dir))
}

func seconds(start time.Time) string {
	return fmt.Sprintf("%.1f s", time.Since(start).Seconds())
}
