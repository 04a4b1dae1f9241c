package deploy

import (
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

// foreign tells that another configuration has the set. An owner that is not known yet is taken to be the same.
func foreign(set Set, parent *inventory.Parent) bool {
	return parent != nil && set.Owner != "" && parent.Owner != set.Owner && (set.Takeover == "" || parent.Owner != set.Takeover)
}

// begin notes in the inventory, before anything is written, what kinds and namespaces are about to be: a run that is
// killed leaves nothing that its successor would not find.
func (s *site) begin(ctx context.Context, prior ClusterState, leaving bool) (*inventory.Parent, error) {
	parent, err := s.parent(ctx, true)
	if err != nil {
		return nil, err
	}
	if foreign(s.set, parent) {
		return nil, otherOwner(s.set, parent)
	}
	// A cluster that state knows nothing of may have been forgotten, and what is on it with it.
	known := len(prior.Applied.Objects) > 0 || len(prior.Objects) > 0
	s.settled = parent == nil || known && parent.Phase == inventory.Applied && parent.Instance == s.set.Instance
	if leaving {
		s.settled = false
	} else if err := s.runner.claim(s.set, s.name); err != nil {
		return nil, err
	}
	if parent == nil {
		parent = &inventory.Parent{}
	}
	parent.Owner, parent.Instance, parent.Phase = s.set.Owner, s.set.Instance, inventory.Applying
	var kinds []schema.GroupKind
	var namespaces []string
	for key := range prior.Objects {
		kinds = append(kinds, schema.GroupKind{Group: key.Group, Kind: key.Kind})
		namespaces = append(namespaces, key.Namespace)
	}
	if !leaving {
		for _, o := range s.set.Objects {
			kinds = append(kinds, o.GroupVersionKind().GroupKind())
			namespaces = append(namespaces, o.Key.Namespace)
		}
		namespaces = append(namespaces, s.set.Namespace)
	}
	parent.Include(kinds, namespaces)
	s.seen.mu.Lock()
	s.seen.read = false
	s.seen.mu.Unlock()
	return parent, s.store.Write(ctx, parent)
}

// end notes how the run ended; after a success the inventory speaks of nothing but what is there. It is written even
// when the run was interrupted.
func (s *site) end(ctx context.Context, parent *inventory.Parent, phase inventory.Phase, list []wanted) Problems {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	parent.Phase = phase
	if phase == inventory.Applied {
		if len(list) == 0 {
			return s.problems(nil, s.store.Delete(ctx))
		}
		parent.Kinds, parent.Namespaces = nil, nil
		for _, w := range list {
			parent.Include([]schema.GroupKind{w.Object.GroupVersionKind().GroupKind()}, []string{w.Key.Namespace})
		}
	}
	return s.problems(nil, s.store.Write(ctx, parent))
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
	for _, w := range list {
		delete(live, w.Key)
	}
	var going []string
	for _, key := range slices.SortedFunc(maps.Keys(live), fleet.ObjectKey.Compare) {
		going = append(going, key.String())
	}
	text := fmt.Sprintf("the set is on this cluster already (owner %q, %s), and this resource carries on with its objects", parent.Owner, parent.Phase)
	if len(going) > 0 {
		text += "; it removes those that it does not have: " + strings.Join(going, ", ")
	}
	if parent.Phase == inventory.Applied {
		text += ". If another configuration has put it there, give this one an owner of its own, or the set another name"
	}
	return Problems{{Cluster: s.name, Err: errors.New(text), Warning: true}}, nil
}
