package deploy

import (
	"context"
	"fmt"
	"maps"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ocm"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// hubChange is what is to become of one object: it is applied where wanted is set, handed to another set where rename is, and removed otherwise.
type hubChange struct {
	key    fleet.ObjectKey
	wanted *ssa.Wanted
	// release tells that a removed object stays on the cluster.
	release bool
	// rename is the part-of id of the set that the object goes over to.
	rename string

	out  ssa.Outcome
	err  error
	done chan struct{}
}

// batch collects changes that are made at the same time, so that a work is written once for all of them.
type batch struct {
	hub *hubTransport

	mu sync.Mutex
	// active are those that may still have a change to make, and waiting the changes that wait for them.
	active  int
	waiting []*hubChange
	ctx     context.Context //nolint:containedctx // that of the first change that waits
}

// each runs all changes at once: they meet in one writing of the works.
func (h *hubTransport) each(n int, change func(i int)) {
	b := &batch{hub: h, active: n}
	h.batch = b
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			defer b.leave()
			change(i)
		})
	}
	wg.Wait()
	h.batch = nil
}

// leave tells that one of those that were active has nothing more to change.
func (b *batch) leave() {
	b.mu.Lock()
	b.active--
	b.flush()
}

// submit makes a change together with all others that are under way.
func (b *batch) submit(ctx context.Context, c *hubChange) {
	b.mu.Lock()
	if len(b.waiting) == 0 {
		b.ctx = ctx
	}
	b.waiting = append(b.waiting, c)
	b.active--
	b.flush()
	<-c.done
}

// flush makes the changes that wait, if nobody else may have one. It is called with the lock held, and gives it up.
func (b *batch) flush() {
	if b.active > 0 || len(b.waiting) == 0 {
		b.mu.Unlock()
		return
	}
	changes, ctx := b.waiting, b.ctx
	b.waiting, b.active = nil, len(changes)
	b.mu.Unlock()
	b.hub.make(ctx, changes)
	for _, c := range changes {
		close(c.done)
	}
}

func (h *hubTransport) change(ctx context.Context, c *hubChange) (ssa.Outcome, error) {
	c.done = make(chan struct{})
	if h.batch == nil {
		h.make(ctx, []*hubChange{c})
		return c.out, c.err
	}
	h.batch.submit(ctx, c)
	return c.out, c.err
}

// Apply sends the object and waits until the agent says what became of it.
func (h *hubTransport) Apply(ctx context.Context, w ssa.Wanted) (ssa.Outcome, error) {
	return h.change(ctx, &hubChange{key: w.Key, wanted: &w})
}

// Delete removes the object from its work; the agent deletes it.
func (h *hubTransport) Delete(ctx context.Context, r ssa.Resource, namespace, name string, _ types.UID, _ metav1.DeletionPropagation) error {
	_, err := h.change(ctx, &hubChange{key: fleet.ObjectKey{Group: r.Group, Kind: r.Kind, Namespace: namespace, Name: name}})
	return err
}

// Release removes the object from its work after the agent was told to let go of it.
func (h *hubTransport) Release(ctx context.Context, _ ssa.Resource, live *unstructured.Unstructured) error {
	_, err := h.change(ctx, &hubChange{key: keyOf(live), release: true})
	return err
}

// Rename hands the object over to the set with the id, with its work: agents know works by their names, so these keep theirs.
func (h *hubTransport) Rename(ctx context.Context, _ ssa.Resource, live *unstructured.Unstructured, _, partOf string) error {
	_, err := h.change(ctx, &hubChange{key: keyOf(live), rename: partOf})
	return err
}

// make makes changes, and tells each what came of it.
func (h *hubTransport) make(ctx context.Context, changes []*hubChange) {
	fail := func(err error) {
		for _, c := range changes {
			if c.err == nil {
				c.err = err
			}
		}
	}
	h.follow()
	if err := h.refresh(ctx, true); err != nil {
		fail(err)
		return
	}
	if changes[0].rename != "" {
		fail(h.handOver(ctx, changes))
		return
	}
	if err := h.look(ctx, changes); err != nil {
		fail(err)
		return
	}
	if err := h.letGo(ctx, changes); err != nil {
		fail(err)
		return
	}
	if err := h.send(ctx, changes); err != nil {
		fail(err)
	}
}

// items are those of all works, by their keys, with the names of their works.
func (h *hubTransport) items() (items map[fleet.ObjectKey]ocm.Item, at map[fleet.ObjectKey]string) {
	h.works.mu.Lock()
	defer h.works.mu.Unlock()
	items, at = map[fleet.ObjectKey]ocm.Item{}, map[fleet.ObjectKey]string{}
	for _, name := range sortedWorks(h.works.by) {
		w := h.works.by[name]
		for _, item := range w.items {
			if _, twice := items[item.Key]; !twice && w.work.DeletionTimestamp == nil {
				items[item.Key], at[item.Key] = item, name
			}
		}
	}
	return items, at
}

