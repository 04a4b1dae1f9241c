package deploy

import (
	"context"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// moveAttempts is how often an object is read again that somebody changes while it is moved.
const moveAttempts = 5

// planMove adds to a cluster's plan that the set gets another name there, and refuses a name that another set has.
func (r *Runner) planMove(ctx context.Context, set Set, prior ClusterState, plan *ClusterPlan) Problems {
	from := set.movesFrom(prior)
	if len(from) == 0 || plan.Gone || plan.Leaving {
		return nil
	}
	plan.Renamed = prior.Applied.Name == "" && prior.Name != set.Name
	if plan.Deferred != "" {
		plan.Owed = true
		return nil
	}
	plan.Move = moveText(from[0], set.identity())
	if plan.Unknown && prior.Applied.Moving == "" || prior.unread() {
		return nil
	}
	s, err := r.open(ctx, set, prior.Cluster, prior.Applied)
	if err != nil {
		// Whatever it is, the plan of the objects has said it.
		return nil
	}
	parent, err := s.parent(ctx, false)
	if err != nil {
		return s.problems(nil, err)
	}
	return problems(s.name, nil, taken(set, parent))
}

// taken refuses a name under which the cluster has another set.
func taken(set Set, parent *inventory.Parent) error {
	if parent == nil || parent.Instance == set.Instance {
		return nil
	}
	return fmt.Errorf("the set cannot be moved to the name %q: a set of that name is there already (owner %q). Choose another name, or remove that set first", set.Name, parent.Owner)
}

// move gives the set the name it is to have on the cluster. Everything is where it was found before and after each single write, so
// that a run that is killed here is carried on by the next: the old inventory names the new one, the new one is written, the
// objects go over one by one, and the old one goes last.
func (r *Runner) move(ctx context.Context, set Set, prior ClusterState) (ClusterState, Problems) {
	to, err := r.open(ctx, set, prior.Cluster, prior.Applied)
	if err != nil {
		return prior, problems(prior.Cluster.Name, nil, err)
	}
	sources := set.movesFrom(prior)
	if own, err := to.parent(ctx, true); err != nil {
		return prior, to.problems(nil, err)
	} else if other, ok := parseMoved(own); ok && len(sources) == 0 {
		// An interrupted move that was not read since.
		sources = append(sources, other)
	}
	for _, i := range sources {
		if found := to.moveFrom(ctx, to.sibling(i), prior); len(found) > 0 {
			prior.Touched = true
			prior.Applied.Moving = set.identity().String()
			return prior, found
		}
		prior.Touched = true
	}
	prior.Name, prior.Applied.Inventory, prior.Applied.Moving = set.Name, set.Inventory, ""
	return prior, nil
}

func parseMoved(parent *inventory.Parent) (identity, bool) {
	if parent == nil {
		return identity{}, false
	}
	return parseIdentity(parent.MovedTo)
}

func (s *site) moveFrom(ctx context.Context, from *site, prior ClusterState) Problems {
	old, err := from.uncontended(ctx)
	if err != nil {
		return s.problems(nil, err)
	}
	now, err := s.uncontended(ctx)
	if err != nil {
		return s.problems(nil, err)
	}
	if foreign(from.set, old) {
		return problems(s.name, nil, otherOwner(from.set, old))
	}
	if err := taken(s.set, now); err != nil {
		return problems(s.name, nil, err)
	}
	if now == nil {
		now = &inventory.Parent{}
	}
	s.sign(now, prior)
	now.MovedTo = ""
	if s.store.Same(from.store) {
		// Only the id of the set is another.
		old = nil
	}
	if old != nil {
		now.Include(old.Kinds, old.Namespaces)
		if len(now.Salt) == 0 {
			now.Salt = old.Salt
		}
		now.Removal = old.Removal
		now.Revision, now.Previous, now.Contents = old.Revision, old.Previous, maps.Clone(old.Contents)
		old.MovedTo = s.set.identity().String()
		if err := from.store.Write(ctx, old); err != nil {
			return s.problems(nil, err)
		}
	}
	if err := s.store.Write(ctx, now); err != nil {
		return s.problems(nil, err)
	}
	if old != nil {
		if err := s.moveContents(ctx, from, old, now); err != nil {
			return s.problems(nil, err)
		}
	}
	s.forgetParent()
	from.forgetParent()
	live, err := from.members(ctx, prior, now)
	if err != nil {
		return s.problems(nil, err)
	}
	if found := s.moveObjects(ctx, from, live); len(found) > 0 {
		return found
	}
	if old == nil {
		return nil
	}
	return s.problems(nil, from.store.Delete(ctx, old))
}

func (s *site) forgetParent() {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	s.seen.read = false
}

func (s *site) moveObjects(ctx context.Context, from *site, live map[fleet.ObjectKey]*unstructured.Unstructured) Problems {
	keys := make([]fleet.ObjectKey, 0, len(live))
	errs := make([]error, len(live))
	for key := range live {
		keys = append(keys, key)
	}
	from.server.each(len(keys), func(i int) { errs[i] = s.moveObject(ctx, from, live[keys[i]]) })
	var found Problems
	for i, err := range errs {
		if err != nil {
			found = append(found, s.problems(&keys[i], fmt.Errorf("move to the set %q: %w", s.set.Name, err))...)
		}
	}
	return found
}

func (s *site) moveObject(ctx context.Context, from *site, obj *unstructured.Unstructured) error {
	key := keyOf(obj)
	resource, err := s.resource(ctx, obj.GroupVersionKind())
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		err := from.server.Rename(ctx, resource, obj, s.server.manager(), s.set.identity().id())
		// A test in a JSON patch that fails makes it invalid.
		if attempt == moveAttempts || !apierrors.IsInvalid(err) && !apierrors.IsConflict(err) {
			if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		}
		again, err := from.server.Get(ctx, resource, key.Namespace, key.Name)
		if apierrors.IsNotFound(err) || err == nil && again.GetUID() != obj.GetUID() {
			return nil
		}
		if err != nil {
			return err
		}
		obj = again
	}
}
