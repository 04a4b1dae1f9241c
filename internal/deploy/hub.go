package deploy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/ocm"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// hubTransport reaches a cluster through a hub of Open Cluster Management: the set is ManifestWorks in the hub's namespace of the cluster,
// which the cluster's agent pulls, applies and reports on.
type hubTransport struct {
	runner *Runner
	set    Set
	// name is the cluster's name in the fleet, and namespace that of the ManagedCluster.
	name, namespace string
	executor        string
	hub             *cluster.Client
	core            typedcorev1.CoreV1Interface
	works           *hubWorks
	batch           *batch
}

var _ transport = (*hubTransport)(nil)

// hubKey is a set on a hub.
type hubKey struct {
	hub *cluster.Client
	set string
}

// hubFleet is what a hub has of a set for all its clusters.
type hubFleet struct {
	once sync.Once
	err  error
	mu   sync.Mutex
	// works are those of each cluster, and parents the set's inventories there, by namespace. parents is nil where they could not be listed.
	works   map[string]*hubWorks
	parents map[string]*inventory.Parent
}

// hubWorks are a set's works for one cluster.
type hubWorks struct {
	mu sync.Mutex
	// by are the works by name, as they were at the time.
	by map[string]*hubWork
	at time.Time
	// live tells that they are read again whenever they are looked at.
	live bool
}

// hubWork is one work.
type hubWork struct {
	raw   *unstructured.Unstructured
	work  workv1.ManifestWork
	items []ocm.Item
}

func readWork(raw *unstructured.Unstructured) (*hubWork, error) {
	w := &hubWork{raw: raw}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw.Object, &w.work); err != nil {
		return nil, fmt.Errorf("ManifestWork %s/%s: %w", raw.GetNamespace(), raw.GetName(), err)
	}
	var err error
	w.items, err = ocm.Items(&w.work)
	return w, err
}

func (r *Runner) newHubTransport(ctx context.Context, client, hub *cluster.Client, namespace string, set Set) (*hubTransport, error) {
	_, core, err := speak(hub)
	if err != nil {
		return nil, err
	}
	h := &hubTransport{runner: r, set: set, name: client.Name(), namespace: namespace, executor: client.Executor(), hub: hub, core: core}
	if set.Name == "" {
		// Only inventories are asked for.
		return h, nil
	}
	return h, h.load(ctx)
}

// setID is how the works of the set are labelled.
func (h *hubTransport) setID() string { return inventory.ID(h.set.Inventory, h.set.Name) }

