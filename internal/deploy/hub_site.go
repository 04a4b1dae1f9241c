package deploy

import (
	"context"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/ocm"
)

func (h *hubTransport) manager() string { return manager(h.set.Name) }

func (h *hubTransport) as(set Set) transport {
	other := *h
	other.set, other.batch = set, nil
	other.works = &hubWorks{by: map[string]*hubWork{}}
	return &other
}

func (h *hubTransport) sees() bool { return false }

func (h *hubTransport) reset() {}

func (h *hubTransport) unsure() string {
	return "the plan is made of what the hub knows. Whether the cluster accepts the changes, and whether others own the fields, its agent finds out during the apply"
}

// around lists nothing: agents report on the set's own objects only.
func (h *hubTransport) around(context.Context, health.Listing) []any { return nil }

// serve tells where sites serve a kind, which the hub does not know: by Kubernetes' own kinds, by what this run defines, and by what the agent has
// told, and otherwise by the rules of English.
func (h *hubTransport) serve(_ context.Context, kind schema.GroupVersionKind) (Served, bool, error) {
	if d, ok := h.runner.promisedKind(h.name, kind); ok {
		return Served{Version: kind.Version, Resource: d.Plural, Namespaced: d.Namespaced}, false, nil
	}
	plural, _ := meta.UnsafeGuessKindToResource(kind)
	served := Served{Version: kind.Version, Resource: plural.Resource, Namespaced: !clusterScopedKind(kind.Kind)}
	builtin := scheme.Scheme.Recognizes(kind)
	if kind.Version == "" {
		builtin = len(scheme.Scheme.VersionsForGroupKind(kind.GroupKind())) > 0
	}
	h.works.mu.Lock()
	defer h.works.mu.Unlock()
	for _, w := range h.works.by {
		for _, item := range w.items {
			if item.Key.Group == kind.Group && item.Key.Kind == kind.Kind && ocm.ReportOf(&w.work, item).Resource != "" {
				served.Resource, served.Namespaced, builtin = ocm.ReportOf(&w.work, item).Resource, item.Key.Namespace != "", true
			}
		}
	}
	return served, !builtin, nil
}

// can asks the hub about works in the cluster's namespace, which is all that any object of a set takes.
func (h *hubTransport) can(ctx context.Context, _ []authorizationv1.ResourceAttributes) ([]cluster.Denied, error) {
	var questions []authorizationv1.ResourceAttributes
	for _, verb := range []string{"create", "update", "delete"} {
		questions = append(questions, authorizationv1.ResourceAttributes{Verb: verb, Group: ocm.Works.Group, Resource: ocm.Works.Resource, Namespace: h.namespace})
	}
	return h.hub.Can(ctx, questions)
}

// store keeps the inventory beside the works.
func (h *hubTransport) store(set Set) *inventory.Store {
	store := inventory.NewStore(h.core, h.namespace, set.Name, h.runner.release)
	// The hub makes the namespace once it has accepted the cluster.
	store.NamespaceExists = true
	store.Label = inventory.ID(set.Inventory, set.Name)
	return store
}

func (h *hubTransport) parents(ctx context.Context, _ string) (map[string]*inventory.Parent, error) {
	return inventory.List(ctx, h.core, h.namespace)
}

// places gives every inventory the namespace that the set's has elsewhere: on a hub all are in that of the cluster.
func (h *hubTransport) places(ctx context.Context, namespace string) ([]inventory.Place, error) {
	places, err := inventory.Find(ctx, h.core, h.namespace)
	for i := range places {
		places[i].Namespace, places[i].ID = namespace, inventory.ID(namespace, places[i].Set)
	}
	return places, err
}
