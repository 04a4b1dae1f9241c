package deploy

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/rollout"
)

// NotAllowedError says that the connection may not do something that applying the plan needs.
type NotAllowedError struct {
	cluster.Denied
}

func (e *NotAllowedError) Error() string {
	text := "applying this plan needs to " + e.Denied.String() + ", which this connection is not allowed"
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	return text
}

// needs are questions to the cluster whether something is allowed.
type needs struct {
	asked map[authorizationv1.ResourceAttributes]bool
}

func (n *needs) add(r schema.GroupVersionResource, namespace string, verbs ...string) {
	if n.asked == nil {
		n.asked = map[authorizationv1.ResourceAttributes]bool{}
	}
	for _, verb := range verbs {
		n.asked[authorizationv1.ResourceAttributes{Verb: verb, Group: r.Group, Resource: r.Resource, Namespace: namespace}] = true
	}
}

// list has the questions in a stable order.
func (n *needs) list() []authorizationv1.ResourceAttributes {
	return slices.SortedFunc(maps.Keys(n.asked), func(a, b authorizationv1.ResourceAttributes) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Verb, b.Verb))
	})
}

var (
	secretsResource    = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	namespacesResource = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
)

// review finds the permissions that the plan's dry runs have not shown to be there: to remove objects, and, where the set is new to
// the cluster, to write its inventory and to read it again; where there are waves, to keep contents and to roll back. A plain update of a
// set that is there asks nothing.
func (r *Runner) review(ctx context.Context, set Set, name string, state State, plan ClusterPlan) Problems {
	if !plan.Changes() || plan.Unknown || plan.Gone {
		return nil
	}
	going := false
	for _, o := range plan.Objects {
		going = going || o.Action == ActionDelete || o.Action == ActionReplace || o.Action == ActionRelease
	}
	rolls := set.Rollout != nil && (plan.Advance || plan.Keep || plan.New > 0 || plan.Repair)
	if !going && plan.New == 0 && !plan.Repair && !rolls {
		return nil
	}
	prior := r.target(set, state, name)
	s, err := r.open(ctx, set, prior.Cluster, prior.Applied)
	if err != nil {
		// What is wrong with the cluster has been said already.
		return nil
	}
	var n needs
	s.needsToRemove(ctx, plan, &n)
	if rolls {
		s.needsToRoll(ctx, plan, &n)
	}
	var found Problems
	if plan.New > 0 || plan.Repair {
		found = s.reviewNew(ctx, &n)
	}
	return append(found, s.ask(ctx, n.list())...)
}

// ReviewDestroy finds the permissions that a destroy lacks.
func (r *Runner) ReviewDestroy(ctx context.Context, set Set, state State) Problems {
	set.Clusters = nil
	var found Problems
	var mu sync.Mutex
	r.overClusters(ctx, "review", set, slices.Sorted(maps.Keys(state)), accessOf(state), func(name string) {
		plan, _ := r.planCluster(ctx, set, name, state)
		problems := r.review(ctx, set, name, state, plan)
		mu.Lock()
		defer mu.Unlock()
		found = append(found, problems...)
	})
	return found
}

// needsToRemove adds what removing the plan's objects takes.
func (s *site) needsToRemove(ctx context.Context, plan ClusterPlan, n *needs) {
	for key, o := range plan.Objects {
		verb := ""
		switch o.Action {
		case ActionDelete, ActionReplace:
			verb = "delete"
		case ActionRelease:
			verb = "patch"
		default:
			continue
		}
		if resource, err := s.resource(ctx, schema.GroupKind{Group: key.Group, Kind: key.Kind}.WithVersion("")); err == nil {
			n.add(resource.GroupVersionResource, key.Namespace, verb)
		}
	}
	if plan.Leaving {
		n.add(secretsResource, s.set.Inventory, "patch", "delete")
	}
}

// needsToRoll adds what keeping the contents of revisions takes, and what it takes to undo the plan where a failed rollout is rolled back.
func (s *site) needsToRoll(ctx context.Context, plan ClusterPlan, n *needs) {
	n.add(secretsResource, s.set.Inventory, "create", "delete")
	if s.set.Rollout.OnFailure != rollout.Rollback || plan.From == "" || plan.Held {
		return
	}
	for key, o := range plan.Objects {
		verb := ""
		switch o.Action {
		case ActionCreate:
			verb = "delete"
		case ActionDelete:
			verb = "create"
		default:
			continue
		}
		if resource, err := s.resource(ctx, schema.GroupKind{Group: key.Group, Kind: key.Kind}.WithVersion("")); err == nil {
			n.add(resource.GroupVersionResource, key.Namespace, verb)
		}
	}
}

// reviewNew tries to create the inventory where there is none, and adds what reading the set again takes.
func (s *site) reviewNew(ctx context.Context, n *needs) Problems {
	parent, err := s.parent(ctx, false)
	if err != nil || parent != nil {
		return nil
	}
	n.add(secretsResource, s.set.Inventory, "patch")
	for _, o := range s.set.objects(s.name) {
		resource, err := s.resource(ctx, o.GroupVersionKind())
		if err != nil {
			continue
		}
		namespace := ""
		if resource.Namespaced {
			namespace = cmp.Or(o.Key.Namespace, s.set.Namespace)
		}
		n.add(resource.GroupVersionResource, namespace, "get")
		if !s.set.Namespaced {
			namespace = ""
		}
		n.add(resource.GroupVersionResource, namespace, "list")
	}
	err = s.store.Try(ctx)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, inventory.ErrNoNamespace):
		return s.problems(nil, err)
	case s.set.Namespaced:
		return Problems{{Cluster: s.name, Err: err, Warning: true}}
	}
	n.add(namespacesResource, "", "create")
	n.add(namespacesResource, s.set.Inventory, "patch")
	return nil
}

// ask asks the cluster what is allowed of the list. A cluster that does not answer the question may allow it.
func (s *site) ask(ctx context.Context, questions []authorizationv1.ResourceAttributes) Problems {
	denied, err := s.server.can(ctx, questions)
	if err != nil {
		s.runner.log(ctx, slog.LevelInfo, "permissions not known", map[string]any{"set": s.set.Name, "cluster": s.name, "error": err.Error()})
		return nil
	}
	var found Problems
	for _, d := range denied {
		found = append(found, Problem{Cluster: s.name, Err: &NotAllowedError{Denied: d}})
	}
	return found
}
