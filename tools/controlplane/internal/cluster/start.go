package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/process"
	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/programs"
)

// patience is how long a program may take to be ready. A cold disk and a dozen
// clusters on two cores have to fit.
const patience = 2 * time.Minute

// Starter starts clusters.
type Starter struct {
	Log hclog.Logger
	// Bound ends the programs when this process dies.
	Bound bool
	// Record is called, with the cluster's PIDs changed, as each program starts.
	Record func(c *Cluster, program string, pid int) error
}

// Start starts the cluster's programs and returns once Pods can be created and
// scheduled. When it fails, some of them may run.
func (s *Starter) Start(ctx context.Context, c *Cluster) error {
	if err := c.portsFree(ctx); err != nil {
		return err
	}
	// Whatever ends too early ends the waiting, with its own words as the cause.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begin := time.Now()
	for _, stage := range []struct {
		programs []string
		ready    func(context.Context) error
	}{
		{[]string{programs.Etcd}, c.waitForEtcd},
		{[]string{programs.APIServer}, c.waitForAPI},
		{[]string{programs.ControllerManager, programs.Scheduler, programs.Kwok}, c.waitForNodes},
	} {
		if err := s.stage(ctx, cancel, c, stage.programs, stage.ready); err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
		s.Log.Debug("ready", "cluster", c.Name, "programs", stage.programs, "after", time.Since(begin))
	}
	return nil
}

func (s *Starter) stage(ctx context.Context, cancel context.CancelCauseFunc, c *Cluster, names []string, ready func(context.Context) error) error {
	for _, program := range names {
		if err := s.run(ctx, cancel, c, program); err != nil {
			return err
		}
	}
	return ready(ctx)
}

func (s *Starter) run(ctx context.Context, cancel context.CancelCauseFunc, c *Cluster, program string) error {
	arguments := c.arguments(program)
	s.Log.Debug("starting", "cluster", c.Name, "program", c.Programs[program], "arguments", arguments)
	started, err := process.Start(process.Spec{
		Path:  c.Programs[program],
		Args:  arguments,
		Log:   c.LogFile(program),
		Bound: s.Bound,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	go func() {
		select {
		case <-ctx.Done():
		case <-started.Done():
			cancel(c.endedEarly(program, started.Err()))
		}
	}()
	return s.Record(c, program, started.PID)
}

func (c *Cluster) endedEarly(program string, err error) error {
	if err == nil {
		err = errors.New("exit status 0")
	}
	path := c.LogFile(program)
	content, readErr := os.ReadFile(path)
	if readErr != nil {
		return fmt.Errorf("%s of %s ended while it was starting: %w; its log cannot be read: %w", program, c.Name, err, readErr)
	}
	const tailLines = 12
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	tail := strings.Join(lines[max(0, len(lines)-tailLines):], "\n    ")
	if strings.Contains(tail, "no space left on device") {
		return fmt.Errorf("%s of %s ended: the disk is full at %s; free some space or choose another --dir", program, c.Name, c.Dir)
	}
	return fmt.Errorf("%s of %s ended while it was starting: %w; the end of %s:\n    %s", program, c.Name, err, path, tail)
}

// portsFree fails when somebody else has taken a port while the cluster was
// stopped.
func (c *Cluster) portsFree(ctx context.Context) error {
	for _, port := range []int{c.Ports.API, c.Ports.EtcdClient, c.Ports.EtcdPeer} {
		if err := process.PortFree(ctx, port); err != nil {
			return fmt.Errorf("%s: %w; end that and try again", c.Name, err)
		}
	}
	return nil
}
