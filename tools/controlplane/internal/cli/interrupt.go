package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/fleet"
)

// interruptible returns a context that ends with a signal. The first signal asks
// for an orderly end, which takes seconds at most; more of them change nothing,
// lest an impatient second Ctrl-C leaves processes behind.
func interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case received := <-signals:
			cancel(fmt.Errorf("%w by signal %q", fleet.ErrInterrupted, received))
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// untilEOF returns a context that also ends when the reader does.
func untilEOF(parent context.Context, reader io.Reader) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	go func() {
		_, err := io.Copy(io.Discard, reader)
		if err == nil {
			err = errors.New("standard input is at its end")
		}
		cancel(fmt.Errorf("%w: %w", fleet.ErrInterrupted, err))
	}()
	return ctx, func() { cancel(nil) }
}
