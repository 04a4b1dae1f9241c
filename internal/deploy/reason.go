package deploy

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fleetform/terraform-provider-fleet/internal/health"
)

const (
	// reasonsPerCluster is how many unhealthy objects of a cluster are looked into. Where more are, their reason is likely the same.
	reasonsPerCluster = 10
	// reasonTimeout is how long that may take: the apply has failed already, and is not to be held up.
	reasonTimeout = 10 * time.Second
	// reasonObjects is how many pods, or events, are looked at for one object.
	reasonObjects = 200
)

// addReasons finds out why objects are not healthy, in their pods and in events.
func (s *site) addReasons(ctx context.Context, errs []error, list []wanted) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, reasonTimeout)
	defer cancel()
	var of []*unhealthyError
	for _, err := range errs {
		var unhealthy *unhealthyError
		if errors.As(err, &unhealthy) && len(of) < reasonsPerCluster {
			of = append(of, unhealthy)
		}
	}
	if len(of) == 0 {
		return
	}
	// Collected once, not for every text of every pod and event.
	secrets := make([][]string, 0, len(list))
	for _, w := range list {
		secrets = append(secrets, w.hides.values(w.Object))
	}
	overObjects(len(of), func(i int) { of[i].reason = s.reason(ctx, of[i].object, secrets) })
}

// reason tells why the object is not healthy; empty where that cannot be found out, for whatever cause, since the error that it goes
// with is the one that counts. secrets are the values that each of the set's objects hides.
func (s *site) reason(ctx context.Context, obj *unstructured.Unstructured, secrets [][]string) string {
	var found []unstructured.Unstructured
	ask := health.Related(obj)
	reason := ""
	// What was found may ask for more, once: a pod for its events.
	for range 2 {
		before := len(found)
		for _, l := range ask {
			found = append(found, s.around(ctx, l, secrets)...)
		}
		if reason, ask = health.Reason(obj, found); len(ask) == 0 || len(found) == before {
			break
		}
	}
	return reason
}

// around lists what may tell the reason, without what the set hides: a container's last words can be anything.
func (s *site) around(ctx context.Context, l health.Listing, secrets [][]string) []unstructured.Unstructured {
	items := s.server.around(ctx, l)
	var found []unstructured.Unstructured
	for _, item := range items {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(item)
		if err != nil {
			continue
		}
		for field, value := range content {
			content[field] = scrub(value, secrets)
		}
		obj := unstructured.Unstructured{Object: content}
		obj.SetGroupVersionKind(l.Kind)
		found = append(found, obj)
	}
	return found
}

// scrub takes out of every text what any of the objects hides.
func scrub(value any, secrets [][]string) any {
	switch v := value.(type) {
	case map[string]any:
		for name, child := range v {
			v[name] = scrub(child, secrets)
		}
	case []any:
		for i, child := range v {
			v[i] = scrub(child, secrets)
		}
	case string:
		for _, values := range secrets {
			v = redacted(values, v)
		}
		return v
	}
	return value
}

// redactAll takes out of the error what any of the objects hides.
func redactAll(list []wanted, err error) error {
	for _, w := range list {
		err = w.hides.redact(w.Object, err)
	}
	return err
}
