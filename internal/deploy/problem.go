package deploy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Problem is one thing that failed, or deserves a word, on one cluster.
type Problem struct {
	// Cluster is where.
	Cluster string
	// Object is what it is about; nil where it is the cluster as a whole.
	Object *fleet.ObjectKey
	// Err is what happened.
	Err error
	// Warning tells that it stops nothing.
	Warning bool
}

func (p Problem) Error() string {
	if p.Object == nil {
		return fmt.Sprintf("%s: %v", p.Cluster, p.Err)
	}
	return fmt.Sprintf("%s  %s: %v", p.Cluster, p.Object, p.Err)
}

func (p Problem) Unwrap() error { return p.Err }

// Problems are what came up on all clusters.
type Problems []Problem

// Errors are the problems that stop something.
func (p Problems) Errors() Problems {
	return slices.DeleteFunc(slices.Clone(p), func(x Problem) bool { return x.Warning })
}

// Warnings are the others.
func (p Problems) Warnings() Problems {
	return slices.DeleteFunc(slices.Clone(p), func(x Problem) bool { return !x.Warning })
}

// Sorted are the problems by cluster and object.
func (p Problems) Sorted() Problems {
	object := func(x Problem) string {
		if x.Object == nil {
			return ""
		}
		return x.Object.String()
	}
	return slices.SortedStableFunc(slices.Values(p), func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(object(a), object(b)))
	})
}

// Clusters names the clusters concerned, sorted.
func (p Problems) Clusters() []string {
	var names []string
	for _, x := range p {
		names = append(names, x.Cluster)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// String groups equal problems of several clusters: "eu-1, eu-2  Deployment.apps web/web: denied ...".
func (p Problems) String() string {
	type group struct {
		object, message string
		clusters        []string
	}
	var groups []*group
	index := map[[2]string]*group{}
	for _, x := range p {
		object := ""
		if x.Object != nil {
			object = x.Object.String()
		}
		// The host of a cluster must not keep equal messages apart; everything else may.
		id := [2]string{object, x.Err.Error()}
		g, ok := index[id]
		if !ok {
			g = &group{object: object, message: x.Err.Error()}
			index[id] = g
			groups = append(groups, g)
		}
		g.clusters = append(g.clusters, x.Cluster)
	}
	for _, g := range groups {
		slices.Sort(g.clusters)
		g.clusters = slices.Compact(g.clusters)
	}
	slices.SortStableFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.clusters[0], b.clusters[0]), cmp.Compare(a.object, b.object))
	})
	lines := make([]string, 0, len(groups))
	for _, g := range groups {
		line := strings.Join(g.clusters, ", ")
		if g.object != "" {
			line += "  " + g.object
		}
		lines = append(lines, line+": "+g.message)
	}
	return strings.Join(lines, "\n")
}

// problems turns an error of one cluster into Problems.
func problems(cluster string, object *fleet.ObjectKey, err error) Problems {
	if err == nil {
		return nil
	}
	var p Problem
	if errors.As(err, &p) {
		return Problems{p}
	}
	return Problems{{Cluster: cluster, Object: object, Err: err}}
}

// Unexplained are the problems that the end of a rollout does not tell of: warnings, and clusters that could not be asked.
func (p Problems) Unexplained() Problems {
	return slices.DeleteFunc(slices.Clone(p), func(x Problem) bool { return !x.Warning && !lost(x.Err) })
}

// message is the first of the problems of a cluster, and how many there are besides.
func (p Problems) message() string {
	sorted := p.Sorted()
	if text := sorted[0].brief(); len(p) == 1 {
		return text
	} else if len(p) == 2 {
		return text + " (and 1 more error)"
	} else {
		return fmt.Sprintf("%s (and %d more errors)", text, len(p)-1)
	}
}
