package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// holder is a set of this run, as far as other sets need to know it.
type holder struct {
	name, inventory string
}

// OtherSetError says that an object belongs to another set.
type OtherSetError struct {
	// Set is this set, and Other the one that has the object, or wants it as well; Other is the part-of id where Unnamed is set.
	Set, Other string
	// Unnamed tells that no inventory on the cluster has the id.
	Unnamed bool
	// Owner is the owner of the other set where that is another configuration.
	Owner string
	// Key is the object.
	Key fleet.ObjectKey
}

func (e *OtherSetError) Error() string {
	if e.Unnamed {
		return fmt.Sprintf("the object belongs to another set, whose inventory is not to be found (%s=%s), and the set %q names it, too; an object belongs to one set. "+
			"If that set is gone for good, remove the label from the object and have it adopted", fleet.PartOfLabel, e.Other, e.Set)
	}
	whose := ""
	if e.Owner != "" {
		whose = fmt.Sprintf(" of owner %q", e.Owner)
	}
	return fmt.Sprintf("the object belongs to the set %q%s, and the set %q names it, too; an object belongs to one set. Remove it from one of them. "+
		"To move it to %q, first give it up in %q: replace its manifest there by rules = [{ target = { kind = %q, name = %q }, deletion = \"orphan\" }] and apply; then %q adopts it",
		e.Other, whose, e.Set, e.Set, e.Other, e.Key.Kind, e.Key.Name, e.Set)
}

// claimObjects notes what the set has, or is to have, and refuses what another set of this run has noted. What a set drops in this
// run is still its own: nobody knows which of the two is applied first.
func (r *Runner) claimObjects(ctx context.Context, set Set, state State, plan Plan, found Problems) Problems {
	claims := map[[2]string]fleet.ObjectKey{}
	for name, c := range plan.Clusters {
		for _, key := range r.objectsOf(ctx, set, state, name, c) {
			claims[[2]string{name, key.String()}] = key
		}
	}
	for _, p := range found {
		var other *OtherSetError
		if errors.As(p.Err, &other) {
			// The cluster itself has told whose it is.
			delete(claims, [2]string{p.Cluster, p.Object.String()})
		}
	}
	me := holder{name: set.Name, inventory: set.Inventory}
	var refused Problems
	// All at once, so that of two sets that are planned at the same time only one is refused, on every cluster.
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holders == nil {
		r.holders = map[[2]string]holder{}
	}
	for id, key := range claims {
		if other, ok := r.holders[id]; !ok {
			r.holders[id] = me
		} else if other != me {
			refused = append(refused, Problem{Cluster: id[0], Object: &key, Err: &OtherSetError{Set: me.title(other), Other: other.title(me), Key: key}})
		}
	}
	return append(withoutRefused(found, refused), refused...)
}

// objectsOf are the objects that the set has on a cluster or is to have there.
func (r *Runner) objectsOf(ctx context.Context, set Set, state State, name string, plan ClusterPlan) []fleet.ObjectKey {
	if plan.Gone {
		return nil
	}
	if _, stays := set.Clusters[name]; !stays || len(plan.Objects) > 0 {
		return plan.Keys()
	}
	// What cannot be asked of the cluster yet follows from the manifests; problems with them are found once it can.
	list, _, _ := r.want(ctx, nil, set, r.target(set, state, name), nil)
	keys := make([]fleet.ObjectKey, 0, len(list))
	for _, w := range list {
		keys = append(keys, w.Key)
	}
	return keys
}

// title is the set's name, with its inventory where only that tells it from the other.
func (h holder) title(other holder) string {
	if h.name == other.name {
		return h.inventory + "/" + h.name
	}
	return h.name
}

// nameSets finds the names of the sets that objects belong to, of which only the ids are known.
func (r *Runner) nameSets(ctx context.Context, set Set, c fleet.Cluster, found Problems) Problems {
	var places []inventory.Place
	asked := false
	for i, p := range found {
		var foreign *ssa.ForeignError
		if !errors.As(p.Err, &foreign) || foreign.Set == "" || p.Object == nil {
			continue
		}
		if !asked {
			asked, places = true, r.places(ctx, set, c)
		}
		other := &OtherSetError{Set: set.Name, Other: foreign.Set, Unnamed: true, Key: *p.Object}
		if at := slices.IndexFunc(places, func(p inventory.Place) bool { return p.ID == foreign.Set }); at >= 0 {
			other.Other, other.Unnamed = places[at].Set, false
			if other.Other == set.Name {
				other.Other = places[at].Namespace + "/" + places[at].Set
			}
			if owner := places[at].Parent.Owner; owner != set.Owner {
				other.Owner = owner
			}
		}
		found[i].Err = other
	}
	return found
}

// places are the inventories on a cluster, as far as they can be listed: they only make a message better.
func (r *Runner) places(ctx context.Context, set Set, c fleet.Cluster) []inventory.Place {
	s, err := r.open(ctx, set, c, Applied{})
	if err != nil {
		return nil
	}
	places, err := s.inventories(ctx)
	if err != nil {
		return nil
	}
	return places
}

// withoutRefused leaves out what the API server said about objects that are refused anyway.
func withoutRefused(found, refused Problems) Problems {
	return slices.DeleteFunc(found, func(p Problem) bool {
		return p.Object != nil && slices.ContainsFunc(refused, func(r Problem) bool { return r.Cluster == p.Cluster && *r.Object == *p.Object })
	})
}