// look finds out which of the objects that are new to the set are there already: an agent is asked to look at them, and no more. Who has
// created an object decides who may delete it.
func (h *hubTransport) look(ctx context.Context, changes []*hubChange) error {
	items, _ := h.items()
	asked := map[fleet.ObjectKey]*hubChange{}
	for _, c := range changes {
		item, there := items[c.key]
		if c.wanted == nil || c.err != nil || there && !item.LooksOnly() {
			continue
		}
		asked[c.key] = c
		items[c.key] = h.lookAt(*c.wanted)
	}
	if len(asked) == 0 {
		return nil
	}
	if err := h.deliver(ctx, items); err != nil {
		return err
	}
	if err := h.await(ctx, func() string {
		for key := range asked {
			if w, item := h.find(key); item == nil || !ocm.ReportOf(&w.work, *item).Looked && ocm.ReportOf(&w.work, *item).Rejected == "" {
				return "looked for " + key.String()
			}
		}
		return ""
	}); err != nil {
		return err
	}
	for key, c := range asked {
		w, item := h.find(key)
		if item == nil {
			continue
		}
		report := ocm.ReportOf(&w.work, *item)
		c.out.Adopted = report.Exists
		if report.Exists && c.wanted.Treat.Existing != fleet.ExistingAdopt && c.wanted.Prior == nil {
			refused := c.wanted.Treat.Existing == fleet.ExistingError
			c.err = &ssa.ForeignError{Refused: refused, Unseen: !refused}
		}
	}
	return nil
}

// lookAt is an object that is only looked at: its name is all that the agent needs.
func (h *hubTransport) lookAt(w ssa.Wanted) ocm.Item {
	stub := &unstructured.Unstructured{Object: map[string]any{}}
	stub.SetGroupVersionKind(w.Object.GroupVersionKind())
	stub.SetNamespace(w.Key.Namespace)
	stub.SetName(w.Key.Name)
	item := ocm.NewItem(w.Key, stub, w.Resource.Resource, ocm.Options{Look: true})
	// What is to come then needs no other work.
	item.Room, _ = ocm.Item{Object: h.body(w, nil, true)}.Size()
	return item
}

// letGo has the agent know of the objects that leave their works whether they stay on the cluster, before they leave: it deletes what it owns and no work has any
// more, and it gives up, or takes, what it owns only with an apply that succeeds.
func (h *hubTransport) letGo(ctx context.Context, changes []*hubChange) error {
	before, _ := h.items()
	items, leaving := maps.Clone(before), map[fleet.ObjectKey]*hubChange{}
	for _, c := range changes {
		item, there := items[c.key]
		if c.wanted != nil || !there || item.LooksOnly() || !c.release && !item.Orphan {
			continue
		}
		if item.Orphan = c.release; c.release {
			item.Object = unmarked(item.Object)
		}
		items[c.key], leaving[c.key] = item, c
	}
	if len(leaving) == 0 {
		return nil
	}
	if err := h.ask(ctx, items, leaving); err != nil {
		return err
	}
	again := false
	for key := range leaving {
		item := items[key]
		contentions, err := h.contentions(ssa.Wanted{Object: item.Object}, h.refused(key))
		if err != nil {
			return err
		}
		if len(contentions) > 0 {
			// Whose the fields are by now, they stay with.
			item.Object = ssa.LeaveOut(item.Object, contentions)
			items[key], again = item, true
		}
	}
	if again {
		if err := h.ask(ctx, items, leaving); err != nil {
			return err
		}
	}
	failed := false
	for key, c := range leaving {
		if message := h.refused(key); message != "" {
			c.err = fmt.Errorf("the cluster's agent cannot let go of it, so it stays in its ManifestWork: %s", message)
			items[key], failed = before[key], true
		}
	}
	if failed {
		return h.deliver(ctx, items)
	}
	return nil
}

// ask writes the items and waits until the agent has said of each of the changes' objects whether it could apply it.
func (h *hubTransport) ask(ctx context.Context, items map[fleet.ObjectKey]ocm.Item, changes map[fleet.ObjectKey]*hubChange) error {
	if err := h.deliver(ctx, items); err != nil {
		return err
	}
	return h.heed(ctx, changes)
}

// unmarked is the object without what says that it is a set's.
func unmarked(obj *unstructured.Unstructured) *unstructured.Unstructured {
	obj = obj.DeepCopy()
	unmark(obj)
	if len(obj.GetLabels()) == 0 {
		obj.SetLabels(nil)
	}
	if len(obj.GetAnnotations()) == 0 {
		obj.SetAnnotations(nil)
	}
	return obj
}

// unsettled names a work on which the agent has still to work; empty where there is none.
func (h *hubTransport) unsettled(names map[string]bool) string {
	h.works.mu.Lock()
	defer h.works.mu.Unlock()
	for _, name := range sortedWorks(h.works.by) {
		if w := h.works.by[name]; names[name] && w.work.DeletionTimestamp == nil && !ocm.Settled(&w.work) {
			return fmt.Sprintf("applied ManifestWork %s/%s", h.namespace, name)
		}
	}
	return ""
}
