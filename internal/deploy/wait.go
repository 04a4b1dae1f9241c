package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/health"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// waitDefined waits until the definitions and namespaces just applied can be used, so that what follows can use them.
func (s *site) waitDefined(ctx context.Context, of []wanted) Problems {
	found := s.waitEach(ctx, of)
	for _, w := range of {
		if w.Key.Kind == "CustomResourceDefinition" {
			// What was discovered before, by this set or another of this run, lacks the new kind.
			s.client.Reset()
		}
	}
	return found
}

// waitReady waits until every object is healthy.
func (s *site) waitReady(ctx context.Context, list []wanted) Problems {
	return s.waitEach(ctx, slices.DeleteFunc(slices.Clone(list), func(w wanted) bool { return !judged(w) }))
}

func (s *site) waitEach(ctx context.Context, list []wanted) Problems {
	errs := make([]error, len(list))
	overObjects(len(list), func(i int) { errs[i] = s.healthy(ctx, list[i]) })
	var found Problems
	for i, w := range list {
		key := w.Key
		found = append(found, s.problems(&key, errs[i])...)
	}
	return found
}

// discoveryLag is how long an API server may take to publish a definition that it says is established.
const discoveryLag = 30 * time.Second

// newResource tells where a kind is served whose definition was just created.
func (s *site) newResource(ctx context.Context, kind schema.GroupVersionKind) (ssa.Resource, error) {
	var resource ssa.Resource
	lag, cancel := context.WithTimeout(ctx, discoveryLag)
	defer cancel()
	var last error
	err := s.poll(lag, func(ctx context.Context) (bool, error) {
		if resource, last = s.resource(ctx, kind); isNotServed(last) {
			s.client.Reset()
			return false, nil
		}
		return true, last
	})
	if isNotServed(last) && ctx.Err() == nil {
		return resource, last
	}
	return resource, err
}

// plain are kinds whose health is their being there, which the apply has just seen.
var plain = []string{
	"ConfigMap", "Secret", "ServiceAccount", "Namespace", "CustomResourceDefinition", "LimitRange", "PriorityClass.scheduling.k8s.io",
	"Role.rbac.authorization.k8s.io", "RoleBinding.rbac.authorization.k8s.io", "ClusterRole.rbac.authorization.k8s.io",
	"ClusterRoleBinding.rbac.authorization.k8s.io", "NetworkPolicy.networking.k8s.io", "StorageClass.storage.k8s.io",
}

func judged(w wanted) bool {
	return !slices.Contains(plain, w.Object.GroupVersionKind().GroupKind().String())
}

// healthy waits for one object.
func (s *site) healthy(ctx context.Context, w wanted) error {
	resource, err := s.resource(ctx, w.Object.GroupVersionKind())
	if err != nil {
		return err
	}
	var last health.Health
	err = s.poll(ctx, func(ctx context.Context) (bool, error) {
		obj, err := s.server.Get(ctx, resource, w.Key.Namespace, w.Key.Name)
		if apierrors.IsNotFound(err) && w.treat.Missing == fleet.MissingIgnore {
			return true, nil
		}
		if err != nil {
			return false, gone(err)
		}
		if last, err = health.Evaluate(obj); err != nil {
			return false, err
		}
		if last.State == health.Failed {
			return false, errors.New(last.Message)
		}
		return last.State == health.Current && usable(obj), nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("not ready after %s: %s", s.set.Wait.Timeout, strings.TrimSuffix(last.Message, "."))
	}
	if err != nil {
		return fmt.Errorf("wait: %w", err)
	}
	return nil
}

func gone(err error) error {
	if apierrors.IsNotFound(err) {
		return errors.New("somebody deleted it while it was waited for")
	}
	return err
}

// usable adds what kstatus leaves open: a namespace can be used once it is active.
func usable(obj *unstructured.Unstructured) bool {
	if obj.GetKind() != "Namespace" || obj.GroupVersionKind().Group != "" {
		return true
	}
	phase, _, err := unstructured.NestedString(obj.Object, "status", "phase")
	return err == nil && phase == "Active"
}
