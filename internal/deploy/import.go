package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// Finding is what was found of a set of which nothing is known but the name.
type Finding struct {
	// Instance is the resource instance that wrote the set last; empty where another owner's did, which is not to be carried on.
	Instance string
	// Inventory is the namespace of the set's inventory.
	Inventory string
	// State has the clusters that have the set, without its objects, which a read finds.
	State State
	// Owners are the owners the set has on clusters where that is another than the set's.
	Owners map[string]string
	// Absent are the clusters without the set, sorted, and Sets the sets that they and the others have, by name, with the clusters.
	Absent []string
	Sets   map[string][]string

	instances map[string]string
}

// sighting is what one cluster has.
type sighting struct {
	cluster fleet.Cluster
	places  []inventory.Place
}

// Find looks for a set on clusters of which only the names are known. The set's name, owner and inventory are what it goes by; an
// inventory in another namespace counts where there is none in that one.
func (r *Runner) Find(ctx context.Context, set Set, names []string) (Finding, Problems) {
	found := Finding{State: State{}, Owners: map[string]string{}, Sets: map[string][]string{}, instances: map[string]string{}}
	var issues Problems
	var mu sync.Mutex
	sightings := map[string]sighting{}
	access := map[string]string{}
	for _, name := range names {
		// Where it does not resolve, looking says why.
		if resolved, err := r.pool.Resolve(name, cluster.Connection{}); err == nil {
			access[name] = resolved.Access()
		}
	}
	r.overClusters(ctx, "find", set, names, access, func(name string) {
		seen, err := r.look(ctx, set, name)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			issues = append(issues, problems(name, nil, err)...)
			return
		}
		sightings[name] = seen
	})
	namespaces := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(sightings)) {
		for _, place := range sightings[name].places {
			if place.Set == set.Name {
				namespaces[place.Namespace] = true
			}
			if !slices.Contains(found.Sets[place.Set], name) {
				found.Sets[place.Set] = append(found.Sets[place.Set], name)
			}
		}
	}
	switch {
	case namespaces[set.Inventory] || len(namespaces) == 0:
		found.Inventory = set.Inventory
	case len(namespaces) == 1:
		found.Inventory = slices.Collect(maps.Keys(namespaces))[0]
	default:
		return found, append(issues, Problem{Cluster: "all clusters", Err: fmt.Errorf("sets named %q have inventories in the namespaces %s; "+
			"say which is meant in the provider's inventory.namespace", set.Name, strings.Join(slices.Sorted(maps.Keys(namespaces)), ", "))})
	}
	for _, name := range slices.Sorted(maps.Keys(sightings)) {
		found.add(set, name, sightings[name])
	}
	found.settleInstance()
	return found, issues
}

// look asks one cluster what sets it has.
func (r *Runner) look(ctx context.Context, set Set, name string) (sighting, error) {
	resolved, err := r.pool.Resolve(name, cluster.Connection{})
	if err != nil {
		return sighting{}, err
	}
	seen := sighting{cluster: fleet.Cluster{Name: name, Access: resolved.Access()}}
	s, err := r.open(ctx, set, seen.cluster, Applied{})
	if err != nil {
		return seen, err
	}
	if seen.cluster.UID, err = s.client.UID(ctx); err != nil {
		return seen, err
	}
	version, err := s.client.Version(ctx)
	if err != nil {
		return seen, err
	}
	seen.cluster.Minor = version.Minor
	seen.places, err = s.inventories(ctx)
	return seen, s.client.Classify(err)
}

// add takes over what a cluster has of the set.
func (f *Finding) add(set Set, name string, seen sighting) {
	i := slices.IndexFunc(seen.places, func(p inventory.Place) bool { return p.Set == set.Name && p.Namespace == f.Inventory })
	if i < 0 {
		f.Absent = append(f.Absent, name)
		return
	}
	parent := seen.places[i].Parent
	state := ClusterState{Cluster: seen.cluster, Applied: Applied{Inventory: f.Inventory}, Status: Status{Phase: PhaseApplied}}
	if parent.Phase != inventory.Applied {
		state.Status = Status{Phase: PhaseFailed, Message: fmt.Sprintf("the last run on this cluster left the set in phase %q", parent.Phase)}
	}
	if len(parent.Contents) > 0 {
		state.Status.Revision = parent.Revision
	}
	if set.Owner != "" && parent.Owner != set.Owner {
		f.Owners[name], state.Applied.From = parent.Owner, parent.Owner
	}
	f.instances[name] = parent.Instance
	f.State[name] = state
}

// settleInstance carries on as the instance that most clusters know, so that those need not be written to.
func (f *Finding) settleInstance() {
	counts := map[string]int{}
	for _, instance := range f.instances {
		counts[instance]++
	}
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		if len(f.Owners) == 0 && (counts[id] > counts[f.Instance] || f.Instance == "") {
			f.Instance = id
		}
	}
	for name, c := range f.State {
		if c.Applied.From == "" && f.instances[name] != f.Instance && c.Status.Phase == PhaseApplied {
			c.Status = Status{Phase: PhaseFailed, Message: "another instance of the resource wrote to this cluster last"}
			f.State[name] = c
		}
	}
}

// Closest is the name of another set that was found, for "did you mean"; empty where none is similar.
func (f *Finding) Closest(name string) string {
	return fleet.Closest(name, slices.Collect(maps.Keys(f.Sets)))
}

// inventories are the inventories on the cluster: in all namespaces or, where that is not allowed, in the set's.
func (s *site) inventories(ctx context.Context) ([]inventory.Place, error) {
	return s.server.places(ctx, s.set.Inventory)
}
