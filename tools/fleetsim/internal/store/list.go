package store

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/storage"
)

// GetList lists the objects whose keys begin with the key, or the one that has it. A later page shows the objects as they are by then,
// while a real API server shows them as they were at the first page.
func (s *Storage) GetList(ctx context.Context, key string, opts storage.ListOptions, out runtime.Object) error {
	c, err := From(ctx)
	if err != nil {
		return err
	}
	prefix := key
	if opts.Recursive && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	items, err := items(out)
	if err != nil {
		return err
	}
	revision, from, err := storage.ValidateListOptions(prefix, s.versioner, opts)
	if err != nil {
		return err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if revision > int64(c.revision) {
		return storage.NewTooLargeResourceVersionError(uint64(revision), c.revision, 0)
	}
	if revision == 0 {
		revision = int64(c.revision)
	}
	last, more, seen := "", false, int64(0)
	for _, k := range c.keys(s) {
		if opts.Recursive && !strings.HasPrefix(k, prefix) || !opts.Recursive && k != key || k < from {
			continue
		}
		seen++
		if limit := opts.Predicate.Limit; limit > 0 && int64(items.Len()) >= limit {
			more = true
			continue
		}
		last = k
		object, err := s.read(c.get(s, k))
		if err != nil {
			return err
		}
		if matched, err := opts.Predicate.Matches(object); err == nil && matched {
			items.Set(reflect.Append(items, reflect.ValueOf(object).Elem()))
		}
	}
	if items.IsNil() {
		items.Set(reflect.MakeSlice(items.Type(), 0, 0))
	}
	token, remaining, err := storage.PrepareContinueToken(last, prefix, revision, seen, more, opts)
	if err != nil {
		return err
	}
	return s.versioner.UpdateList(out, uint64(revision), token, remaining)
}

func items(list runtime.Object) (reflect.Value, error) {
	pointer, err := meta.GetItemsPtr(list)
	if err != nil {
		return reflect.Value{}, err
	}
	v, err := conversion.EnforcePtr(pointer)
	if err != nil {
		return reflect.Value{}, err
	}
	if v.Kind() != reflect.Slice {
		return reflect.Value{}, fmt.Errorf("the items of a %T are no slice", list)
	}
	return v, nil
}
