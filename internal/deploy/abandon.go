package deploy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
)

// abandons tells whether what is owed to the cluster is to be forgotten.
func (s Set) abandons(cluster string) bool { return slices.Contains(s.Abandon, cluster) }

// Contradictions are the clusters that the set abandons and still wants to be on, sorted.
func (s Set) Contradictions() []string {
	var names []string
	for _, name := range s.Abandon {
		if _, stays := s.Clusters[name]; stays {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Unusable are the clusters that something is owed to or known of and that the configuration no longer says how to reach. Only the
// configuration is looked at, so that a plan says at once what an apply could not do.
func (r *Runner) Unusable(set Set, state State) Problems {
	var found Problems
	for _, name := range clusterNames(set, state) {
		prior, known := state[name]
		c, stays := set.Clusters[name]
		if !stays {
			c = prior.Cluster
		}
		if !known || !c.Active() || set.UnknownAccess[name] || !stays && (set.abandons(name) || r.hasLeft(set, c)) {
			continue
		}
		if err := r.pool.Configured(name, c.Access); misconfigured(err) {
			if !stays {
				err = owed(err)
			}
			found = append(found, problems(name, nil, err)...)
		}
	}
	return found
}

// owed says what to do about a cluster that left the configuration and cannot be worked with.
func owed(err error) error {
	var missing *cluster.MissingCredentialsError
	switch {
	case misconfigured(err) && !errors.As(err, &missing):
		return fmt.Errorf("%w. What the set has there is still to be removed: keep the connection for one more apply or, where the cluster "+
			"will never answer again, name it in abandon", err)
	case lost(err), misconfigured(err):
		return fmt.Errorf("%w. What the set has there is still to be removed; where the cluster will never answer again, name it in abandon", err)
	}
	return err
}

// Unanswered are the clusters, sorted, that could not be asked at all, as against those that refused something.
func (p Problems) Unanswered() []string {
	var of Problems
	for _, x := range p {
		if lost(x.Err) || misconfigured(x.Err) {
			of = append(of, x)
		}
	}
	return of.Clusters()
}
