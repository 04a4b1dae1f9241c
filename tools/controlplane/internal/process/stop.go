package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// Stop asks the processes that find returns to end, kills those that have not
// done so after grace, and returns once none is left.
func Stop(ctx context.Context, grace time.Duration, find func(context.Context) ([]Found, error)) error {
	const killed = 10 * time.Second
	left, err := signalUntilGone(ctx, syscall.SIGTERM, grace, find)
	if err != nil || len(left) == 0 {
		return err
	}
	left, err = signalUntilGone(ctx, syscall.SIGKILL, killed, find)
	if err != nil || len(left) == 0 {
		return err
	}
	names := make([]string, len(left))
	for i, f := range left {
		names[i] = fmt.Sprintf("%s (process %d)", f.Program, f.PID)
	}
	return fmt.Errorf("still running %s after being killed: %s; end them by hand", killed, strings.Join(names, ", "))
}

func signalUntilGone(ctx context.Context, signal syscall.Signal, patience time.Duration, find func(context.Context) ([]Found, error)) ([]Found, error) {
	deadline := time.Now().Add(patience)
	sent := map[int]bool{}
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		left, err := find(ctx)
		if err != nil || len(left) == 0 {
			return nil, err
		}
		for _, f := range left {
			if sent[f.PID] {
				continue
			}
			sent[f.PID] = true
			if err := syscall.Kill(f.PID, signal); err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH) {
				return nil, fmt.Errorf("stopping %s (process %d): %w", f.Program, f.PID, err)
			}
		}
		if time.Now().After(deadline) {
			return left, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}
