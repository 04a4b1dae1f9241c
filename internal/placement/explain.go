package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// judge says which constraints were not kept: a problem for those that must be, a warning for the others.
func (p *picker) judge(a *attempt) {
	for index, c := range p.constraints {
		missing := c.missing()
		if c.hard() {
			if missing > 0 {
				a.problems = append(a.problems, Problem{Argument: "spread", Index: index, Field: "min_groups", Detail: p.unsatisfied(c)})
			}
			continue
		}
		warn := func(format string, args ...any) {
			a.warnings = append(a.warnings, fmt.Sprintf("spread[%d] could not be kept to: ", index)+fmt.Sprintf(format, args...))
		}
		if missing > 0 {
			warn("the chosen clusters are in %d groups by %s instead of at least %d: %s.", c.used, c, *c.MinGroups, c.counts())
		}
		if c.MaxGroups != nil && int64(c.used) > *c.MaxGroups {
			warn("the chosen clusters are in %d groups by %s instead of at most %d: %s.", c.used, c, *c.MaxGroups, c.counts())
		}
		if most := slices.Max(append(c.count, 0)); c.skew > 0 && most > c.fewest+c.skew {
			warn("by %s the fullest group has %d chosen clusters and the emptiest %d, with max_skew %d: %s.", c, most, c.fewest, c.skew, c.counts())
		}
	}
}

// unsatisfied says why there are too few groups.
func (p *picker) unsatisfied(c *constraint) string {
	if int64(len(c.names)) < *c.MinGroups {
		size := make([]int, len(c.names))
		for _, g := range c.group {
			size[g]++
		}
		groups := make([]string, 0, len(c.names))
		for g, name := range c.names {
			groups = append(groups, fmt.Sprintf("%s (%d)", name, size[g]))
		}
		return fmt.Sprintf("%d groups by %s are asked for, and the clusters that fit are in %d: %s", *c.MinGroups, c, len(groups),
			cmp.Or(list(groups, "%s"), "none"))
	}
	return fmt.Sprintf("%d groups by %s are asked for; the other constraints and number_of_clusters leave room for %d: %s",
		*c.MinGroups, c, c.used, c.counts())
}

// counts lists how many clusters are chosen in each group.
func (c *constraint) counts() string {
	counts := make([]string, 0, len(c.names))
	for g, name := range c.names {
		counts = append(counts, fmt.Sprintf("%s %d", name, c.count[g]))
	}
	return list(counts, "%s")
}

// explain gives every candidate that is not chosen its reason.
func (p *picker) explain(a *attempt) {
	last, chosen := -1, 0
	for r, picked := range p.picked {
		if picked {
			last = r
			chosen++
		}
	}
	constrained := make([]string, 0, len(p.constraints))
	for _, c := range p.constraints {
		constrained = append(constrained, c.Spread.String())
	}
	for i := range p.buckets {
		for _, r := range p.buckets[i].ranks {
			if !p.picked[r] {
				a.reasons[p.cluster(r)] = p.reason(&p.buckets[i], r, last, chosen, constrained)
			}
		}
	}
}

// cluster is the position of a ranked candidate among the clusters.
func (p *picker) cluster(r int) int { return p.members[p.rank[r]] }

func (p *picker) score(r int) int64 { return p.ranking.total[p.rank[r]] }

func (p *picker) reason(b *bucket, r, last, chosen int, constrained []string) string {
	if p.want == 0 {
		return "number_of_clusters is 0"
	}
	for k, c := range p.constraints {
		if g := b.groups[k]; c.MaxGroups != nil && !c.within[g] {
			return fmt.Sprintf("spread over %s: %s would be a group more than max_groups %d allows; in use are %s",
				c, c.names[g], *c.MaxGroups, c.inUse())
		}
	}
	if p.left == 0 && r > last {
		return p.outranked(r, last, chosen)
	}
	for k, c := range p.constraints {
		if g := b.groups[k]; c.ahead(g) > 0 {
			return fmt.Sprintf("spread over %s: %s has %d and %s %d, and max_skew is %d",
				c, c.names[g], c.count[g], c.emptiest(), c.fewest, c.skew)
		}
	}
	if p.left == 0 {
		return fmt.Sprintf("its score %d is no worse than the %d of %s, which the spread over %s needs",
			p.score(r), p.score(last), p.s.clusters[p.cluster(last)].Name, strings.Join(constrained, " and "))
	}
	return fmt.Sprintf("spread over %s leaves no room for it", strings.Join(constrained, " and "))
}

// outranked says which chosen cluster is better.
func (p *picker) outranked(r, last, chosen int) string {
	score, better, name := p.score(r), p.score(last), p.s.clusters[p.cluster(last)].Name
	place := fmt.Sprintf("the last of the %d chosen", chosen)
	if chosen == 1 {
		place = "the only one chosen"
	}
	if score < better {
		return fmt.Sprintf("its score %d is below the %d of %s, %s", score, better, name, place)
	}
	why := "comes first by name"
	if p.s.before[p.cluster(last)] && !p.s.before[p.cluster(r)] {
		why = "was chosen before"
	}
	return fmt.Sprintf("its score %d is that of %s, %s, which %s", score, name, place, why)
}

func (c *constraint) inUse() string {
	var names []string
	for g, name := range c.names {
		if c.usable[g] {
			names = append(names, name)
		}
	}
	return list(names, "%s")
}

// emptiest is the usable group with the fewest chosen, the first by name.
func (c *constraint) emptiest() string {
	for g, name := range c.names {
		if c.usable[g] && c.count[g] == c.fewest {
			return name
		}
	}
	return "no other"
}
