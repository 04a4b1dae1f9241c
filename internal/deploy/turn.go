package deploy

import (
	"context"
	"errors"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// Why the work on a cluster is cut short.
var (
	errTakenBack = errors.New("the rollout is taken back")
	errTooLong   = errors.New("it has taken longer than progress_deadline")
)

// turn is a cluster's turn in a rollout: how far the work on it is, and how to end it early. A nil turn is nobody's.
type turn struct {
	// began is told what the cluster's inventory says, once it says that the run is at work, and wrote that everything is written.
	began func(*inventory.Parent)
	wrote func()
	// deadline is when the cluster is to be healthy at the latest; zero is never.
	deadline time.Time
	// settling ends when nobody waits for the cluster's health any more, which release does; stop ends all work on the cluster.
	settling context.Context //nolint:containedctx // the turn is the scope of the wait
	release  context.CancelCauseFunc
	stop     context.CancelCauseFunc
}

func (t *turn) begun(p *inventory.Parent) {
	if t != nil {
		t.began(p)
	}
}

// written tells that the cluster is waited for from now on, and returns the context for that.
func (t *turn) written(ctx context.Context) context.Context {
	if t == nil {
		return ctx
	}
	t.wrote()
	waiting, cancel := context.WithCancelCause(ctx)
	context.AfterFunc(t.settling, func() { cancel(context.Cause(t.settling)) })
	return waiting
}

// patience is how long to wait for the cluster's health, in full seconds where the deadline comes before the timeout.
func (t *turn) patience(timeout time.Duration) time.Duration {
	if t == nil || t.deadline.IsZero() || time.Until(t.deadline) > timeout {
		return timeout
	}
	return max(time.Second, time.Until(t.deadline).Round(time.Second))
}
