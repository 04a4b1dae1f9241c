package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/storage"
)

// Reactions are what controllers would do about an object. A real cluster's controllers come later, by writes of their own.
type Reactions interface {
	// Settle completes an object that is about to be stored, such as with a status.
	Settle(resource schema.GroupResource, object runtime.Object) error
	// React follows from an object that was stored or removed. It must not change the object.
	React(ctx context.Context, c *Cluster, resource schema.GroupResource, object runtime.Object, removed bool) error
}

// Storage is the storage of one resource on all clusters.
type Storage struct {
	resource  schema.GroupResource
	prefix    string
	codec     runtime.Codec
	newObject func() runtime.Object
	versioner storage.Versioner
	reactions Reactions
}

var _ storage.Interface = (*Storage)(nil)

// New makes the storage of a resource, whose keys begin with the prefix. The codec writes objects as etcd would have them: what comes of that, such as times in whole
// seconds and defaults, is what a real API server shows.
func New(resource schema.GroupResource, prefix string, codec runtime.Codec, newObject func() runtime.Object, reactions Reactions) *Storage {
	return &Storage{resource: resource, prefix: prefix, codec: codec, newObject: newObject, versioner: storage.APIObjectVersioner{}, reactions: reactions}
}

// Versioner reads and writes resource versions.
func (s *Storage) Versioner() storage.Versioner { return s.versioner }

// Create stores an object that is not there yet.
func (s *Storage) Create(ctx context.Context, key string, obj, out runtime.Object, _ uint64) error {
	c, err := From(ctx)
	if err != nil {
		return err
	}
	if version, err := s.versioner.ObjectResourceVersion(obj); err == nil && version != 0 {
		return storage.ErrResourceVersionSetOnCreate
	}
	if err := s.reactions.Settle(s.resource, obj); err != nil {
		return err
	}
	data, stored, err := s.encode(obj)
	if err != nil {
		return err
	}
	c.mu.Lock()
	if c.get(s, key) != nil {
		c.mu.Unlock()
		return storage.NewKeyExistsError(key, 0)
	}
	it, err := c.put(s, key, data, stored)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	if out != nil {
		if err := set(out, it.object.DeepCopyObject()); err != nil {
			return err
		}
	}
	return s.react(ctx, it.object, false)
}

// Delete removes an object.
func (s *Storage) Delete(ctx context.Context, key string, out runtime.Object, preconditions *storage.Preconditions, validate storage.ValidateObjectFunc, _ runtime.Object, _ storage.DeleteOptions) error {
	c, err := From(ctx)
	if err != nil {
		return err
	}
	for {
		c.mu.RLock()
		current := c.get(s, key)
		c.mu.RUnlock()
		if current == nil {
			return storage.NewKeyNotFoundError(key, 0)
		}
		object, err := s.read(current)
		if err != nil {
			return err
		}
		if err := preconditions.Check(key, object); err != nil {
			return err
		}
		if err := validate(ctx, object); err != nil {
			return err
		}
		c.mu.Lock()
		if c.get(s, key) != current {
			c.mu.Unlock()
			continue
		}
		removed, err := c.remove(s, key, object)
		c.mu.Unlock()
		if err != nil {
			return err
		}
		if err := set(out, removed.DeepCopyObject()); err != nil {
			return err
		}
		return s.react(ctx, removed, true)
	}
}

// Get reads an object. It is shared with other readers, as by the real API server's watch cache.
func (s *Storage) Get(ctx context.Context, key string, opts storage.GetOptions, out runtime.Object) error {
	c, err := From(ctx)
	if err != nil {
		return err
	}
	c.mu.RLock()
	current := c.get(s, key)
	c.mu.RUnlock()
	if current != nil {
		object, err := s.read(current)
		if err != nil {
			return err
		}
		return set(out, object)
	}
	if opts.IgnoreNotFound {
		return runtime.SetZeroValue(out)
	}
	return storage.NewKeyNotFoundError(key, 0)
}

// GuaranteedUpdate writes what try makes of an object, unless that is what is there already.
func (s *Storage) GuaranteedUpdate(ctx context.Context, key string, out runtime.Object, ignoreNotFound bool, preconditions *storage.Preconditions, try storage.UpdateFunc, _ runtime.Object) error {
	return s.update(ctx, key, preconditions, func(current runtime.Object) (runtime.Object, error) {
		if current == nil {
			if !ignoreNotFound {
				return nil, storage.NewKeyNotFoundError(key, 0)
			}
			current = s.newObject()
		}
		version, err := s.versioner.ObjectResourceVersion(current)
		if err != nil {
			return nil, err
		}
		wanted, _, err := try(current, storage.ResponseMeta{ResourceVersion: version})
		return wanted, err
	}, out)
}

