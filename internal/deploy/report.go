package deploy

import (
	"context"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/policy"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// Report is what a policy says of what exists.
type Report struct {
	// Violations are the messages, by cluster and object. Every cluster that was asked has an entry.
	Violations map[string]map[fleet.ObjectKey][]string
	// Omitted is how many objects violate the policy beyond those listed, by cluster.
	Omitted map[string]int
}

// Report judges the objects that exist on the clusters by a policy, as if each were written once more without a change. At most
// limit objects are listed of a cluster. Clusters that do not take part are left out; one that cannot be asked is a warning.
func (r *Runner) Report(ctx context.Context, set Set, p *policy.Policy, limit int) (Report, Problems) {
	report := Report{Violations: map[string]map[fleet.ObjectKey][]string{}, Omitted: map[string]int{}}
	var found Problems
	var mu sync.Mutex
	access := map[string]string{}
	for name, c := range set.Clusters {
		if c.Active() {
			access[name] = c.Access
		}
	}
	r.overClusters(ctx, "report", set, clusterNames(Set{Clusters: set.Clusters}, nil), access, func(name string) {
		if _, asked := access[name]; !asked {
			return
		}
		violations, omitted, err := r.reportOn(ctx, set, set.Clusters[name], p, limit)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			found = append(found, Problem{Cluster: name, Err: err, Warning: true})
		}
		if violations != nil {
			report.Violations[name] = violations
		}
		if omitted > 0 {
			report.Omitted[name] = omitted
		}
	})
	return report, found
}

func (r *Runner) reportOn(ctx context.Context, set Set, c fleet.Cluster, p *policy.Policy, limit int) (map[fleet.ObjectKey][]string, int, error) {
	s, err := r.open(ctx, set, c, Applied{})
	if err != nil {
		return nil, 0, err
	}
	discovered, err := s.client.Discover(ctx)
	if err != nil {
		return nil, 0, s.client.Classify(fmt.Errorf("discovery: %w", err))
	}
	namespaces := map[string]*corev1.Namespace{}
	err = s.server.Each(ctx, ssa.Resource{GroupVersionResource: corev1.SchemeGroupVersion.WithResource("namespaces")}, "", "", func(o *unstructured.Unstructured) {
		if namespace, ok := typed(o).(*corev1.Namespace); ok {
			namespaces[o.GetName()] = namespace
		}
	})
	if err != nil {
		return nil, 0, s.client.Classify(err)
	}
	out := map[fleet.ObjectKey][]string{}
	omitted := 0
	for _, kind := range judgedKinds(discovered, p) {
		resource := discovered.Kinds[kind]
		at := ssa.Resource{GroupVersionResource: kind.GroupVersion().WithResource(resource.Name), Kind: kind.Kind, Namespaced: resource.Namespaced}
		_, update := p.Operations(at.GroupVersionResource)
		err := s.server.Each(ctx, at, "", "", func(o *unstructured.Unstructured) {
			key := keyOf(o)
			// What a set calls write-only or sensitive is marked on the object.
			_, marked := o.GetAnnotations()[fleet.HiddenAnnotation]
			request := policy.Request{Key: key, Kind: kind, Resource: at.GroupVersionResource, Object: typed(o), Namespace: namespaces[key.Namespace], Hidden: marked || manifest.IsSecret(key)}
			if update {
				request.Old = request.Object
			}
			v := p.Judge(ctx, request)
			messages := append(v.Violations, v.Errors...)
			switch {
			case len(messages) == 0:
			case len(out) >= limit:
				omitted++
			default:
				out[key] = messages
			}
		})
		if err != nil {
			// What was found is true, but not all.
			return out, omitted, s.client.Classify(fmt.Errorf("list %s: %w", at.Resource, err))
		}
	}
	return out, omitted, nil
}

// judgedKinds are the kinds that the policy is about and that can be listed, each in one version, sorted.
func judgedKinds(d *cluster.Discovery, p *policy.Policy) []schema.GroupVersionKind {
	chosen := map[schema.GroupKind]schema.GroupVersionKind{}
	for kind, resource := range d.Kinds {
		create, update := p.Operations(kind.GroupVersion().WithResource(resource.Name))
		if !create && !update || !slices.Contains(resource.Verbs, "list") {
			continue
		}
		preferred, err := d.Mapper.RESTMapping(kind.GroupKind())
		isPreferred := err == nil && preferred.GroupVersionKind == kind
		if have, ok := chosen[kind.GroupKind()]; !ok || isPreferred || preferred != nil && have != preferred.GroupVersionKind && kind.Version < have.Version {
			chosen[kind.GroupKind()] = kind
		}
	}
	var kinds []schema.GroupVersionKind
	for _, kind := range chosen {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b schema.GroupVersionKind) int {
		return fleet.ObjectKey{Group: a.Group, Kind: a.Kind}.Compare(fleet.ObjectKey{Group: b.Group, Kind: b.Kind})
	})
	return kinds
}
