package store

import (
	"context"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/storage"
)

// pending is how many events a watcher may be behind before it is cut off, as slow watchers are by a real API server.
const pending = 256

type watcher struct {
	cluster   *Cluster
	storage   *Storage
	prefix    string
	recursive bool
	predicate storage.SelectionPredicate
	events    chan watch.Event
	stop      sync.Once
}

// Watch tells of changes from now on. Changes of the past are not kept: who wants them is told that they expired, and lists again.
func (s *Storage) Watch(ctx context.Context, key string, opts storage.ListOptions) (watch.Interface, error) {
	c, err := From(ctx)
	if err != nil {
		return nil, err
	}
	since, err := s.versioner.ParseResourceVersion(opts.ResourceVersion)
	if err != nil {
		return nil, err
	}
	w := &watcher{cluster: c, storage: s, prefix: key, recursive: opts.Recursive, predicate: opts.Predicate}
	if w.recursive && !strings.HasSuffix(w.prefix, "/") {
		w.prefix += "/"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if since != 0 && since < c.revision {
		return nil, apierrors.NewResourceExpired("the simulated cluster keeps no history: list again")
	}
	var present []watch.Event
	if since == 0 {
		for _, k := range c.keys(s) {
			object := c.get(s, k).object
			if matched, err := w.predicate.Matches(object); err == nil && matched && w.about(s, k) {
				present = append(present, watch.Event{Type: watch.Added, Object: object.DeepCopyObject()})
			}
		}
	}
	w.events = make(chan watch.Event, len(present)+pending)
	for _, event := range present {
		w.events <- event
	}
	c.watchers[w] = struct{}{}
	context.AfterFunc(ctx, w.Stop)
	return w, nil
}

func (w *watcher) about(s *Storage, key string) bool {
	return w.storage.prefix == s.prefix && (key == w.prefix || w.recursive && strings.HasPrefix(key, w.prefix))
}

// ResultChan has the events.
func (w *watcher) ResultChan() <-chan watch.Event { return w.events }

// Stop ends the watch.
func (w *watcher) Stop() {
	w.cluster.mu.Lock()
	defer w.cluster.mu.Unlock()
	w.end()
}

func (w *watcher) end() {
	w.stop.Do(func() {
		delete(w.cluster.watchers, w)
		close(w.events)
	})
}

// tell wants the lock to be held. To who selects objects, one that comes to match is new, and one that ceases to is gone.
func (c *Cluster) tell(kind watch.EventType, s *Storage, key string, object, before runtime.Object) {
	for w := range c.watchers {
		if !w.about(s, key) {
			continue
		}
		kind := kind
		is, was := w.matches(object), before != nil && w.matches(before)
		switch {
		case kind == watch.Deleted && !was, !is && !was:
			continue
		case kind == watch.Deleted:
		case is && !was:
			kind = watch.Added
		case was && !is:
			kind = watch.Deleted
		}
		select {
		case w.events <- watch.Event{Type: kind, Object: object.DeepCopyObject()}:
		default:
			w.end()
		}
	}
}

func (w *watcher) matches(object runtime.Object) bool {
	matched, err := w.predicate.Matches(object)
	return err == nil && matched
}
