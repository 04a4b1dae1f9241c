package fleet

import (
	"context"
	"errors"
	"time"
)

// Attend waits until the context ends and then takes the fleet down. It returns
// early if somebody else takes it down.
func (c *Control) Attend(ctx context.Context, fleet *Fleet) error {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			c.Say("taking the fleet down: %v", context.Cause(ctx))
			err := c.Down(context.WithoutCancel(ctx), fleet.ID)
			if errors.Is(err, ErrNone) {
				return nil
			}
			return err
		case <-ticker.C:
			present, err := Load(c.Dir)
			if errors.Is(err, ErrNone) || (err == nil && present.ID != fleet.ID) {
				c.Say("the fleet was taken down by another command")
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
}
