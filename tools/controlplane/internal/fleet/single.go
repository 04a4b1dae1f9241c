package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/programs"
)

// Stop stops one cluster and keeps its data.
func (c *Control) Stop(ctx context.Context, name string) error {
	return c.withCluster(ctx, name, func(fleet *Fleet, one *cluster.Cluster) error {
		running, err := one.Processes(ctx)
		if err != nil {
			return err
		}
		if len(running) == 0 && one.State == cluster.Stopped {
			c.Say("%s is stopped already", name)
			return nil
		}
		start := time.Now()
		if err := halt(ctx, fleet, one); err != nil {
			return err
		}
		c.Say("%s stopped in %s", name, seconds(start))
		return nil
	})
}

// Start starts one cluster that was stopped, with the data, port and
// certificates it had.
func (c *Control) Start(ctx context.Context, name string) error {
	return c.withCluster(ctx, name, func(fleet *Fleet, one *cluster.Cluster) error {
		running, err := one.Processes(ctx)
		if err != nil {
			return err
		}
		if len(running) == len(programs.All) {
			c.Say("%s is running already", name)
			return nil
		}
		// Some of its programs may run if one of them has crashed.
		if err := halt(ctx, fleet, one); err != nil {
			return err
		}
		start := time.Now()
		starter := &cluster.Starter{Log: c.Log, Record: fleet.record}
		if err := starter.Start(ctx, one); err != nil {
			return errors.Join(err, halt(context.WithoutCancel(ctx), fleet, one))
		}
		c.Say("%s ready in %s at %s", name, seconds(start), one.Host)
		return fleet.update(func() { one.State = cluster.Running })
	})
}

func halt(ctx context.Context, fleet *Fleet, one *cluster.Cluster) error {
	if err := one.Stop(ctx); err != nil {
		return err
	}
	return fleet.update(func() {
		one.State = cluster.Stopped
		clear(one.PIDs)
	})
}

func (c *Control) withCluster(ctx context.Context, name string, do func(*Fleet, *cluster.Cluster) error) error {
	// Without a fleet there is to be no lock file either.
	if _, err := Load(c.Dir); err != nil {
		return err
	}
	lock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	err = func() error {
		fleet, err := Load(c.Dir)
		if err != nil {
			return err
		}
		one, err := fleet.Cluster(name)
		if err != nil {
			return err
		}
		return do(fleet, one)
	}()
	return errors.Join(err, c.unlock(lock))
}
