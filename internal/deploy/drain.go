package deploy

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/inventory"
)

// drainTimeout is how long one object may take to go while a cluster is drained.
const drainTimeout = 10 * time.Minute

// Drain removes from a cluster every set that the owner has there, before the cluster leaves the fleet. Terraform destroys a
// fleet_cluster and its infrastructure before it updates the sets that were on it, so load balancers and disks have to go
// here. What another cluster of the same name has is left alone: the one that was known is gone. common is what all the sets have
// in common: owner, inventory and scope.
func (r *Runner) Drain(ctx context.Context, common Set, c fleet.Cluster) Problems {
	site, parents, err := r.sets(ctx, common, c)
	var other *OtherClusterError
	if errors.As(err, &other) {
		r.Leave(c)
		return Problems{{Cluster: c.Name, Err: err, Warning: true}}
	}
	if err != nil {
		return problems(c.Name, nil, err)
	}
	var found Problems
	for _, name := range slices.Sorted(maps.Keys(parents)) {
		set := common
		set.Name, set.Instance, set.Wait = name, parents[name].Instance, Wait{Timeout: drainTimeout}
		set, err := set.withRemoval(parents[name].Removal)
		if err != nil {
			found = append(found, site.problems(nil, err)...)
			continue
		}
		s, err := r.open(ctx, set, c, Applied{})
		if err != nil {
			found = append(found, site.problems(nil, err)...)
			continue
		}
		_, more := s.apply(ctx, ClusterState{Cluster: c}, true, ClusterPlan{}, nil)
		if found = append(found, more...); len(more.Errors()) == 0 {
			r.noteLeft(set.id(), c)
		}
	}
	return found
}

// sets are what the owner has on a cluster.
func (r *Runner) sets(ctx context.Context, common Set, c fleet.Cluster) (*site, map[string]*inventory.Parent, error) {
	s, err := r.open(ctx, common, c, Applied{})
	if err != nil {
		return nil, nil, err
	}
	parents, err := s.server.parents(ctx, common.Inventory)
	if err != nil {
		return s, nil, s.client.Classify(err)
	}
	maps.DeleteFunc(parents, func(_ string, p *inventory.Parent) bool { return p.Owner != common.Owner })
	return s, parents, nil
}

// everySet stands for all sets on a cluster.
const everySet = "*"

// Leave notes that a cluster leaves the fleet with its objects on it, so that no set owes it anything.
func (r *Runner) Leave(c fleet.Cluster) { r.noteLeft(everySet, c) }

func (r *Runner) noteLeft(set string, c fleet.Cluster) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left[strings.Join([]string{set, c.Name, c.UID}, "\x00")] = true
}

// hasLeft tells whether this process has drained the set from the cluster, or is to leave everything there.
func (r *Runner) hasLeft(set Set, c fleet.Cluster) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left[strings.Join([]string{set.id(), c.Name, c.UID}, "\x00")] || r.left[strings.Join([]string{everySet, c.Name, c.UID}, "\x00")]
}
