package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// prune removes what the set has on the cluster and no longer wants: what state knows and what the inventory finds, so
// that nothing is left behind by a run that was killed. It goes through the stages backwards.
func (s *site) prune(ctx context.Context, list []wanted, prior ClusterState, parent *inventory.Parent, after *ClusterState) Problems {
	keep := s.keeps(list)
	live, err := s.leftovers(ctx, prior, parent, keep)
	if err != nil {
		return s.problems(nil, err)
	}
	for key := range prior.Objects {
		if !keep[key] && live[key] == nil {
			forget(after, key)
		}
	}
	var notes Problems
	for _, stage := range slices.Backward(manifest.Stages) {
		var of []*unstructured.Unstructured
		for key, obj := range live {
			if manifest.StageOf(key.Group, key.Kind) == stage {
				of = append(of, obj)
			}
		}
		slices.SortFunc(of, func(a, b *unstructured.Unstructured) int { return keyOf(a).Compare(keyOf(b)) })
		errs := make([]error, len(of))
		resources := make([]Served, len(of))
		for i, obj := range of {
			kind := obj.GroupVersionKind()
			if _, errs[i] = s.resource(ctx, kind); errs[i] == nil {
				resources[i] = s.kinds[kind.GroupKind().String()]
			}
		}
		s.server.each(len(of), func(i int) {
			if errs[i] == nil {
				errs[i] = s.remove(ctx, prior.Cluster, resources[i], of[i])
			}
		})
		for i, obj := range of {
			key := keyOf(obj)
			var kept *keptError
			if errors.As(errs[i], &kept) {
				notes = append(notes, Problem{Cluster: s.name, Object: &key, Err: kept, Warning: true})
			} else if errs[i] != nil {
				notes = append(notes, s.problems(&key, errs[i])...)
				continue
			}
			s.seen.forget(key)
			forget(after, key)
		}
		if len(notes.Errors()) > 0 {
			return notes
		}
	}
	return notes
}

func forget(after *ClusterState, key fleet.ObjectKey) {
	delete(after.Objects, key)
	delete(after.Applied.Objects, key.String())
}

// leftovers lists the set's objects that are not to be kept. Where state knows of none, the clusters are asked only after a
// run that did not end well or was another instance's.
func (s *site) leftovers(ctx context.Context, prior ClusterState, parent *inventory.Parent, keep map[fleet.ObjectKey]bool) (map[fleet.ObjectKey]*unstructured.Unstructured, error) {
	known := true
	for key := range prior.Objects {
		known = known && keep[key]
	}
	if known && s.settled {
		return nil, nil
	}
	live, err := s.find(ctx, prior, parent, s.listForRemoval)
	if err != nil {
		return nil, err
	}
	for key := range keep {
		delete(live, key)
	}
	if s.set.Held[s.name].stale {
		maps.DeleteFunc(live, func(_ fleet.ObjectKey, obj *unstructured.Unstructured) bool {
			return hiding{}.marked(obj.GetAnnotations()[fleet.HiddenAnnotation]).all
		})
	}
	return live, nil
}

// listForRemoval lists as much of objects as it takes to remove them: of definitions, the versions that they serve as well.
func (s *site) listForRemoval(ctx context.Context, r ssa.Resource, namespace, selector string) ([]*unstructured.Unstructured, error) {
	if r.Kind == "CustomResourceDefinition" {
		return s.server.List(ctx, r, namespace, selector)
	}
	return s.server.ListMetadata(ctx, r, namespace, selector)
}

// remove deletes what is to be deleted and gives up the rest: what the set did not create, and what its policy says is to stay.
func (s *site) remove(ctx context.Context, c fleet.Cluster, served Served, obj *unstructured.Unstructured) error {
	key := keyOf(obj)
	resource := served.at(schema.GroupKind{Group: key.Group, Kind: key.Kind})
	treat, err := s.set.treat(c, key, obj.GetLabels())
	if err != nil {
		return err
	}
	_, created := obj.GetAnnotations()[fleet.CreatedAnnotation]
	if treat.removal(created) == ActionRelease {
		return s.release(ctx, resource, obj)
	}
	if holdsOthers(key) && !s.server.sees() {
		if err := s.release(ctx, resource, obj); err != nil {
			return err
		}
		return &keptError{}
	}
	foreign, err := s.foreignContent(ctx, obj)
	if err != nil {
		return fmt.Errorf("look for what others have in it: %w", err)
	}
	if len(foreign) > 0 {
		if err := s.release(ctx, resource, obj); err != nil {
			return err
		}
		return &keptError{content: foreign}
	}
	return s.delete(ctx, resource, obj)
}

// releaseAttempts is how often a release is tried on an object that others keep writing to.
const releaseAttempts = 5

// release gives the object up, with every value it has.
func (s *site) release(ctx context.Context, resource ssa.Resource, obj *unstructured.Unstructured) error {
	for attempt := 0; ; attempt++ {
		err := s.server.Release(ctx, resource, obj)
		switch {
		case err == nil, apierrors.IsNotFound(err):
			return nil
		case attempt == releaseAttempts, !apierrors.IsConflict(err) && !apierrors.IsInvalid(err):
			return fmt.Errorf("release: %w", err)
		}
		// A status written in the meantime, most likely.
		now, gerr := s.server.Get(ctx, resource, obj.GetNamespace(), obj.GetName())
		if apierrors.IsNotFound(gerr) {
			return nil
		}
		if gerr != nil {
			return fmt.Errorf("release: %w", gerr)
		}
		if now.GetUID() != obj.GetUID() || now.GetLabels()[fleet.PartOfLabel] != obj.GetLabels()[fleet.PartOfLabel] {
			return nil
		}
		obj = now
	}
}

// delete deletes the very object and waits until it is gone.
func (s *site) delete(ctx context.Context, resource ssa.Resource, obj *unstructured.Unstructured) error {
	key := keyOf(obj)
	err := s.server.Delete(ctx, resource, key.Namespace, key.Name, obj.GetUID(), s.set.propagation())
	if apierrors.IsConflict(err) {
		return fmt.Errorf("delete: the object was replaced by another of the same name, which is left alone: %w", err)
	}
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	var last *unstructured.Unstructured
	err = s.poll(ctx, func(ctx context.Context) (bool, error) {
		got, err := s.server.Get(ctx, resource, key.Namespace, key.Name)
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		last = got
		return got.GetUID() != obj.GetUID(), nil
	})
	if err == nil {
		return nil
	}
	if last != nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("delete: still there after %s%s", s.set.Wait.Timeout, held(last))
	}
	return fmt.Errorf("delete: %w", err)
}

func held(obj *unstructured.Unstructured) string {
	if f := obj.GetFinalizers(); len(f) > 0 {
		return ", held by the finalizer " + strings.Join(f, ", ") + "; whoever set it must let go"
	}
	return ""
}

// poll asks again, ever less often, until done, an error, or the set's timeout.
func (s *site) poll(ctx context.Context, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, s.set.Wait.Timeout)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(pause*3/2, time.Second) {
		ok, err := done(ctx)
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}
