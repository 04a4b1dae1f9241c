package deploy

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// drainTimeout is how long one object may take to go while a cluster is drained.
const drainTimeout = 10 * time.Minute

// Drain removes from a cluster every set that the owner has there, before the cluster leaves the fleet. Terraform destroys a
// fleet_cluster and its infrastructure before it updates the sets that were on it, so load balancers and disks have to go
// here. What another cluster of the same name has is left alone: the one that was known is gone.
func (r *Runner) Drain(ctx context.Context, namespace, owner string, c fleet.Cluster) Problems {
	site, err := r.open(ctx, Set{Inventory: namespace, Owner: owner}, c, Applied{})
	var other *OtherClusterError
	if errors.As(err, &other) {
		r.noteDrained(c)
		return Problems{{Cluster: c.Name, Err: err, Warning: true}}
	}
	if err != nil {
		return problems(c.Name, nil, err)
	}
	_, core, err := speak(site.client)
	if err != nil {
		return problems(c.Name, nil, err)
	}
	parents, err := inventory.List(ctx, core, namespace)
	if err != nil {
		return site.problems(nil, err)
	}
	var found Problems
	for _, name := range slices.Sorted(maps.Keys(parents)) {
		if parents[name].Owner != owner {
			continue
		}
		set := Set{Name: name, Owner: owner, Instance: parents[name].Instance, Inventory: namespace, Wait: Wait{Timeout: drainTimeout}}
		s, err := r.open(ctx, set, c, Applied{})
		if err != nil {
			found = append(found, problems(c.Name, nil, err)...)
			continue
		}
		s.thorough = true
		_, more := s.apply(ctx, ClusterState{Cluster: c}, true, nil)
		found = append(found, more...)
	}
	if len(found.Errors()) == 0 {
		r.noteDrained(c)
	}
	return found
}

func (r *Runner) noteDrained(c fleet.Cluster) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drained[c.Name+"\x00"+c.UID] = true
}

// wasDrained tells whether this process has drained the cluster, so that no set owes it anything.
func (r *Runner) wasDrained(c fleet.Cluster) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.drained[c.Name+"\x00"+c.UID]
}
