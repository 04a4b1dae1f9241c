// Package store keeps the objects of simulated clusters in memory, behind the interface that k8s.io/apiserver wants its
// storage to have. All clusters share one Storage per resource; which of them a request is for, its context says.
package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// Cluster holds the objects of one simulated cluster. It is safe for concurrent use.
type Cluster struct {
	// Name is the cluster's name in the fleet.
	Name string

	mu       sync.RWMutex
	revision uint64
	tables   map[string]map[string]*item
	watchers map[*watcher]struct{}
}

// item is one stored object. Nothing in it ever changes; a write puts another item in its place, so that readers can share it.
type item struct {
	// data is the object as the real API server would put it into etcd, without its resource version.
	data []byte
	// object is the same as by, which wrote it, reads it.
	object   runtime.Object
	by       *Storage
	revision uint64
}

// Object is one stored object, and where it is.
type Object struct {
	key string
	by  *Storage
	// Resource is the resource it is of.
	Resource schema.GroupResource
	// Object must not be changed.
	Object runtime.Object
}

// NewCluster makes a cluster without objects.
func NewCluster(name string) *Cluster {
	return &Cluster{Name: name, revision: 1, tables: map[string]map[string]*item{}, watchers: map[*watcher]struct{}{}}
}

type clusterKey struct{}

// With returns a context for requests to the cluster.
func With(ctx context.Context, c *Cluster) context.Context {
	return context.WithValue(ctx, clusterKey{}, c)
}

// From returns the cluster that a request is for.
func From(ctx context.Context) (*Cluster, error) {
	if c, ok := ctx.Value(clusterKey{}).(*Cluster); ok {
		return c, nil
	}
	return nil, fmt.Errorf("the request's context names no simulated cluster")
}

// Objects returns the objects that match, in no order.
func (c *Cluster) Objects(match func(Object) bool) []Object {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var found []Object
	for _, table := range c.tables {
		for key, it := range table {
			if o := (Object{key: key, by: it.by, Resource: it.by.resource, Object: it.object}); match(o) {
				found = append(found, o)
			}
		}
	}
	return found
}

// Remove removes the object, whatever its finalizers say, unless it is gone.
func (c *Cluster) Remove(ctx context.Context, o Object) error {
	c.mu.Lock()
	current := c.get(o.by, o.key)
	if current == nil {
		c.mu.Unlock()
		return nil
	}
	removed, err := c.remove(o.by, o.key, current.object)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return o.by.react(With(ctx, c), removed, true)
}

// Change writes what change makes of the object, unless it is gone.
func (c *Cluster) Change(ctx context.Context, o Object, change func(runtime.Object) error) error {
	err := o.by.update(With(ctx, c), o.key, nil, func(current runtime.Object) (runtime.Object, error) {
		return current, change(current)
	}, nil)
	if isNotFound(err) {
		return nil
	}
	return err
}

// Count is how many objects there are.
func (c *Cluster) Count() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	count := 0
	for _, table := range c.tables {
		count += len(table)
	}
	return count
}

// get, put and remove want the lock to be held.
func (c *Cluster) get(s *Storage, key string) *item { return c.tables[s.prefix][key] }

func (c *Cluster) put(s *Storage, key string, data []byte, object runtime.Object) (*item, error) {
	before := c.get(s, key)
	it := &item{data: data, object: object, by: s, revision: c.revision + 1}
	if err := s.versioner.UpdateObject(object, it.revision); err != nil {
		return nil, err
	}
	c.revision = it.revision
	table := c.tables[s.prefix]
	if table == nil {
		table = map[string]*item{}
		c.tables[s.prefix] = table
	}
	table[key] = it
	if before == nil {
		c.tell(watch.Added, s, key, object, nil)
	} else {
		c.tell(watch.Modified, s, key, object, before.object)
	}
	return it, nil
}

// remove returns the object as it was, with the revision at which it went.
func (c *Cluster) remove(s *Storage, key string, current runtime.Object) (runtime.Object, error) {
	removed := current.DeepCopyObject()
	if err := s.versioner.UpdateObject(removed, c.revision+1); err != nil {
		return nil, err
	}
	c.revision++
	delete(c.tables[s.prefix], key)
	c.tell(watch.Deleted, s, key, removed, current)
	return removed, nil
}

// keys are a table's keys in order, as etcd would list them.
func (c *Cluster) keys(s *Storage) []string { return slices.Sorted(maps.Keys(c.tables[s.prefix])) }