// load finds the set's works: by one LIST for all clusters that are behind the hub, or, where that is not allowed, in the namespace.
func (h *hubTransport) load(ctx context.Context) error {
	key := hubKey{hub: h.hub, set: h.setID()}
	h.runner.mu.Lock()
	if h.runner.hubs == nil {
		h.runner.hubs = map[hubKey]*hubFleet{}
	}
	if h.runner.hubs[key] == nil {
		h.runner.hubs[key] = &hubFleet{works: map[string]*hubWorks{}}
	}
	f := h.runner.hubs[key]
	h.runner.mu.Unlock()
	f.once.Do(func() { f.err = h.listAll(context.WithoutCancel(ctx), f) })
	if f.err != nil && !apierrors.IsForbidden(f.err) {
		return h.hub.Classify(f.err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if h.works = f.works[h.namespace]; h.works == nil {
		h.works = &hubWorks{by: map[string]*hubWork{}, at: time.Now()}
		f.works[h.namespace] = h.works
		if f.err != nil {
			h.works.at = time.Time{}
		}
	}
	if f.parents != nil {
		h.noteParent(f.parents[h.namespace])
	}
	if f.err != nil {
		return h.refresh(ctx, false)
	}
	return nil
}

// noteParent saves reading the inventory of this cluster alone.
func (h *hubTransport) noteParent(parent *inventory.Parent) {
	o := h.runner.observation(h.set, h.name)
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.listed && !o.read {
		o.parent, o.read = parent, true
	}
	o.listed = true
}

func (h *hubTransport) listAll(ctx context.Context, f *hubFleet) error {
	list, err := h.hub.Dynamic().Resource(ocm.Works).List(ctx, metav1.ListOptions{LabelSelector: ocm.SetLabel + "=" + h.setID()})
	if err != nil {
		return h.unlisted(err)
	}
	for i := range list.Items {
		w, err := readWork(&list.Items[i])
		if err != nil {
			return err
		}
		ns := w.work.Namespace
		if f.works[ns] == nil {
			f.works[ns] = &hubWorks{by: map[string]*hubWork{}, at: time.Now()}
		}
		f.works[ns].by[w.work.Name] = w
	}
	if f.parents, err = inventory.ListLabelled(ctx, h.core, h.setID()); apierrors.IsForbidden(err) {
		err = nil
	}
	return err
}

func (h *hubTransport) unlisted(err error) error {
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("the hub %s serves no ManifestWorks (%s), so it is no hub of Open Cluster Management: %w", h.hub.Name(), ocm.Works.GroupResource(), err)
	}
	return err
}

// fresh is how old what is known of works may be where they are followed.
const fresh = 400 * time.Millisecond

// refresh reads the works of this cluster again, if they are older than they may be or if now.
func (h *hubTransport) refresh(ctx context.Context, now bool) error {
	h.works.mu.Lock()
	defer h.works.mu.Unlock()
	if !now && (time.Since(h.works.at) < fresh || !h.works.live && !h.works.at.IsZero()) {
		return nil
	}
	return h.reload(ctx)
}

// reload is refresh for who holds the lock.
func (h *hubTransport) reload(ctx context.Context) error {
	list, err := h.hub.Dynamic().Resource(ocm.Works).Namespace(h.namespace).List(ctx, metav1.ListOptions{LabelSelector: ocm.SetLabel + "=" + h.setID()})
	if err != nil {
		return h.hub.Classify(h.unlisted(err))
	}
	by := map[string]*hubWork{}
	for i := range list.Items {
		w, err := readWork(&list.Items[i])
		if err != nil {
			return err
		}
		by[w.work.Name] = w
	}
	h.works.by, h.works.at = by, time.Now()
	return nil
}

func (h *hubTransport) follow() {
	h.works.mu.Lock()
	defer h.works.mu.Unlock()
	h.works.live = true
}

// find is an object of the set with the work that has it; nil where none does. A work on its way out has nothing any more.
func (h *hubTransport) find(key fleet.ObjectKey) (*hubWork, *ocm.Item) {
	h.works.mu.Lock()
	defer h.works.mu.Unlock()
	for _, name := range sortedWorks(h.works.by) {
		w := h.works.by[name]
		for i := range w.items {
			if w.items[i].Key == key && w.work.DeletionTimestamp == nil {
				return w, &w.items[i]
			}
		}
	}
	return nil, nil
}

// known is find without what agents are only asked to look at.
func (h *hubTransport) known(key fleet.ObjectKey) (*hubWork, *ocm.Item) {
	w, item := h.find(key)
	if item != nil && item.LooksOnly() {
		return nil, nil
	}
	return w, item
}

func sortedWorks(by map[string]*hubWork) []string {
	names := make([]string, 0, len(by))
	for name := range by {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ListMetadata is List: the hub's copy of the set is here whole.
func (h *hubTransport) ListMetadata(ctx context.Context, r ssa.Resource, namespace, selector string) ([]*unstructured.Unstructured, error) {
	return h.List(ctx, r, namespace, selector)
}

// List lists the objects of the set that are of a kind. The selector names the set, of whose works the list is anyway.
func (h *hubTransport) List(ctx context.Context, r ssa.Resource, namespace, _ string) ([]*unstructured.Unstructured, error) {
	if err := h.refresh(ctx, false); err != nil {
		return nil, err
	}
	h.works.mu.Lock()
	defer h.works.mu.Unlock()
	seen := map[fleet.ObjectKey]bool{}
	var out []*unstructured.Unstructured
	for _, name := range sortedWorks(h.works.by) {
		w := h.works.by[name]
		for _, item := range w.items {
			if item.Key.Group != r.Group || item.Key.Kind != r.Kind || namespace != "" && item.Key.Namespace != namespace || seen[item.Key] || item.LooksOnly() || w.work.DeletionTimestamp != nil {
				continue
			}
			seen[item.Key] = true
			obj, err := h.observed(w, item)
			if err != nil {
				return nil, err
			}
			out = append(out, obj)
		}
	}
	return out, nil
}

// Get reads one object of the set.
func (h *hubTransport) Get(ctx context.Context, r ssa.Resource, namespace, name string) (*unstructured.Unstructured, error) {
	if err := h.refresh(ctx, false); err != nil {
		return nil, err
	}
	w, item := h.known(fleet.ObjectKey{Group: r.Group, Kind: r.Kind, Namespace: namespace, Name: name})
	if item == nil {
		return nil, apierrors.NewNotFound(r.GroupResource(), name)
	}
	return h.observed(w, *item)
}

// Each is for objects that are not the set's.
func (h *hubTransport) Each(context.Context, ssa.Resource, string, string, func(*unstructured.Unstructured)) error {
	return &cluster.ThroughHubError{Cluster: h.name, Hub: h.hub.Name()}
}
