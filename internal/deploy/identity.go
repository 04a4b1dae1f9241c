package deploy

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// An identity is what a set is called on a cluster: its name and the namespace of its inventory. The field manager, the part-of
// label and the parent follow from it, so a set with another identity has to be moved.
type identity struct {
	inventory, name string
}

func (i identity) String() string { return i.inventory + "/" + i.name }

func parseIdentity(text string) (identity, bool) {
	namespace, name, ok := strings.Cut(text, "/")
	return identity{inventory: namespace, name: name}, ok && namespace != "" && name != ""
}

func (i identity) id() string { return inventory.ID(i.inventory, i.name) }

func (s Set) identity() identity { return identity{inventory: s.Inventory, name: s.Name} }

func (s Set) as(i identity) Set {
	s.Inventory, s.Name = i.inventory, i.name
	return s
}

// identity is what the set is called on the cluster, as far as state knows.
func (c ClusterState) identity(set Set) identity {
	i := set.identity()
	if c.Name != "" {
		i.name = c.Name
	}
	if c.Applied.Inventory != "" {
		i.inventory = c.Applied.Inventory
	}
	return i
}

// on is the set as the cluster knows it.
func (s Set) on(c ClusterState) Set { return s.as(c.identity(s)) }

// movesFrom is what the set is called on the cluster and is no longer to be called, or the name that an interrupted move was to give
// it; nil where there is nothing to move.
func (s Set) movesFrom(c ClusterState) []identity {
	var from []identity
	if i := c.identity(s); i != s.identity() {
		from = append(from, i)
	}
	if i, ok := parseIdentity(c.Applied.Moving); ok && i != s.identity() {
		from = append(from, i)
	}
	return from
}

// moveText says for a plan what is moved.
func moveText(from, to identity) string {
	if from.inventory == to.inventory {
		return "from " + from.name + " to " + to.name
	}
	return "from " + from.String() + " to " + to.String()
}

// sibling is the same cluster, opened for the set under another identity.
func (s *site) sibling(i identity) *site {
	set := s.set.as(i)
	other := &site{
		runner: s.runner, set: set, name: s.name, client: s.client, server: s.server.as(set),
		store: s.server.as(set).store(set), seen: s.runner.observation(set, s.name), kinds: map[string]Served{},
	}
	s.kindsMu.Lock()
	defer s.kindsMu.Unlock()
	for kind, served := range s.kinds {
		other.kinds[kind] = served
	}
	return other
}

// follow looks for a move that was interrupted, so that what has been moved is not taken for lost.
func (s *site) follow(ctx context.Context, prior ClusterState) error {
	parent, err := s.parent(ctx, false)
	if err != nil {
		return err
	}
	if parent != nil {
		if to, ok := parseIdentity(parent.MovedTo); ok {
			s.also = s.sibling(to)
		}
		return nil
	}
	if len(prior.Objects) == 0 || s.set.Instance == "" {
		return nil
	}
	// The old inventory goes last, and it is gone: the set may be wholly moved already.
	places, err := s.inventories(ctx)
	if err != nil {
		return err
	}
	for _, p := range places {
		if to := (identity{inventory: p.Namespace, name: p.Set}); p.Parent.Instance == s.set.Instance && p.Parent.Owner == s.set.Owner && to != s.set.identity() {
			s.also = s.sibling(to)
		}
	}
	return nil
}

// moving is the identity that an interrupted move was to give the set; empty where there was none.
func (s *site) moving() string {
	if s.also == nil {
		return ""
	}
	return s.also.set.identity().String()
}

// addMoved adds what an interrupted move has moved.
func (s *site) addMoved(ctx context.Context, places []place, live map[fleet.ObjectKey]*unstructured.Unstructured) error {
	if s.also == nil {
		return nil
	}
	for _, at := range places {
		_, list, err := s.also.list(ctx, at, fleet.PartOfLabel+"="+s.also.set.identity().id(), s.also.server.List)
		if err != nil {
			return err
		}
		for _, obj := range list {
			live[keyOf(obj)] = obj
		}
	}
	return nil
}

// managerOf is the field manager that applied the object for the set.
func (s *site) managerOf(obj *unstructured.Unstructured) string {
	if s.also != nil && obj.GetLabels()[fleet.PartOfLabel] == s.also.set.identity().id() {
		return s.also.server.manager()
	}
	return s.server.manager()
}
