package deploy

import (
	"context"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// transport is how a set gets to one cluster, and all that differs between a cluster that is reached directly and one behind a hub.
// Objects are the cluster's own or what the hub knows of them; nothing above asks which.
type transport interface {
	// manager is the set's field manager, as objects that List and Get return name it, and as is the same for the set under another name.
	manager() string
	as(set Set) transport

	// List, Get and Each read objects as they are, ListMetadata no more of them than their metadata, where the rest can be left out, and Reread says what that means for a record.
	List(ctx context.Context, r ssa.Resource, namespace, selector string) ([]*unstructured.Unstructured, error)
	ListMetadata(ctx context.Context, r ssa.Resource, namespace, selector string) ([]*unstructured.Unstructured, error)
	Get(ctx context.Context, r ssa.Resource, namespace, name string) (*unstructured.Unstructured, error)
	Each(ctx context.Context, r ssa.Resource, namespace, selector string, visit func(*unstructured.Unstructured)) error
	Reread(obj *unstructured.Unstructured, record ssa.Record) (ssa.Record, error)
	// Preview tells what Apply would make of an object. Delete deletes one, Release gives one up with every value it has, and Rename hands
	// one to the set under another name.
	Preview(ctx context.Context, w ssa.Wanted) (ssa.Outcome, error)
	Apply(ctx context.Context, w ssa.Wanted) (ssa.Outcome, error)
	Delete(ctx context.Context, r ssa.Resource, namespace, name string, uid types.UID, propagation metav1.DeletionPropagation) error
	Release(ctx context.Context, r ssa.Resource, live *unstructured.Unstructured) error
	Rename(ctx context.Context, r ssa.Resource, live *unstructured.Unstructured, to, partOf string) error
	// each changes n objects, as many at once as is right.
	each(n int, change func(i int))
	// follow has what is read from now on be as it is then, and not as it was when the set was first looked at.
	follow()

	// serve tells where a kind is served; guessed says that this is what it most likely is, and that so is the scope. A *notServedError says
	// that it is not served. reset has that looked up anew.
	serve(ctx context.Context, kind schema.GroupVersionKind) (served Served, guessed bool, err error)
	reset()
	// can asks what of the list is not allowed.
	can(ctx context.Context, questions []authorizationv1.ResourceAttributes) ([]cluster.Denied, error)
	// outdated tells of an object that is as it should be that how it is kept so is not as the set says now.
	outdated(w ssa.Wanted) bool
	// unsure says what Preview cannot tell, and only an apply can; empty where that is nothing.
	unsure() string
	// sees tells whether objects can be seen that are not the set's.
	sees() bool
	// around lists what may tell why an object is not healthy; what cannot be listed is left out.
	around(ctx context.Context, l health.Listing) []any

	// store is where the set's inventory is, parents are the inventories in a namespace by the names of their sets, and places all that can be found.
	store(set Set) *inventory.Store
	parents(ctx context.Context, namespace string) (map[string]*inventory.Parent, error)
	places(ctx context.Context, namespace string) ([]inventory.Place, error)
}

// delegated tells that somebody else keeps the objects of a set as they are to be, so that what the state knows of them is not all there is to compare.
func delegated(c fleet.Cluster) bool {
	access, err := cluster.ParseAccess(c.Access)
	return err == nil && access.Connection.OCM != nil
}

// transport opens the way to a cluster.
func (r *Runner) transport(ctx context.Context, client *cluster.Client, set Set) (transport, error) {
	if hub, managed := client.Hub(); hub != nil {
		return r.newHubTransport(ctx, client, hub, managed.Name, set)
	}
	return newDirect(client, set, r.release)
}
