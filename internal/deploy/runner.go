package deploy

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/progress"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// requestsPerCluster bounds the objects worked on at once on one cluster.
const requestsPerCluster = 16

// Runner drives sets over the fleet. One is shared by all sets of a process.
type Runner struct {
	pool        *cluster.Pool
	maxClusters int
	release     string
	log         cluster.Log
	// run is this process, as the clusters know it, and pulse how it shows there that it lives.
	run   inventory.Run
	pulse pulse
	// progress is where to tell how applies get on; nil is nowhere.
	progress *progress.Log

	mu       sync.Mutex
	seen     map[string]*observation
	promised map[string]*promises
	plans    map[string]Plan
	left     map[string]bool
	writers  map[string]string
	modes    map[string]fleet.Mode
	holders  map[[2]string]holder
	names    map[string]*naming
	// sent is what is sent of objects, by their content; nobody may change it.
	sent map[string]ssa.Fields
	// hubs are what hubs have of sets, by hub and set.
	hubs map[hubKey]*hubFleet
	// serving are the clusters found to serve a kind, by kind.
	serving map[string]map[string]bool
}

// NewRunner works through the pool's connections, on at most maxClusters clusters at once, and logs how long each took. release is
// the provider's version.
func NewRunner(pool *cluster.Pool, maxClusters int, release string, log cluster.Log) *Runner {
	return &Runner{pool: pool, maxClusters: max(1, maxClusters), release: release, log: log, seen: map[string]*observation{}, promised: map[string]*promises{}, plans: map[string]Plan{}, left: map[string]bool{}, writers: map[string]string{}, modes: map[string]fleet.Mode{},
		run: inventory.ThisRun(), pulse: pulse{beat: heartbeat, lapse: heartbeatLapse, watch: watchEvery}}
}

// observation is what this process has seen of a set on a cluster; a plan uses what the read before it found.
type observation struct {
	mu     sync.Mutex
	parent *inventory.Parent
	read   bool
	live   map[fleet.ObjectKey]*unstructured.Unstructured
	absent map[fleet.ObjectKey]bool
	// listed tells that the parent was read with those of the other clusters, if there was one.
	listed bool
	// previews are the answers of the dry runs, for policies.
	previews map[fleet.ObjectKey]*unstructured.Unstructured
	// warned are the warnings of the API server that were given already.
	warned map[string]bool
}

func (o *observation) lookup(key fleet.ObjectKey) (live *unstructured.Unstructured, absent bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.live[key], o.absent[key]
}

func (o *observation) note(key fleet.ObjectKey, live *unstructured.Unstructured) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if live == nil {
		delete(o.live, key)
		o.absent[key] = true
		return
	}
	delete(o.absent, key)
	o.live[key] = live
}

// forget drops what was seen, once it has been changed.
func (o *observation) forget(key fleet.ObjectKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.live, key)
	delete(o.absent, key)
}

func (r *Runner) observation(set Set, cluster string) *observation {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := set.id() + "@" + cluster
	if r.seen[id] == nil {
		r.seen[id] = &observation{live: map[fleet.ObjectKey]*unstructured.Unstructured{}, absent: map[fleet.ObjectKey]bool{}}
	}
	return r.seen[id]
}

// NoteMode notes whether a cluster takes part, for the sets that it is about to leave.
func (r *Runner) NoteMode(cluster string, mode fleet.Mode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.modes[cluster] = mode
}

// member tells whether this process has read a fleet_cluster of the name.
func (r *Runner) member(cluster string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.modes[cluster]
	return ok
}

func (r *Runner) mode(cluster string) fleet.Mode {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.modes[cluster]
}

// claim refuses a second resource of this run that has the same set on the cluster: the two would prune each other.
func (r *Runner) claim(set Set, cluster string) error {
	if set.Instance == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	id := set.id() + "@" + cluster
	if other, ok := r.writers[id]; ok && other != set.Instance {
		return fmt.Errorf("another fleet_manifest of this configuration has the name %q on this cluster, too; give each a name of its own, "+
			"or, if one became the other, say so in a moved block", set.Name)
	}
	r.writers[id] = set.Instance
	return nil
}

// promises are the kinds and namespaces that sets of this run are about to create on a cluster, so that a set planned
// later does not take them for missing.
type promises struct {
	kinds      map[string]manifest.DefinedKind
	namespaces map[string]bool
}

func (r *Runner) promise(cluster string, objects []manifest.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.promised[cluster]
	if p == nil {
		p = &promises{kinds: map[string]manifest.DefinedKind{}, namespaces: map[string]bool{}}
		r.promised[cluster] = p
	}
	for _, d := range manifest.DefinedKinds(objects) {
		p.kinds[d.GroupKind.String()] = d
	}
	for _, n := range manifest.DefinedNamespaces(objects) {
		p.namespaces[n] = true
	}
}

// promisedKind tells how this run defines the kind on the cluster, if it does.
func (r *Runner) promisedKind(cluster string, kind schema.GroupVersionKind) (manifest.DefinedKind, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.promised[cluster] == nil {
		return manifest.DefinedKind{}, false
	}
	d, ok := r.promised[cluster].kinds[kind.GroupKind().String()]
	return d, ok && slices.Contains(d.Versions, kind.Version)
}

// promisedNamespace tells whether this run creates the namespace on the cluster.
func (r *Runner) promisedNamespace(cluster, namespace string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.promised[cluster] != nil && r.promised[cluster].namespaces[namespace]
}

// overClusters calls work for each name, several at a time. Every call runs, whatever becomes of the others.
func (r *Runner) overClusters(ctx context.Context, verb string, set Set, names []string, access map[string]string, work func(name string)) {
	// Dead clusters are found out all at once, so that none of them holds a slot that a live one could use.
	r.pool.Probe(ctx, access)
	var g errgroup.Group
	g.SetLimit(r.maxClusters)
	for _, name := range names {
		g.Go(func() error {
			start := time.Now()
			work(name)
			r.log(ctx, slog.LevelDebug, verb, map[string]any{"set": set.Name, "cluster": name, "duration": time.Since(start).String()})
			return nil
		})
	}
	_ = g.Wait()
}

// overObjects calls work for each index below n, as many at a time as one cluster is asked at once.
func overObjects(n int, work func(i int)) {
	var g errgroup.Group
	g.SetLimit(requestsPerCluster)
	for i := range n {
		g.Go(func() error {
			work(i)
			return nil
		})
	}
	_ = g.Wait()
}

// clusterNames are the names of the set's clusters and of those known from before, sorted.
func clusterNames(set Set, state State) []string {
	names := map[string]bool{}
	for name := range set.Clusters {
		names[name] = true
	}
	for name := range state {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}
