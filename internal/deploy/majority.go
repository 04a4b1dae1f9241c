package deploy

import (
	"cmp"
	"maps"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/ssa"
)

// Comparison is how one object differs between clusters. Where they agree, nothing but Object is set.
type Comparison struct {
	Object fleet.ObjectKey
	// Missing are the clusters that lack the object, which most have, and Extra those that have it, which most lack; sorted.
	Missing, Extra []string
	// Fields are the fields in which a cluster differs from most of those that have the object, by cluster, each with the value of
	// most as From and the cluster's as To.
	Fields map[string][]ssa.Difference
	// Ties are the fields of which no value is the most frequent, sorted by path.
	Ties []Tie
}

// Tie is a field of which several values are as frequent as any other.
type Tie struct {
	// Path is the field; empty where it is whether the object is there at all.
	Path string
	// Values are all values, the most frequent first.
	Values []Vote
}

// Vote is a value with the clusters that have it.
type Vote struct {
	// Value is JSON; empty where the field is absent. Of an object as a whole it is "present" or "absent".
	Value string
	// Clusters have the value; sorted.
	Clusters []string
}

// Same tells whether the clusters agree.
func (c Comparison) Same() bool {
	return len(c.Missing) == 0 && len(c.Extra) == 0 && len(c.Fields) == 0 && len(c.Ties) == 0
}

// compareObject compares what clusters have of an object, nil fields being no object. It goes by fields and not by whole objects, so
// that one field that is different everywhere does not hide what the others agree in.
func compareObject(key fleet.ObjectKey, samples map[string]ssa.Fields) Comparison {
	c := Comparison{Object: key}
	presence := map[string][]string{}
	present := map[string]ssa.Fields{}
	paths := map[string]bool{}
	for name, fields := range samples {
		if fields == nil {
			presence["absent"] = append(presence["absent"], name)
			continue
		}
		presence["present"] = append(presence["present"], name)
		present[name] = fields
		for path := range fields {
			paths[path] = true
		}
	}
	votes, tied := count(presence)
	switch {
	case tied:
		c.Ties = append(c.Ties, Tie{Values: votes})
	case len(votes) > 1 && votes[0].Value == "present":
		c.Missing = votes[1].Clusters
	case len(votes) > 1:
		c.Extra = votes[1].Clusters
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		values := map[string][]string{}
		for name, fields := range present {
			values[fields[path]] = append(values[fields[path]], name)
		}
		c.compareField(path, values)
	}
	return c
}

func (c *Comparison) compareField(path string, values map[string][]string) {
	votes, tied := count(values)
	if tied {
		c.Ties = append(c.Ties, Tie{Path: path, Values: votes})
		return
	}
	for _, vote := range votes[1:] {
		for _, name := range vote.Clusters {
			if c.Fields == nil {
				c.Fields = map[string][]ssa.Difference{}
			}
			c.Fields[name] = append(c.Fields[name], ssa.Difference{Path: path, From: votes[0].Value, To: vote.Value})
		}
	}
}

// count orders values by how many clusters have them, and tells whether the first is as frequent as the second.
func count(values map[string][]string) (votes []Vote, tied bool) {
	for value, clusters := range values {
		votes = append(votes, Vote{Value: value, Clusters: slices.Sorted(slices.Values(clusters))})
	}
	slices.SortFunc(votes, func(a, b Vote) int {
		return cmp.Or(cmp.Compare(len(b.Clusters), len(a.Clusters)), cmp.Compare(a.Value, b.Value))
	})
	return votes, len(votes) > 1 && len(votes[0].Clusters) == len(votes[1].Clusters)
}