// update writes what try makes of a copy of the object, nil where there is none, and tries again if it has changed meanwhile.
func (s *Storage) update(ctx context.Context, key string, preconditions *storage.Preconditions, try func(runtime.Object) (runtime.Object, error), out runtime.Object) error {
	c, err := From(ctx)
	if err != nil {
		return err
	}
	for {
		c.mu.RLock()
		before := c.get(s, key)
		c.mu.RUnlock()
		var current runtime.Object
		if before != nil {
			object, err := s.read(before)
			if err != nil {
				return err
			}
			if err := preconditions.Check(key, object); err != nil {
				return err
			}
			current = object.DeepCopyObject()
		}
		wanted, err := try(current)
		if err != nil {
			return err
		}
		after, done, err := s.replace(c, key, before, wanted)
		if err != nil {
			return err
		}
		if !done {
			continue
		}
		object, err := s.read(after)
		if err != nil {
			return err
		}
		if out != nil {
			if err := set(out, object.DeepCopyObject()); err != nil {
				return err
			}
		}
		if after == before {
			return nil
		}
		return s.react(ctx, object, false)
	}
}

// replace is not done where the object has changed since it was read.
func (s *Storage) replace(c *Cluster, key string, before *item, wanted runtime.Object) (after *item, done bool, err error) {
	if err := s.reactions.Settle(s.resource, wanted); err != nil {
		return nil, false, err
	}
	data, stored, err := s.encode(wanted)
	if err != nil {
		return nil, false, err
	}
	if before != nil && bytes.Equal(data, before.data) {
		return before, true, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.get(s, key) != before {
		return nil, false, nil
	}
	after, err = c.put(s, key, data, stored)
	return after, true, err
}

// encode returns the object as it is stored, and as it comes back from there.
func (s *Storage) encode(obj runtime.Object) ([]byte, runtime.Object, error) {
	if err := s.versioner.PrepareObjectForStorage(obj); err != nil {
		return nil, nil, fmt.Errorf("prepare for storage: %w", err)
	}
	data, err := runtime.Encode(s.codec, obj)
	if err != nil {
		return nil, nil, fmt.Errorf("encode for storage: %w", err)
	}
	stored, _, err := s.codec.Decode(data, nil, s.newObject())
	if err != nil {
		return nil, nil, fmt.Errorf("decode what was stored: %w", err)
	}
	return bytes.Clone(data), stored, nil
}

// read is the item's object. A custom resource has a storage for each version of its definition, and a definition that changed has
// others than before; what one of them wrote another has to read by itself.
func (s *Storage) read(it *item) (runtime.Object, error) {
	if it.by == s {
		return it.object, nil
	}
	object, _, err := s.codec.Decode(it.data, nil, s.newObject())
	if err != nil {
		return nil, fmt.Errorf("decode what was stored: %w", err)
	}
	return object, s.versioner.UpdateObject(object, it.revision)
}

func (s *Storage) react(ctx context.Context, object runtime.Object, removed bool) error {
	c, err := From(ctx)
	if err != nil {
		return err
	}
	return s.reactions.React(ctx, c, s.resource, object, removed)
}

// Stats is asked for by no one here.
func (s *Storage) Stats(context.Context) (storage.Stats, error) { return storage.Stats{}, nil }

// ReadinessCheck finds memory ready.
func (s *Storage) ReadinessCheck() error { return nil }

// RequestWatchProgress has nothing to wait for.
func (s *Storage) RequestWatchProgress(context.Context) error { return nil }

// GetCurrentResourceVersion is the cluster's latest revision.
func (s *Storage) GetCurrentResourceVersion(ctx context.Context) (uint64, error) {
	c, err := From(ctx)
	if err != nil {
		return 0, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.revision, nil
}

// EnableResourceSizeEstimation is for flow control, which there is none of.
func (s *Storage) EnableResourceSizeEstimation(storage.KeysFunc) error { return nil }

// CompactRevision is 0, since nothing old is kept that could be compacted.
func (s *Storage) CompactRevision() int64 { return 0 }

// set makes out the object, sharing what it refers to.
func set(out, object runtime.Object) error {
	to, err := conversion.EnforcePtr(out)
	if err != nil {
		return fmt.Errorf("the result: %w", err)
	}
	from := reflect.ValueOf(object)
	if from.Type() != reflect.TypeOf(out) {
		return fmt.Errorf("the result is to be a %T, but a %T is stored", out, object)
	}
	to.Set(from.Elem())
	return nil
}

func isNotFound(err error) bool {
	var e *storage.StorageError
	return errors.As(err, &e) && e.Code == storage.ErrCodeKeyNotFound
}
