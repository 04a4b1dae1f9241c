package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ocm"
)

// deliver writes works with the items, each where it is or has room. An object that has to go to another work, or that a run which was killed left in two, is in both until
// the agent has applied it in the one where it stays: agents delete what no work of theirs has.
func (h *hubTransport) deliver(ctx context.Context, items map[fleet.ObjectKey]ocm.Item) error {
	_, at := h.items()
	target, err := h.arrange(items, at)
	if err != nil {
		return err
	}
	moving := h.moving(target)
	for _, work := range slices.Sorted(maps.Keys(moving)) {
		both := h.itemsOf(work)
		maps.Copy(both, moving[work])
		if err := h.put(ctx, work, slices.Collect(maps.Values(both))); err != nil {
			return err
		}
	}
	if len(moving) > 0 {
		if err := h.refresh(ctx, true); err != nil {
			return err
		}
		if err := h.arrived(ctx, moving); err != nil {
			return err
		}
	}
	return h.writeAs(ctx, items, target)
}

// moving are the objects that are in another work than the one they are to be in, by that one, as it or else the other has them.
func (h *hubTransport) moving(target map[fleet.ObjectKey]string) map[string]map[fleet.ObjectKey]ocm.Item {
	moving := map[string]map[fleet.ObjectKey]ocm.Item{}
	h.works.mu.Lock()
	names := sortedWorks(h.works.by)
	h.works.mu.Unlock()
	for _, from := range names {
		if from == ocm.LeftName(h.set.Name) {
			// It has only what others are to own.
			continue
		}
		for key, item := range h.itemsOf(from) {
			to, stays := target[key]
			if !stays || to == from || item.LooksOnly() {
				continue
			}
			if moving[to] == nil {
				moving[to] = map[fleet.ObjectKey]ocm.Item{}
			}
			if has, there := h.itemsOf(to)[key]; there {
				item = has
			}
			moving[to][key] = item
		}
	}
	return moving
}

// itemsOf are the items of one work; none of one that is on its way out.
func (h *hubTransport) itemsOf(name string) map[fleet.ObjectKey]ocm.Item {
	h.works.mu.Lock()
	defer h.works.mu.Unlock()
	items := map[fleet.ObjectKey]ocm.Item{}
	if w := h.works.by[name]; w != nil && w.work.DeletionTimestamp == nil {
		for _, item := range w.items {
			items[item.Key] = item
		}
	}
	return items
}

// arrived waits until the agent has applied the objects in the works that they move to.
func (h *hubTransport) arrived(ctx context.Context, moving map[string]map[fleet.ObjectKey]ocm.Item) error {
	report := func(work string, key fleet.ObjectKey) ocm.Report {
		h.works.mu.Lock()
		w := h.works.by[work]
		h.works.mu.Unlock()
		item, there := h.itemsOf(work)[key]
		if !there {
			return ocm.Report{Rejected: "somebody has taken it out"}
		}
		return ocm.ReportOf(&w.work, item)
	}
	err := h.await(ctx, func() string {
		for work, of := range moving {
			for key := range of {
				if r := report(work, key); !r.Applied && r.Rejected == "" {
					return "applied " + key.String()
				}
			}
		}
		return ""
	})
	if err != nil {
		return err
	}
	for work, of := range moving {
		for key := range of {
			if r := report(work, key); !r.Applied {
				return fmt.Errorf("%s has to move to ManifestWork %s/%s, where there is room for it, and stays where it is, because the cluster's agent cannot apply it there: %s", key, h.namespace, work, r.Rejected)
			}
		}
	}
	return nil
}

func (h *hubTransport) arrange(items map[fleet.ObjectKey]ocm.Item, at map[fleet.ObjectKey]string) (map[fleet.ObjectKey]string, error) {
	pieces := make([]ocm.Piece, 0, len(items))
	for key, item := range items {
		size, err := item.Size()
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, ocm.Piece{Key: key, Size: size})
	}
	return ocm.Arrange(at, pieces, h.workName)
}

// workName is the nth name of a work that is not on its way out.
func (h *hubTransport) workName(n int) string {
	h.works.mu.Lock()
	defer h.works.mu.Unlock()
	for i := 0; ; i++ {
		name := ocm.WorkName(h.set.Name, i)
		if w := h.works.by[name]; w != nil && w.work.DeletionTimestamp != nil {
			continue
		}
		if n == 0 {
			return name
		}
		n--
	}
}

// writeAs writes every work that is to be another than it is, and deletes those that are to have nothing.
func (h *hubTransport) writeAs(ctx context.Context, items map[fleet.ObjectKey]ocm.Item, target map[fleet.ObjectKey]string) error {
	of := map[string][]ocm.Item{}
	for key, item := range items {
		of[target[key]] = append(of[target[key]], item)
	}
	h.works.mu.Lock()
	known := sortedWorks(h.works.by)
	h.works.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if err := h.put(ctx, name, of[name]); err != nil {
			return err
		}
	}
	gone := map[string]bool{}
	for _, name := range known {
		// One that is on its way out already is waited for as well.
		if len(of[name]) == 0 {
			if err := h.drop(ctx, name); err != nil {
				return err
			}
			gone[name] = true
		}
	}
	if err := h.refresh(ctx, true); err != nil || len(gone) == 0 {
		return err
	}
	return h.await(ctx, func() string {
		h.works.mu.Lock()
		defer h.works.mu.Unlock()
		for _, name := range sortedWorks(h.works.by) {
			if gone[name] {
				return fmt.Sprintf("let go of ManifestWork %s/%s, of which it is to remove all objects", h.namespace, name)
			}
		}
		return ""
	})
}
