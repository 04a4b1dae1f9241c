package deploy

import (
	"cmp"
	"maps"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// place is where objects of a kind are looked for: in one namespace, or, with "", in the whole cluster.
type place struct {
	ssa.Resource
	namespace string
}

// places are where the set may have objects of the kinds. A set that keeps to namespaces looks into those that state, the
// inventory and its manifests name, and nowhere else.
func (s *site) places(resources []ssa.Resource, prior ClusterState, parent *inventory.Parent) []place {
	names := []string{""}
	if s.set.Namespaced {
		names = s.namespaces(prior, parent)
	}
	var out []place
	for _, r := range resources {
		if s.set.Namespaced && !r.Namespaced {
			// The set cannot have put any there.
			continue
		}
		for _, namespace := range names {
			out = append(out, place{Resource: r, namespace: namespace})
		}
	}
	return out
}

func (s *site) namespaces(prior ClusterState, parent *inventory.Parent) []string {
	names := map[string]bool{}
	for key := range prior.Objects {
		names[key.Namespace] = true
	}
	if parent != nil {
		for _, namespace := range parent.Namespaces {
			names[namespace] = true
		}
	}
	for _, o := range s.set.objects(s.name) {
		names[cmp.Or(o.Key.Namespace, s.set.Namespace)] = true
	}
	delete(names, "")
	return slices.Sorted(maps.Keys(names))
}
