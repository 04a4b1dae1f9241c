package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/cluster"
)

// Down stops the fleet and removes everything of it. It returns ErrNone when
// there was none. When id is not empty, a fleet of another id is left alone.
func (c *Control) Down(ctx context.Context, id string) error {
	if _, err := os.Stat(c.Dir); errors.Is(err, os.ErrNotExist) {
		return c.downWithoutState(ctx)
	}
	lock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	return errors.Join(c.down(ctx, id), c.unlock(lock))
}

func (c *Control) down(ctx context.Context, id string) error {
	fleet, err := Load(c.Dir)
	if errors.Is(err, ErrNone) {
		return c.downWithoutState(ctx)
	}
	if err != nil {
		return err
	}
	if id != "" && fleet.ID != id {
		return fmt.Errorf("%w of this command in %s any more", ErrNone, c.Dir)
	}
	return c.takeDown(ctx, fleet, false)
}

// downWithoutState cleans up when fleet.json is not there: what a failed start
// left for reading, and programs of a fleet whose files somebody removed.
func (c *Control) downWithoutState(ctx context.Context) error {
	left, err := cluster.Processes(ctx, c.Dir)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		c.Say("stopping %d programs of a fleet that has lost its fleet.json", len(left))
		if err := cluster.StopAll(ctx, c.Dir); err != nil {
			return err
		}
		return nil
	}
	if err := os.RemoveAll(logDir(c.Dir)); err != nil {
		return fmt.Errorf("removing old logs: %w", err)
	}
	return fmt.Errorf("%w in %s", ErrNone, c.Dir)
}

// takeDown removes fleet.json last, so that it can be repeated if it is cut off.
func (c *Control) takeDown(ctx context.Context, fleet *Fleet, keepLogs bool) error {
	if err := cluster.StopAll(ctx, c.Dir); err != nil {
		return err
	}
	var errs []error
	for _, one := range fleet.Clusters {
		// Only what this program made is removed, whatever fleet.json says.
		errs = append(errs, os.RemoveAll(filepath.Join(c.Dir, filepath.Base(one.Name))))
	}
	if !keepLogs {
		errs = append(errs, os.RemoveAll(logDir(c.Dir)))
	}
	kubeconfig := filepath.Join(c.Dir, "kubeconfig")
	errs = append(errs, removeIfThere(kubeconfig), removeIfThere(kubeconfig+".new"), removeIfThere(statePath(c.Dir)+".new"))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("removing the fleet's files: %w", err)
	}
	return removeIfThere(statePath(c.Dir))
}

func logDir(dir string) string { return filepath.Join(dir, cluster.LogDirName) }

func (c *Control) lock(ctx context.Context) (*flock.Flock, error) {
	return lockDir(ctx, c.Dir, func() { c.Say("waiting for another controlplane command on %s", c.Dir) })
}

// unlock removes the lock file and the directory if they are of no use any more.
func (c *Control) unlock(lock *flock.Flock) error {
	var errs []error
	if _, err := os.Stat(statePath(c.Dir)); errors.Is(err, os.ErrNotExist) {
		errs = append(errs, removeIfThere(lockPath(c.Dir)), removeDir(c.Dir))
	}
	if err := lock.Close(); err != nil {
		errs = append(errs, fmt.Errorf("unlocking %s: %w", c.Dir, err))
	}
	return errors.Join(errs...)
}
