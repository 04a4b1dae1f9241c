package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/policy"
)

// PolicyError says that a policy denies an object, or warns of it.
type PolicyError struct {
	// Policy is the policy's name.
	Policy string
	// Warns tells that the policy only warns.
	Warns bool
	// Messages are what the policy says.
	Messages []string
}

func (e *PolicyError) Error() string {
	verb := "denied by"
	if e.Warns {
		verb = "warning of"
	}
	return fmt.Sprintf("%s policy %q: %s", verb, e.Policy, strings.Join(e.Messages, "; "))
}

// judge has the set's policies judge what the cluster is to have, whether the cluster can be asked or not. said is what came up so far: what the
// cluster itself has refused by the same policy is not said twice.
func (r *Runner) judge(ctx context.Context, set Set, name string, prior ClusterState, plan ClusterPlan, said Problems) Problems {
	policies := slices.DeleteFunc(slices.Clone(set.Policies), func(p *policy.Policy) bool { return !p.For(name) || p.Action == policy.ActionAudit })
	if c, stays := set.Clusters[name]; len(policies) == 0 || !stays || plan.Gone || plan.Deferred != "" && c.Mode == fleet.ModeMaintenance {
		return nil
	}
	prior.Cluster = set.Clusters[name]
	// What is wrong with the objects themselves, the plan has said.
	list, _, _ := r.want(ctx, nil, set, prior, r.salt(set, name))
	seen := r.observation(set, name)
	namespaces := map[string]*corev1.Namespace{}
	for _, w := range list {
		if !isNamespace(w.Key) {
			// Only a Namespace comes out as one, and converting every object to find that out takes long.
			continue
		}
		if namespace, ok := typed(w.Object).(*corev1.Namespace); ok {
			namespaces[w.Key.Name] = namespace
		}
	}
	var found Problems
	for _, w := range list {
		if _, skipped := plan.Skipped[w.Key]; skipped {
			continue
		}
		changes := !w.Unchanged()
		request, certain := w.request(seen, changes)
		request.Namespace = namespaces[w.Key.Namespace]
		for _, p := range policies {
			if said.refused(w.Key, p.Name) {
				continue
			}
			found = append(found, w.verdict(ctx, name, p, request, certain, changes)...)
		}
	}
	return found
}

// refused tells whether a cluster has refused the object by the policy.
func (p Problems) refused(key fleet.ObjectKey, policy string) bool {
	return slices.ContainsFunc(p, func(x Problem) bool {
		return x.Object != nil && *x.Object == key && strings.Contains(x.Err.Error(), "ValidatingAdmissionPolicy '"+policy+"'")
	})
}

// request is what a policy judges: what the API server said would become of the object; where it was not asked because nothing changes, the
// live object; else what would be sent, without what an API server would add. certain tells that it is one of the first two.
func (w wanted) request(seen *observation, changes bool) (r policy.Request, certain bool) {
	live, _ := seen.lookup(w.Key)
	object := seen.preview(w.Key)
	if object == nil && !changes {
		object = live
	}
	if certain = object != nil; !certain {
		object = w.Object
	}
	r = policy.Request{Key: w.Key, Kind: w.Object.GroupVersionKind(), Resource: w.Resource.GroupVersionResource, Object: typed(object), Hidden: w.hides.any()}
	if r.Resource.Resource == "" {
		r.Resource, _ = meta.UnsafeGuessKindToResource(r.Kind)
	}
	r.Resource.Version = r.Kind.Version
	switch {
	case live != nil:
		r.Old = typed(live)
	case w.Prior != nil:
		// It exists, and nobody knows with what values.
		r.Old = r.Object
	}
	return r, certain
}

// verdict words what a policy says. What could not be told matters only where something changes: otherwise it would be said for ever.
func (w wanted) verdict(ctx context.Context, cluster string, p *policy.Policy, request policy.Request, certain, changes bool) Problems {
	var found Problems
	add := func(err error, warning bool) {
		key := w.Key
		found = append(found, Problem{Cluster: cluster, Object: &key, Err: w.hides.redact(w.Object, err), Warning: warning})
	}
	v := p.Judge(ctx, request)
	warns := p.Action == policy.ActionWarn
	if len(v.Violations) > 0 {
		add(&PolicyError{Policy: p.Name, Warns: warns, Messages: v.Violations}, warns)
	}
	if len(v.Errors) > 0 && (certain || changes) {
		err := error(&PolicyError{Policy: p.Name, Warns: warns, Messages: v.Errors})
		if !certain {
			err = fmt.Errorf("policy %q cannot judge it before the API server has completed it: %s", p.Name, strings.Join(v.Errors, "; "))
		}
		add(err, warns || !certain)
	}
	if v.Unknown != "" && changes {
		add(fmt.Errorf("policy %q cannot judge it at plan, because it asks for %s; the cluster judges it at apply", p.Name, v.Unknown), true)
	}
	return found
}

// typed is the object in the Go type of its kind, as the API server shows it to policies; as it is where the kind is not built in, or where it does
// not fit, which the API server will say.
func typed(object *unstructured.Unstructured) runtime.Object {
	out, err := scheme.Scheme.New(object.GroupVersionKind())
	if err != nil {
		return object
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, out); err != nil {
		return object
	}
	out.GetObjectKind().SetGroupVersionKind(object.GroupVersionKind())
	return out
}

// notePreview keeps what the API server said would become of an object.
func (o *observation) notePreview(key fleet.ObjectKey, object *unstructured.Unstructured) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.previews == nil {
		o.previews = map[fleet.ObjectKey]*unstructured.Unstructured{}
	}
	o.previews[key] = object
}

func (o *observation) preview(key fleet.ObjectKey) *unstructured.Unstructured {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.previews[key]
}
