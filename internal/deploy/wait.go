package deploy

import (
	"cmp"
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
	found := s.waitEach(ctx, of, of, nil)
	for _, w := range of {
		if w.Key.Kind == "CustomResourceDefinition" {
			// What was discovered before, by this set or another of this run, lacks the new kind.
			s.server.reset()
		}
	}
	return found
}

// waitReady waits until every object is healthy.
func (s *site) waitReady(ctx context.Context, list []wanted) Problems {
	of := slices.DeleteFunc(slices.Clone(list), func(w wanted) bool { return !s.judged(w.Object.GroupVersionKind().GroupKind()) })
	return s.waitEach(ctx, of, list, s.set.Wait.Checks)
}

// waitEach waits for the objects, all together no longer than the timeout. list is all that the set has here: no reason may
// give away what any of it hides.
func (s *site) waitEach(ctx context.Context, of, list []wanted, checks *health.Checks) Problems {
	s.server.follow()
	patience := s.set.turn.patience(s.set.Wait.Timeout)
	until, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	errs := make([]error, len(of))
	overObjects(len(of), func(i int) { errs[i] = s.healthy(ctx, until, of[i], checks, patience) })
	s.addReasons(ctx, errs, list)
	var found Problems
	for i, w := range of {
		key := w.Key
		found = append(found, s.problems(&key, redactAll(list, errs[i]))...)
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
			s.server.reset()
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

// judged tells whether there is more to the health of the kind than its being there.
func (s *site) judged(kind schema.GroupKind) bool {
	return s.set.Wait.Checks.Covers(kind) || !slices.Contains(plain, kind.String())
}

// unhealthyError says that an object failed, or did not become healthy in time.
type unhealthyError struct {
	object *unstructured.Unstructured
	text   string
	// reason is what was found around the object; empty where nothing tells.
	reason string
}

func (e *unhealthyError) Error() string {
	if e.reason == "" {
		return e.text
	}
	return e.text + "; " + e.reason
}

// healthy waits for one object, until the context of that name is over, after the patience.
func (s *site) healthy(ctx, until context.Context, w wanted, checks *health.Checks, patience time.Duration) error {
	resource, err := s.resource(ctx, w.Object.GroupVersionKind())
	if err != nil {
		return err
	}
	var last health.Health
	var obj *unstructured.Unstructured
	at := s.at(w)
	err = s.poll(until, func(until context.Context) (bool, error) {
		if obj == nil {
			// An object that comes late to its turn is looked at all the same.
			until = ctx
		}
		now, err := s.server.Get(until, resource, w.Key.Namespace, w.Key.Name)
		if apierrors.IsNotFound(err) && w.treat.Missing == fleet.MissingIgnore {
			return true, nil
		}
		if err != nil {
			return false, gone(err)
		}
		if obj = now; at.UID != "" && string(obj.GetUID()) != at.UID {
			return false, errors.New("somebody replaced it by another object of its name while it was waited for")
		}
		if last, err = checks.EvaluateAt(obj, at); err != nil {
			return false, err
		}
		if last.State == health.Failed {
			return false, &unhealthyError{object: obj, text: "failed: " + strings.TrimSuffix(last.Message, ".")}
		}
		return last.State == health.Current && usable(obj), nil
	})
	var unhealthy *unhealthyError
	switch {
	case err == nil || errors.As(err, &unhealthy):
		return err
	case obj != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return &unhealthyError{object: obj, text: fmt.Sprintf("not ready after %s: %s", patience, strings.TrimSuffix(last.Message, "."))}
	}
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return errors.New("interrupted while it was waited for: " + strings.TrimSuffix(cmp.Or(last.Message, "nothing is known of it yet"), "."))
	}
	return fmt.Errorf("wait: %w", err)
}

// at is what the object was when it was applied, now or, where there was nothing to apply, before.
func (s *site) at(w wanted) health.At {
	if at, now := s.applied[w.Key]; now {
		return at
	}
	if w.Record != nil {
		return health.At{UID: w.Record.UID}
	}
	return health.At{}
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
