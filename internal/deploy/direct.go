package deploy

import (
	"context"
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// direct speaks to the cluster's own API server.
type direct struct {
	*ssa.Server
	client  *cluster.Client
	core    typedcorev1.CoreV1Interface
	release string
}

var _ transport = (*direct)(nil)

func newDirect(client *cluster.Client, set Set, release string) (*direct, error) {
	objects, core, err := speak(client)
	if err != nil {
		return nil, err
	}
	return &direct{Server: ssa.NewServer(objects, manager(set.Name)), client: client, core: core, release: release}, nil
}

func (d *direct) manager() string { return d.Manager }

func (d *direct) as(set Set) transport {
	return &direct{Server: d.As(manager(set.Name)), client: d.client, core: d.core, release: d.release}
}

func (d *direct) each(n int, change func(i int)) { overObjects(n, change) }

func (d *direct) follow() {}

func (d *direct) reset() { d.client.Reset() }

func (d *direct) sees() bool { return true }

func (d *direct) outdated(ssa.Wanted) bool { return false }

func (d *direct) unsure() string { return "" }

func (d *direct) can(ctx context.Context, questions []authorizationv1.ResourceAttributes) ([]cluster.Denied, error) {
	const few = 2
	if len(questions) > few {
		// Who may do everything need not be asked for every verb.
		denied, err := d.client.Can(ctx, []authorizationv1.ResourceAttributes{{Verb: "*", Group: "*", Resource: "*"}})
		if err == nil && len(denied) == 0 {
			return nil, nil
		}
	}
	return d.client.Can(ctx, questions)
}

func (d *direct) serve(ctx context.Context, kind schema.GroupVersionKind) (Served, bool, error) {
	discovered, err := d.client.Discover(ctx)
	if err != nil {
		return Served{}, false, fmt.Errorf("discovery: %w", err)
	}
	var versions []string
	if kind.Version != "" {
		versions = []string{kind.Version}
	}
	mapping, err := discovered.Mapper.RESTMapping(kind.GroupKind(), versions...)
	if meta.IsNoMatchError(err) {
		for version, cause := range discovered.Failed {
			if version.Group == kind.Group {
				// An API server that is down serves nothing, and still has its objects.
				return Served{}, false, fmt.Errorf("discovery of %s: %w", version, cause)
			}
		}
		version, err := d.client.Version(ctx)
		if err != nil {
			return Served{}, false, err
		}
		return Served{}, false, notServed(kind, version, discovered)
	}
	if err != nil {
		return Served{}, false, fmt.Errorf("discovery: %w", err)
	}
	return Served{
		Version:    mapping.Resource.Version,
		Resource:   mapping.Resource.Resource,
		Namespaced: mapping.Scope.Name() == meta.RESTScopeNameNamespace,
	}, false, nil
}

func (d *direct) around(ctx context.Context, l health.Listing) []any {
	options := metav1.ListOptions{LabelSelector: l.LabelSelector, FieldSelector: l.FieldSelector, Limit: reasonObjects}
	var items []any
	switch l.Kind.Kind {
	case "Pod":
		if pods, err := d.core.Pods(l.Namespace).List(ctx, options); err == nil {
			for i := range pods.Items {
				items = append(items, &pods.Items[i])
			}
		}
	case "Event":
		if events, err := d.core.Events(l.Namespace).List(ctx, options); err == nil {
			for i := range events.Items {
				items = append(items, &events.Items[i])
			}
		}
	}
	return items
}

func (d *direct) store(set Set) *inventory.Store {
	store := inventory.NewStore(d.core, set.Inventory, set.Name, d.release)
	store.NamespaceExists = set.Namespaced
	return store
}

func (d *direct) parents(ctx context.Context, namespace string) (map[string]*inventory.Parent, error) {
	return inventory.List(ctx, d.core, namespace)
}

// places are the inventories on the cluster: in all namespaces or, where that is not allowed, in the one.
func (d *direct) places(ctx context.Context, namespace string) ([]inventory.Place, error) {
	places, err := inventory.Find(ctx, d.core, metav1.NamespaceAll)
	if apierrors.IsForbidden(err) {
		return inventory.Find(ctx, d.core, namespace)
	}
	return places, err
}
