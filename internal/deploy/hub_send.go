package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ocm"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// send writes the works as they are to be, and waits for what the agent says. What it refuses is put back as it was.
func (h *hubTransport) send(ctx context.Context, changes []*hubChange) error {
	before, at := h.items()
	// What agents were asked to look at is known by now, also where a run was killed that had asked.
	maps.DeleteFunc(before, func(_ fleet.ObjectKey, item ocm.Item) bool { return item.LooksOnly() })
	items := maps.Clone(before)
	sent, losing := map[fleet.ObjectKey]*hubChange{}, map[string]bool{}
	for _, c := range changes {
		_, there := before[c.key]
		switch {
		case c.err != nil:
			continue
		case c.wanted == nil:
			delete(items, c.key)
			losing[at[c.key]] = true
			continue
		}
		if c.err = h.prepare(c, there); c.err != nil {
			continue
		}
		// What was there before is not taken by force before it is known whose it is.
		items[c.key] = h.item(*c.wanted, c.out.Object, c.wanted.Forces() && !c.out.Adopted)
		sent[c.key] = c
	}
	if err := h.handOff(ctx, before, sent); err != nil {
		return err
	}
	if err := h.deliver(ctx, items); err != nil {
		return err
	}
	if err := h.await(ctx, func() string { return h.unsettled(losing) }); err != nil {
		return err
	}
	if err := h.heed(ctx, sent); err != nil {
		return err
	}
	if err := h.insist(ctx, items, sent); err != nil {
		return err
	}
	return h.restoreRefused(ctx, before, sent)
}

// prepare fills in what comes of an object that is sent. there tells that the set has it already.
func (h *hubTransport) prepare(c *hubChange, there bool) error {
	adopted := c.out.Adopted
	var work *hubWork
	var item *ocm.Item
	if there {
		work, item = h.known(c.key)
	}
	out, err := h.outcome(*c.wanted, work, item)
	if err != nil {
		return err
	}
	if !there {
		out.Object, out.Adopted, out.Created = h.body(*c.wanted, nil, !adopted), adopted, !adopted
	}
	c.out = out
	return nil
}

// notYet are messages of agents about what may come by itself: a definition that was just created is not served at once.
var notYet = []string{"no matches for kind", "the server could not find the requested resource", "the server doesn't have a resource type", "failed to find"}

// heed waits until the agent has said of each object whether it is applied.
func (h *hubTransport) heed(ctx context.Context, sent map[fleet.ObjectKey]*hubChange) error {
	patience := time.Now().Add(discoveryLag)
	return h.await(ctx, func() string {
		for _, key := range slices.SortedFunc(maps.Keys(sent), fleet.ObjectKey.Compare) {
			w, item := h.find(key)
			if item == nil {
				continue
			}
			r := ocm.ReportOf(&w.work, *item)
			waits := r.Rejected != "" && time.Now().Before(patience) && slices.ContainsFunc(notYet, func(text string) bool { return strings.Contains(r.Rejected, text) })
			if !r.Applied && r.Rejected == "" || waits {
				return "applied " + key.String()
			}
		}
		return ""
	})
}

// insist sends once more what was refused because of fields that are to be left to others, that only drift is in the way of, or that may be taken.
func (h *hubTransport) insist(ctx context.Context, items map[fleet.ObjectKey]ocm.Item, sent map[fleet.ObjectKey]*hubChange) error {
	again, forced := false, map[fleet.ObjectKey]bool{}
	for key, c := range sent {
		message := h.refused(key)
		if message == "" {
			continue
		}
		out := c.out
		force, err := h.settle(*c.wanted, &out, message)
		if err != nil || !force && len(out.Yielded) == 0 {
			// What is wrong is said when it is put back.
			continue
		}
		c.out, again = out, true
		if force {
			forced[key] = true
		}
		items[key] = h.item(*c.wanted, c.out.Object, force || c.wanted.Forces())
	}
	if !again {
		return nil
	}
	if err := h.ask(ctx, items, sent); err != nil || len(forced) == 0 {
		return err
	}
	for key := range forced {
		// From now on only what is asked for is taken from others.
		items[key] = h.item(*sent[key].wanted, sent[key].out.Object, sent[key].wanted.Forces())
	}
	return h.ask(ctx, items, sent)
}

// refused is why the agent could not apply an object; empty where it could.
func (h *hubTransport) refused(key fleet.ObjectKey) string {
	w, item := h.find(key)
	if item == nil {
		return ""
	}
	return ocm.ReportOf(&w.work, *item).Rejected
}

// handOff has another manager apply the fields that are given up, with the values that they were given: without one, the set's own apply that no longer has them
// would remove them. Where somebody else owns such a field already, the agent refuses, and its value stays as well.
func (h *hubTransport) handOff(ctx context.Context, before map[fleet.ObjectKey]ocm.Item, sent map[fleet.ObjectKey]*hubChange) error {
	var items []ocm.Item
	for key, c := range sent {
		old, there := before[key]
		if !there {
			continue
		}
		part, _, err := c.wanted.GivenUp(old.Object)
		if err != nil {
			return err
		}
		if part == nil {
			continue
		}
		item := ocm.NewItem(key, part, old.Resource, ocm.Options{Manager: ocm.LeftManager(h.set.Name)})
		item.Orphan = true
		items = append(items, item)
	}
	if len(items) == 0 {
		return nil
	}
	name := ocm.LeftName(h.set.Name)
	if err := h.put(ctx, name, items); err != nil {
		return err
	}
	if err := h.refresh(ctx, true); err != nil {
		return err
	}
	// The next writing drops the work, and its objects stay.
	return h.await(ctx, func() string { return h.unsettled(map[string]bool{name: true}) })
}

// restoreRefused tells of what the agent could not apply, and puts the works back to what they had of it.
func (h *hubTransport) restoreRefused(ctx context.Context, before map[fleet.ObjectKey]ocm.Item, sent map[fleet.ObjectKey]*hubChange) error {
	items, _ := h.items()
	restored := false
	for key, c := range sent {
		w, item := h.find(key)
		if item == nil {
			c.err = errors.New("its ManifestWork on the hub lost it while it was applied; somebody else changes the work")
			continue
		}
		message := ocm.ReportOf(&w.work, *item).Rejected
		if message == "" {
			continue
		}
		restored = true
		if old, there := before[key]; there {
			items[key] = old
		} else {
			delete(items, key)
		}
		if _, c.err = h.settle(*c.wanted, &c.out, message); c.err == nil {
			c.err = errors.New(message)
		}
		if conflict := (*ssa.ConflictError)(nil); errors.As(c.err, &conflict) && c.out.Adopted {
			c.err = &ssa.ForeignError{Differences: differences(conflict)}
		}
	}
	if !restored {
		return nil
	}
	return h.deliver(ctx, items)
}

// differences are the fields of a conflict over an object that was there before.
func differences(conflict *ssa.ConflictError) []ssa.Difference {
	var out []ssa.Difference
	for _, c := range conflict.Contentions {
		out = append(out, c.Difference)
	}
	return out
}

// await waits until the agent has done something, which todo names as long as it has not.
func (h *hubTransport) await(ctx context.Context, todo func() string) error {
	patience := h.set.turn.patience(h.set.Wait.Timeout)
	until, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(pause*3/2, time.Second) {
		left := todo()
		if left == "" {
			return nil
		}
		select {
		case <-until.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("after %s the cluster's agent has not %s. What is on the hub is applied as soon as the agent works again; the next apply waits for it anew", patience, left)
		case <-time.After(pause):
		}
		if err := h.refresh(ctx, true); err != nil {
			return err
		}
	}
}
