package deploy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// contributions is how many clusters or kinds are named as the largest contributions to a number.
const contributions = 5

// Over says which limits the plan would exceed, and by what; empty where it stays within them. Unlike the plan's Summary it
// counts what a successor finds on a cluster and removes, which no plan announces for certain.
func (p Plan) Over(l Limits) string {
	sum := p.Summary()
	for _, c := range p.Clusters {
		sum.Delete += int64(c.Surplus)
	}
	exceeded := l.Exceeded(sum)
	if len(exceeded) == 0 {
		return ""
	}
	byCluster, byKind := map[string]int{}, map[string]int{}
	var changed []string
	for name, c := range p.Clusters {
		if c.Changes() && !c.Gone {
			changed = append(changed, name)
		}
		if c.Surplus > 0 {
			byCluster[name] += c.Surplus
			byKind["found there and not wanted"] += c.Surplus
		}
		for key, o := range c.Objects {
			if o.Action == ActionDelete || o.Action == ActionReplace {
				byCluster[name]++
				byKind[schema.GroupKind{Group: key.Group, Kind: key.Kind}.String()]++
			}
		}
	}
	text := sentenceOf(strings.Join(exceeded, "; ")) + "."
	if l.Deletions != nil && sum.Delete+sum.Replace > *l.Deletions {
		text += fmt.Sprintf("\n\nDeletions by cluster: %s\nDeletions by kind: %s", largest(byCluster), largest(byKind))
	}
	if l.Clusters != nil && sum.Clusters > *l.Clusters {
		slices.Sort(changed)
		text += "\n\nClusters changed: " + clusterList(changed)
	}
	return text
}

func sentenceOf(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// largest lists the largest numbers, with their names, and sums the rest up.
func largest(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var parts []string
	for i, name := range names {
		if i == contributions && len(names) > contributions+1 {
			rest := 0
			for _, name := range names[i:] {
				rest += counts[name]
			}
			return strings.Join(parts, ", ") + fmt.Sprintf(" and %d in %d others", rest, len(names)-i)
		}
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}

func clusterList(names []string) string {
	if len(names) > 2*contributions {
		return strings.Join(names[:2*contributions], ", ") + fmt.Sprintf(" and %d more", len(names)-2*contributions)
	}
	return strings.Join(names, ", ")
}

// PlanDestroy is what Destroy would do, told from the state, and from what was read of the clusters, without asking them.
func (r *Runner) PlanDestroy(set Set, state State) (Plan, Problems) {
	plan := Plan{Clusters: map[string]ClusterPlan{}}
	var found Problems
	for name, prior := range state {
		if prior.Cluster.Mode == fleet.ModeDecommissioned || r.succeeded(set, name) || r.hasLeft(set, prior.Cluster) {
			continue
		}
		one := ClusterPlan{Leaving: true, Objects: map[fleet.ObjectKey]ObjectPlan{}}
		found = append(found, prune(set, one, prior)...)
		plan.Clusters[name] = one
	}
	return plan, found
}

// succeeded tells whether this process has seen another instance of the owner's carry on with the set on the cluster, so that
// destroying this one removes nothing there.
func (r *Runner) succeeded(set Set, cluster string) bool {
	o := r.observation(set, cluster)
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.parent != nil && o.parent.Owner == set.Owner && o.parent.Instance != "" && o.parent.Instance != set.Instance
}

// Succeeded tells whether that is so on any cluster.
func (r *Runner) Succeeded(set Set, state State) bool {
	for name := range state {
		if r.succeeded(set, name) {
			return true
		}
	}
	return false
}

// surplus counts what the set has on the cluster, though state knows nothing of it, and would delete.
func (s *site) surplus(list []wanted) int {
	keep := s.keeps(list)
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	n := 0
	for key, obj := range s.seen.live {
		if _, created := obj.GetAnnotations()[fleet.CreatedAnnotation]; created && !keep[key] && obj.GetLabels()[fleet.PartOfLabel] == inventory.ID(s.set.Inventory, s.set.Name) {
			n++
		}
	}
	return n
}
