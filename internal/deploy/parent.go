package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// endTimeout is how long the last note to the inventory may take once the run itself was interrupted.
const endTimeout = 5 * time.Second

// foreign tells that another configuration has the set, and that it is not to be taken from there. An owner that is not known
// yet is taken to be the same.
func foreign(set Set, parent *inventory.Parent) bool {
	return parent != nil && set.Owner != "" && parent.Owner != set.Owner && (set.Takeover == "" || parent.Owner != set.Takeover)
}

// attempts is how often a run tries to get hold of a parent that others keep writing to.
const attempts = 5

// begin notes in the inventory, before anything is written, what kinds and namespaces are about to be: a run that is
// killed leaves nothing that its successor would not find. The context it returns ends when the run loses the set.
func (s *site) begin(ctx context.Context, prior ClusterState, leaving bool) (context.Context, *inventory.Parent, error) {
	for attempt := 1; ; attempt++ {
		parent, err := s.uncontended(ctx)
		if err != nil {
			return ctx, nil, err
		}
		if foreign(s.set, parent) {
			return ctx, nil, otherOwner(s.set, parent)
		}
		if !leaving {
			if err := s.runner.claim(s.set, s.name); err != nil {
				return ctx, nil, err
			}
		}
		parent = s.enter(prior, parent, leaving)
		if parent.Removal, err = s.set.removalText(prior.Cluster); err != nil {
			return ctx, nil, err
		}
		if !leaving {
			if err = s.roll(parent, prior); err != nil {
				return ctx, nil, err
			}
		}
		s.forgetParent()
		err = s.store.Write(ctx, parent)
		if err == nil {
			s.seen.mu.Lock()
			s.seen.parent = parent.Clone()
			s.seen.mu.Unlock()
		}
		if errors.Is(err, inventory.ErrChanged) && attempt < attempts {
			continue
		}
		if err != nil {
			return ctx, nil, err
		}
		return s.take(ctx, parent), parent, nil
	}
}

// enter writes this run into the parent that was read, or into a new one.
func (s *site) enter(prior ClusterState, parent *inventory.Parent, leaving bool) *inventory.Parent {
	// A cluster that state knows nothing of may have been forgotten, and what is on it with it.
	known := len(prior.Applied.Objects) > 0 || len(prior.Objects) > 0
	s.settled = !leaving && (parent == nil || known && parent.Phase == inventory.Applied && parent.Instance == s.set.Instance)
	if parent == nil {
		parent = &inventory.Parent{}
	}
	s.sign(parent, prior)
	if !leaving {
		var kinds []schema.GroupKind
		var namespaces []string
		for _, o := range s.set.objects(s.name) {
			kinds = append(kinds, o.GroupVersionKind().GroupKind())
			namespaces = append(namespaces, cmp.Or(o.Key.Namespace, s.set.Namespace))
		}
		parent.Include(kinds, namespaces)
	}
	return parent
}

// sign writes into a parent that this run is at work on the set, and where what state knows of it is.
func (s *site) sign(p *inventory.Parent, prior ClusterState) {
	p.Owner, p.Instance, p.Phase = s.set.Owner, s.set.Instance, inventory.Applying
	p.Run, p.Heartbeat = s.runner.run, time.Now()
	p.Run.Since = p.Heartbeat
	var kinds []schema.GroupKind
	var namespaces []string
	for key := range prior.Objects {
		kinds = append(kinds, schema.GroupKind{Group: key.Group, Kind: key.Kind})
		namespaces = append(namespaces, key.Namespace)
	}
	p.Include(kinds, namespaces)
}

// end notes how the run ended; after a success the inventory speaks of nothing but what is there. It is written even
// when the run was interrupted, but not where the run has lost the set.
func (s *site) end(ctx context.Context, phase inventory.Phase, list []wanted) Problems {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	return s.problems(nil, s.hold.release(ctx, func(parent *inventory.Parent) error {
		parent.Phase, parent.Heartbeat = phase, time.Now()
		before := parent.Clone()
		if s.set.Rollout == nil && phase == inventory.Applied {
			// What was kept for waves is of no use any more.
			parent.Previous, parent.Contents = "", nil
		}
		if phase == inventory.Applied {
			kept := s.kept()
			if len(list) == 0 && len(kept) == 0 {
				return s.store.Delete(ctx, parent)
			}
			parent.Kinds, parent.Namespaces = nil, nil
			for _, key := range kept {
				parent.Include([]schema.GroupKind{{Group: key.Group, Kind: key.Kind}}, []string{key.Namespace})
			}
			for _, w := range list {
				parent.Include([]schema.GroupKind{w.Object.GroupVersionKind().GroupKind()}, []string{w.Key.Namespace})
			}
		}
		if err := s.store.Write(ctx, parent); err != nil {
			return err
		}
		return s.dropAll(ctx, before, parent)
	}))
}

// succeed says what it means that the set is on the cluster already though state does not know it: its state was lost, or it
// replaces another instance, or another configuration of the same owner has a set of the same name.
func (s *site) succeed(ctx context.Context, prior ClusterState, parent *inventory.Parent, list []wanted) (Problems, error) {
	live, err := s.members(ctx, prior, parent)
	if err != nil {
		return nil, err
	}
	for key, obj := range live {
		s.seen.note(key, obj)
	}
	for key := range s.keeps(list) {
		delete(live, key)
	}
	var going []string
	for _, key := range slices.SortedFunc(maps.Keys(live), fleet.ObjectKey.Compare) {
		going = append(going, key.String())
	}
	text := fmt.Sprintf("the set is on this cluster already (owner %q, %s), and this resource carries on with its objects", parent.Owner, parent.Phase)
	taken := s.set.Owner != "" && parent.Owner != s.set.Owner
	if taken {
		text = takeoverText(parent.Owner)
	}
	if len(going) > 0 {
		text += "; it removes those that it does not have: " + strings.Join(going, ", ")
	}
	if parent.Phase == inventory.Applied && !taken {
		text += ". If another configuration has put it there, give this one an owner of its own, or the set another name"
	}
	return Problems{{Cluster: s.name, Err: errors.New(text), Warning: true}}, nil
}
