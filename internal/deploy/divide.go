package deploy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/manifest"
	"github.com/fleetform/terraform-provider-fleet/internal/placement"
)

// numbers are the replicas that each cluster gets of an object, by cluster and by the object's key with its namespace.
type numbers map[string]map[fleet.ObjectKey]int64

func (n numbers) of(cluster string, key fleet.ObjectKey) (int64, bool) {
	number, ok := n[cluster][key]
	return number, ok
}

// divided is the set with the replicas of its objects divided over its clusters. It is a function of the set and the state, so that
// a plan and its apply divide alike.
func (s Set) divided(state State) (Set, Problems) {
	if !s.Divide {
		return s, nil
	}
	var found Problems
	totals := map[fleet.ObjectKey]map[string]int64{}
	s.scales = s.scalePaths()
	for name := range s.Clusters {
		if _, held := s.Held[name]; !held {
			s.addTotals(totals, name, state, nil)
		}
	}
	// A cluster that keeps an earlier revision keeps its part, of the number that the others divide.
	current := map[fleet.ObjectKey]int64{}
	for key, of := range totals {
		for _, total := range of {
			current[key] = total
		}
	}
	for name := range s.Held {
		s.addTotals(totals, name, state, current)
	}
	s.numbers = numbers{}
	for _, key := range slices.SortedFunc(maps.Keys(totals), fleet.ObjectKey.Compare) {
		parts, err := s.divide(key, totals[key], state)
		if err != nil {
			found = append(found, Problem{Cluster: s.firstCluster(), Object: &key, Err: err})
			continue
		}
		for name, part := range parts {
			if s.numbers[name] == nil {
				s.numbers[name] = map[fleet.ObjectKey]int64{}
			}
			s.numbers[name][key] = part
		}
	}
	return s, found
}

// addTotals adds the replicas that the cluster's objects ask for; where current has a number for an object, that one.
func (s Set) addTotals(totals map[fleet.ObjectKey]map[string]int64, name string, state State, current map[fleet.ObjectKey]int64) {
	c := s.Clusters[name]
	if c.Mode == fleet.ModeDecommissioned {
		return
	}
	for _, o := range s.objects(name) {
		total, ok := replicasOf(o.Unstructured, s.scales)
		if !ok || s.lacks(withCluster(state[name], c), o) {
			continue
		}
		key := s.keyed(o)
		if of, stated := current[key]; stated {
			total = of
		}
		if totals[key] == nil {
			totals[key] = map[string]int64{}
		}
		totals[key][name] = total
	}
}

// dividedAs is the set with the replicas divided as if every cluster had what this one has.
func (s Set) dividedAs(cluster string, state State) (Set, Problems) {
	if !s.Divide {
		return s, nil
	}
	all := s
	all.Objects, all.Own, all.Held = s.objects(cluster), nil, nil
	all, found := all.divided(state)
	s.numbers, s.scales = all.numbers, all.scales
	return s, found
}

// lacks tells whether the object is left out on a cluster that was found not to serve its kind in any version.
func (s Set) lacks(prior ClusterState, o manifest.Object) bool {
	kind := o.GroupVersionKind()
	if skip, noted := prior.Applied.Skipped[kindID(kind)]; !noted || skip.Versions {
		return false
	}
	var left *skipError
	return errors.As(s.unserved(prior, o, prior.Applied.noted(kind)), &left)
}

func (s Set) firstCluster() string { return clusterNames(s, nil)[0] }

// keyed is the object's key with the namespace that it gets.
func (s Set) keyed(o manifest.Object) fleet.ObjectKey {
	key := o.Key
	key.Namespace = cmp.Or(key.Namespace, s.Namespace)
	return key
}

// divide gives each cluster its part of what the manifests say. A cluster that cannot be changed now keeps what it has, as long as that
// is not more than there is.
func (s Set) divide(key fleet.ObjectKey, totals map[string]int64, state State) (map[string]int64, error) {
	total, first := int64(0), ""
	for _, name := range slices.Sorted(maps.Keys(totals)) {
		if first == "" {
			total, first = totals[name], name
		}
		if totals[name] != total {
			return nil, fmt.Errorf("replica_scheduling = \"divided\" needs one number for the whole fleet, and the manifests of %s say %d, those of %s %d", first, total, name, totals[name])
		}
	}
	var shares []placement.Share
	var kept int64
	for name := range totals {
		kept += s.share(name, key, state).Min
	}
	for name := range totals {
		share := s.share(name, key, state)
		if s.stuck(name, state) && kept > total {
			share.Min = 0
		}
		shares = append(shares, share)
	}
	return placement.Divide(total, shares)
}

func (s Set) share(name string, key fleet.ObjectKey, state State) placement.Share {
	c := s.Clusters[name]
	share := placement.Share{Cluster: name, Weight: c.Weight, Min: c.MinReplicas, Max: c.MaxReplicas}
	if prior, known := state[name]; known && prior.Objects[key] != nil {
		if record := prior.Applied.record(key); record != nil && record.Replicas != nil {
			share.Previous = *record.Replicas
		}
	}
	if s.stuck(name, state) {
		share.Min, share.Max = share.Previous, &share.Previous
	}
	return share
}

// stuck tells whether what the cluster has cannot be changed now.
func (s Set) stuck(name string, state State) bool {
	prior, known := state[name]
	_, held := s.Held[name]
	return s.Clusters[name].Mode == fleet.ModeMaintenance || known && (held || prior.unread())
}

// scalePaths are where the kinds that the set itself defines keep their number of replicas.
func (s Set) scalePaths() map[schema.GroupKind][]string {
	paths := map[schema.GroupKind][]string{}
	for name := range s.Clusters {
		for _, d := range manifest.DefinedKinds(s.objects(name)) {
			if len(d.Replicas) > 0 {
				paths[d.GroupKind] = d.Replicas
			}
		}
	}
	return paths
}

// replicasPath is where an object of the kind has its number of replicas: in spec.replicas, unless its definition says otherwise.
func replicasPath(kind schema.GroupKind, defined map[schema.GroupKind][]string) []string {
	if path := defined[kind]; len(path) > 0 {
		return path
	}
	return []string{"spec", "replicas"}
}

// replicasOf is the number of replicas that an object asks for.
func replicasOf(obj *unstructured.Unstructured, defined map[schema.GroupKind][]string) (int64, bool) {
	number, ok, err := unstructured.NestedInt64(obj.Object, replicasPath(obj.GroupVersionKind().GroupKind(), defined)...)
	return number, ok && err == nil
}

// setReplicas writes the cluster's part into the object.
func (s Set) setReplicas(cluster string, key fleet.ObjectKey, body *unstructured.Unstructured) (*int64, error) {
	number, ok := s.numbers.of(cluster, key)
	if !ok {
		return nil, nil
	}
	return &number, unstructured.SetNestedField(body.Object, number, replicasPath(body.GroupVersionKind().GroupKind(), s.scales)...)
}
