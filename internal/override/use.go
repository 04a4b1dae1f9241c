package override

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Use is what a rule was used for on one cluster.
type Use struct {
	// Cluster tells whether the rule is for the cluster.
	Cluster bool
	// Objects is the number of objects the rule is for, without those that an earlier rule excluded.
	Objects int
	// Changed is how many of them it made different or excluded.
	Changed int

	// excludedBy are earlier rules that excluded objects the rule is for.
	excludedBy []int
	// images are the names, as the rule has them, of the images that were found, and seen the names of all there are.
	images map[string]bool
	seen   map[string]bool
}

func (u *Use) gone(rule int) {
	if !slices.Contains(u.excludedBy, rule) {
		u.excludedBy = append(u.excludedBy, rule)
	}
}

func (u *Use) saw(found, all []string) {
	if u.seen == nil {
		u.seen = make(map[string]bool)
	}
	for _, name := range found {
		u.images[name] = true
	}
	for _, name := range all {
		u.seen[name] = true
	}
}

// UnusedError says that a rule, or an image in one, is for nothing at all.
type UnusedError struct {
	// Rule is the position of the rule, from 0.
	Rule int
	// Argument is clusters or target, or the image, such as images["nginx"].
	Argument string
	// Detail says what was looked at and what to do.
	Detail string
}

func (e *UnusedError) Error() string {
	return fmt.Sprintf("overrides[%d].%s: %s", e.Rule, e.Argument, e.Detail)
}

const argumentTarget = "target"

// Unused tells which rules were of no use on any cluster. It takes the Uses of the results of all clusters the set is on. Without any clusters
// nothing can be told, and nothing is.
func (o *Overrides) Unused(clusters [][]Use) []*UnusedError {
	if len(clusters) == 0 {
		return nil
	}
	var unused []*UnusedError
	for i := range o.rules {
		total := Use{images: map[string]bool{}, seen: map[string]bool{}}
		chosen := 0
		for _, uses := range clusters {
			if uses[i].Cluster {
				chosen++
			}
			total.add(uses[i])
		}
		fail := func(argument, format string, args ...any) {
			unused = append(unused, &UnusedError{Rule: i, Argument: argument, Detail: fmt.Sprintf(format, args...)})
		}
		switch {
		case chosen == 0:
			fail(argumentClusters, "the rule is for none of the clusters of this set (%d)", len(clusters))
		case total.Objects == 0 && len(total.excludedBy) > 0:
			fail(argumentTarget, "each object the rule is for is excluded before, by %s; remove the rule or put it first", positions(total.excludedBy))
		case total.Objects == 0 && chosen == 1:
			fail(argumentTarget, "the rule is for no object on the one cluster it is for")
		case total.Objects == 0:
			fail(argumentTarget, "the rule is for no object on any of the %d clusters it is for", chosen)
		default:
			for _, full := range slices.Sorted(maps.Keys(o.rules[i].images)) {
				if name := o.rules[i].images[full].name; !total.images[name] {
					fail(fmt.Sprintf("%s[%q]", argumentImages, name), "no pod of the objects the rule is for has this image%s", total.others(name))
				}
			}
		}
	}
	return unused
}

func (u *Use) add(other Use) {
	u.Objects += other.Objects
	for _, rule := range other.excludedBy {
		u.gone(rule)
	}
	maps.Copy(u.images, other.images)
	maps.Copy(u.seen, other.seen)
}

// others names the images there are instead of the one that was not found.
func (u *Use) others(name string) string {
	names := slices.Sorted(maps.Keys(u.seen))
	switch meant := fleet.DidYouMean(name, names); {
	case len(names) == 0:
		return "; they describe no pods with images that can be read"
	case meant != "":
		return meant
	case len(names) > fewKeys:
		return fmt.Sprintf("; they have %d others", len(names))
	default:
		return " (there is " + strings.Join(names, ", ") + ")"
	}
}

func positions(rules []int) string {
	slices.Sort(rules)
	texts := make([]string, 0, len(rules))
	for _, rule := range rules {
		texts = append(texts, fmt.Sprintf("overrides[%d]", rule))
	}
	return strings.Join(texts, ", ")
}
