package placement

import (
	"cmp"
	"math"
	"slices"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// value is the value that tells the cluster's group.
func (s Spread) value(c fleet.Cluster, unknown Unknown) (value string, set, known bool) {
	field, texts := "labels", c.Labels
	if s.kind() == TopologyProperty {
		field, texts = "properties", c.Properties
	}
	if unknown.Entry(field, s.Key) {
		return "", false, false
	}
	value, set = texts[s.Key]
	return value, set, true
}

// spreadUnknown tells whether the group of a member is unknown. Constraints that must be kept were asked before.
func (s *scheduling) spreadUnknown(members []int) bool {
	for _, spread := range s.policy.Spread {
		for _, i := range members {
			if _, _, known := spread.value(s.clusters[i], s.unknown[i]); !known {
				return true
			}
		}
	}
	return false
}

// notSet is the group of the clusters without a value, where a constraint need not be kept.
const notSet = "(not set)"

// constraint is a spread constraint at work on the candidates.
type constraint struct {
	Spread
	names []string // of the groups, sorted
	group []int    // of each candidate
	size  []int    // candidates in each group, without those that other constraints rule out
	// within are the groups that max_groups leaves, usable those of them that have candidates left.
	within []bool
	usable []bool
	skew   int // 0 for none
	need   int // groups still asked for by min_groups

	count  []int // chosen in each group
	used   int   // groups with chosen clusters
	fewest int   // chosen in the usable group with the fewest
	at     []int // usable groups by how many are chosen in them
}

// constrain makes the constraints for the candidates.
func (p *picker) constrain() {
	for _, spread := range p.s.policy.Spread {
		c := &constraint{Spread: spread}
		values := make([]string, len(p.rank))
		seen := map[string]int{}
		for r, m := range p.rank {
			value, set, _ := spread.value(p.s.clusters[p.members[m]], nil)
			if !set {
				value = notSet
			}
			values[r] = value
			seen[value]++
		}
		c.names = sortedKeys(seen)
		for g, name := range c.names {
			seen[name] = g
		}
		c.group = make([]int, len(p.rank))
		for r, value := range values {
			c.group[r] = seen[value]
		}
		if spread.MaxSkew != nil {
			c.skew = int(min(*spread.MaxSkew, int64(len(p.rank))))
		}
		p.constraints = append(p.constraints, c)
	}
}

// restrict closes the groups that are too many, but not those of a bucket to begin with, if there is one.
func (p *picker) restrict(first *bucket) {
	out := make([]bool, len(p.rank))
	order := make([]int, len(p.constraints))
	for k := range order {
		order[k] = k
	}
	// The tightest first: it decides what is left of the others' groups.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p.constraints[a].tightness(), p.constraints[b].tightness()) })
	for _, k := range order {
		pinned := -1
		if first != nil {
			pinned = first.groups[k]
		}
		p.close(p.constraints[k], out, pinned)
	}
	for _, c := range p.constraints {
		c.measure(out)
	}
	for i := range p.buckets {
		b := &p.buckets[i]
		b.next, b.shut, b.closed = 0, false, false
		for k, c := range p.constraints {
			b.shut = b.shut || !c.usable[b.groups[k]]
			b.closed = b.closed || c.hard() && !c.usable[b.groups[k]]
		}
	}
}

// tightness is less for constraints that leave fewer groups; those that need not be kept come last.
func (c *constraint) tightness() int64 {
	tightness := int64(math.MaxInt32)
	if c.MaxGroups != nil {
		tightness = min(tightness, *c.MaxGroups)
	}
	if !c.hard() {
		tightness += math.MaxInt32
	}
	return tightness
}

// close leaves a constraint the groups that max_groups allows: the pinned one, if any, then those in which other constraints
// find the groups they ask for, then those with the most clusters chosen before, then the best ones, as long as they hold
// enough. out are the candidates ruled out.
func (p *picker) close(c *constraint, out []bool, pinned int) {
	c.measure(out)
	c.within = make([]bool, len(c.names))
	groups := make([]int, 0, len(c.names))
	for g := range c.names {
		if c.size[g] > 0 {
			groups = append(groups, g)
		}
	}
	if c.MaxGroups != nil && int64(len(groups)) > *c.MaxGroups {
		groups = p.bestGroups(c, groups, out, pinned)
	}
	for _, g := range groups {
		c.within[g] = true
	}
	if c.hard() {
		for r, g := range c.group {
			out[r] = out[r] || !c.within[g]
		}
	}
}

// measure counts the candidates of each group, and resets what is chosen.
func (c *constraint) measure(out []bool) {
	c.size = make([]int, len(c.names))
	for r, g := range c.group {
		if !out[r] {
			c.size[g]++
		}
	}
	c.count = make([]int, len(c.names))
	c.used, c.fewest, c.need = 0, 0, 0
	c.at = make([]int, len(c.group)+2)
	c.usable = make([]bool, len(c.names))
	for g, within := range c.within {
		// A group of which nothing can be chosen would hold all the others down.
		c.usable[g] = within && c.size[g] > 0
		if c.usable[g] {
			c.at[0]++
		}
	}
	if c.MinGroups != nil {
		c.need = int(min(*c.MinGroups, int64(c.at[0])))
	}
}

// missing is how many groups fewer than min_groups there are chosen clusters in.
func (c *constraint) missing() int {
	if c.MinGroups == nil {
		return 0
	}
	return int(max(0, *c.MinGroups-int64(c.used)))
}

// bestGroups takes as many groups as max_groups allows.
func (p *picker) bestGroups(c *constraint, groups []int, out []bool, pinned int) []int {
	most := int(*c.MaxGroups)
	share := (p.want + most - 1) / most
	before, counted, value := make([]int, len(c.names)), make([]int, len(c.names)), make([]int64, len(c.names))
	for r, m := range p.rank {
		g := c.group[r]
		if out[r] {
			continue
		}
		if p.s.before[p.members[m]] && p.steady {
			before[g]++
		}
		if counted[g] < share {
			counted[g]++
			value[g] += p.ranking.total[m] - p.ranking.total[p.rank[len(p.rank)-1]] + 1
		}
	}
	cover := p.cover(c, out)
	groups = slices.SortedFunc(slices.Values(groups), func(a, b int) int {
		switch pinned {
		case a:
			return -1
		case b:
			return 1
		}
		return cmp.Or(cmp.Compare(cover[b], cover[a]), cmp.Compare(before[b], before[a]), cmp.Compare(value[b], value[a]), cmp.Compare(c.size[b], c.size[a]), cmp.Compare(a, b))
	})
	inside, outside := slices.Clone(groups[:most]), groups[most:]
	for have := c.room(inside); have < p.want; {
		// The one that keeps the least makes way for the one that holds the most.
		leaves := len(inside) - 1
		for at, g := range inside {
			if g != pinned && cmp.Or(cmp.Compare(before[g], before[inside[leaves]]), cmp.Compare(c.size[g], c.size[inside[leaves]])) <= 0 {
				leaves = at
			}
		}
		enters := -1
		for at, g := range outside {
			if cover[g] >= cover[inside[leaves]] && (enters < 0 || c.size[g] > c.size[outside[enters]]) {
				enters = at
			}
		}
		if enters < 0 || inside[leaves] == pinned {
			break
		}
		inside[leaves], outside[enters] = outside[enters], inside[leaves]
		if room := c.room(inside); room > have {
			have = room
			continue
		}
		inside[leaves], outside[enters] = outside[enters], inside[leaves]
		break
	}
	return inside
}

// cover is how many of the groups that the other constraints ask for there are in each group.
func (p *picker) cover(c *constraint, out []bool) []int {
	cover := make([]int, len(c.names))
	for _, other := range p.constraints {
		if other == c || !other.hard() || other.MinGroups == nil {
			continue
		}
		seen, distinct := map[[2]int]bool{}, make([]int, len(c.names))
		for r, g := range c.group {
			if key := [2]int{g, other.group[r]}; !out[r] && !seen[key] {
				seen[key] = true
				distinct[g]++
			}
		}
		for g, n := range distinct {
			cover[g] += int(min(int64(n), *other.MinGroups))
		}
	}
	return cover
}

// room is how many clusters can be chosen from the groups as max_skew allows.
func (c *constraint) room(groups []int) int {
	least := c.size[groups[0]]
	for _, g := range groups {
		least = min(least, c.size[g])
	}
	total := 0
	for _, g := range groups {
		if c.skew > 0 {
			total += min(c.size[g], least+c.skew)
		} else {
			total += c.size[g]
		}
	}
	return total
}

// ahead is by how much choosing one more of the group would exceed max_skew.
func (c *constraint) ahead(group int) int {
	if c.skew == 0 {
		return 0
	}
	return max(0, c.count[group]+1-c.fewest-c.skew)
}

// take chooses one of the group, and tells whether that raised the fewest.
func (c *constraint) take(group int) (rose bool) {
	n := c.count[group]
	c.count[group]++
	if n == 0 {
		c.used++
		c.need--
	}
	if !c.usable[group] {
		return false
	}
	c.at[n]--
	c.at[n+1]++
	if n == c.fewest && c.at[n] == 0 {
		c.fewest++
		return true
	}
	return false
}
