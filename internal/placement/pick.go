package placement

import (
	"cmp"
	"container/heap"
	"slices"
)

// picker chooses among candidates that compete, the best first, within the constraints.
type picker struct {
	s       *scheduling
	ranking *ranking
	members []int // clusters
	rank    []int // positions in members, the best first
	want    int
	steady  bool

	constraints []*constraint
	buckets     []bucket
	left        int
	picked      []bool // by rank
	pairs       int    // that were tried
}

// bucket holds the candidates that are in the same group of every constraint, the best first. They are allowed and
// blocked together, so that only the first of each has to be looked at.
type bucket struct {
	ranks []int
	next  int
	// groups are the bucket's, by constraint.
	groups []int
	// closed says that max_groups of a constraint that must be kept leaves it out; shut, of any constraint.
	closed, shut bool
}

func (b *bucket) empty() bool { return b.next == len(b.ranks) }

func (b *bucket) head() int { return b.ranks[b.next] }

// pick chooses at most want of the ranked candidates and says why not the others.
func (s *scheduling) pick(a *attempt, want int) {
	p := &picker{s: s, ranking: a.ranking, members: a.ranking.members, rank: a.ranking.order, want: want}
	for _, part := range a.ranking.parts {
		p.steady = p.steady || part.Type == Steady && part.Weight > 0
	}
	p.constrain()
	p.fill()
	p.begin(start{bucket: best})
	if len(p.constraints) > 1 && (p.left > 0 || p.lacking() > 0) {
		p.retry()
	}
	for r, picked := range p.picked {
		if picked {
			a.picked[p.members[p.rank[r]]] = true
			a.count++
		}
	}
	p.judge(a)
	if len(a.problems) == 0 {
		p.explain(a)
	}
}

// fill puts the candidates into buckets.
func (p *picker) fill() {
	at := make([]int, len(p.rank))
	count := 1
	for _, c := range p.constraints {
		seen := make(map[[2]int]int, count)
		for r := range p.rank {
			key := [2]int{at[r], c.group[r]}
			id, found := seen[key]
			if !found {
				id = len(seen)
				seen[key] = id
			}
			at[r] = id
		}
		count = len(seen)
	}
	p.buckets = make([]bucket, count)
	for r, id := range at {
		b := &p.buckets[id]
		if b.ranks == nil {
			b.groups = make([]int, len(p.constraints))
			for k, c := range p.constraints {
				b.groups[k] = c.group[r]
			}
		}
		b.ranks = append(b.ranks, r)
	}
}

// run chooses: first within all constraints, then within those that must be kept. eager opens the groups that are asked
// for first, instead of only when there is no room for anything else.
func (p *picker) run(eager bool) {
	if !eager {
		p.greedy()
	}
	for p.left > 0 && (p.scan(eager, false) || p.pair(false)) {
	}
	for p.left > 0 && (p.scan(eager, true) || p.pair(true)) {
	}
}

// greedy chooses the best that is allowed, until the groups that are still asked for need all that is left.
func (p *picker) greedy() {
	queue := make(heads, 0, len(p.buckets))
	for i := range p.buckets {
		if b := &p.buckets[i]; !b.shut && !b.empty() {
			queue = append(queue, head{b.head(), i})
		}
	}
	heap.Init(&queue)
	waiting := make([]map[int][]int, len(p.constraints))
	for k := range waiting {
		waiting[k] = map[int][]int{}
	}
	for p.left > 0 && len(queue) > 0 && !p.pressed() {
		i := queue[0].bucket
		b := &p.buckets[i]
		if k := p.blocking(b); k >= 0 {
			waiting[k][b.groups[k]] = append(waiting[k][b.groups[k]], i)
			heap.Pop(&queue)
			continue
		}
		rose := p.take(b)
		if b.empty() {
			heap.Pop(&queue)
		} else {
			queue[0].rank = b.head()
			heap.Fix(&queue, 0)
		}
		for _, k := range rose {
			c := p.constraints[k]
			for _, g := range sortedKeys(waiting[k]) {
				if c.ahead(g) > 0 {
					continue
				}
				for _, i := range waiting[k][g] {
					heap.Push(&queue, head{p.buckets[i].head(), i})
				}
				delete(waiting[k], g)
			}
		}
	}
}

// take chooses the best candidate of a bucket. The result is the constraints whose fewest rose.
func (p *picker) take(b *bucket) (rose []int) {
	p.picked[b.head()] = true
	b.next++
	p.left--
	for k, c := range p.constraints {
		if c.take(b.groups[k]) {
			rose = append(rose, k)
		}
	}
	return rose
}

// blocking is a constraint whose max_skew does not allow the bucket now; -1 where none is.
func (p *picker) blocking(b *bucket) int {
	for k, c := range p.constraints {
		if c.ahead(b.groups[k]) > 0 {
			return k
		}
	}
	return -1
}

// pressed tells whether what is left suffices just for the groups that are still asked for.
func (p *picker) pressed() bool {
	for _, c := range p.constraints {
		if c.need > 0 && c.need >= p.left {
			return true
		}
	}
	return false
}

// scan chooses one by looking at all buckets: the one that opens the most groups that have to be opened now, then the
// one that violates the least, then the best. Without loose it violates nothing. It returns false when there is none.
func (p *picker) scan(eager, loose bool) bool {
	best, bestOpens, bestExcess := -1, 0, 0
	for i := range p.buckets {
		b := &p.buckets[i]
		if b.empty() || b.closed || b.shut && !loose {
			continue
		}
		opens, excess, allowed := p.weigh(b, eager, loose)
		if !allowed {
			continue
		}
		if best < 0 || opens > bestOpens || opens == bestOpens && (excess < bestExcess ||
			excess == bestExcess && b.head() < p.buckets[best].head()) {
			best, bestOpens, bestExcess = i, opens, excess
		}
	}
	if best < 0 {
		return false
	}
	p.take(&p.buckets[best])
	return true
}

// pairsAtMost bounds the search for two that are allowed together, so that the time for a decision stays proportional to
// the number of clusters.
const pairsAtMost = 200_000

// pair chooses two that are allowed only together: with several constraints, one may need what only another brings.
func (p *picker) pair(loose bool) bool {
	if p.left < 2 || len(p.constraints) < 2 {
		return false
	}
	free := make([]*bucket, 0, len(p.buckets))
	for i := range p.buckets {
		if b := &p.buckets[i]; !b.empty() && !b.closed && (loose || !b.shut) {
			free = append(free, b)
		}
	}
	slices.SortFunc(free, func(a, b *bucket) int { return cmp.Compare(a.head(), b.head()) })
	for at, a := range free {
		for _, b := range free[at+1:] {
			if p.pairs++; p.pairs > pairsAtMost {
				return false
			}
			if p.together(a, b, loose) {
				p.take(a)
				p.take(b)
				return true
			}
		}
	}
	return false
}

// together tells whether two more, of different buckets, keep to max_skew.
func (p *picker) together(a, b *bucket, loose bool) bool {
	for k, c := range p.constraints {
		if c.skew == 0 || loose && !c.hard() {
			continue
		}
		ga, gb := a.groups[k], b.groups[k]
		na, nb, raised := c.count[ga]+1, c.count[gb]+1, 0
		if ga == gb {
			na, nb = na+1, nb+1
		} else if c.count[gb] == c.fewest {
			raised++
		}
		if c.count[ga] == c.fewest {
			raised++
		}
		fewest := c.fewest
		if raised == c.at[c.fewest] {
			fewest++
		}
		if max(na, nb)-fewest > c.skew {
			return false
		}
	}
	return true
}

// weigh tells how many groups that have to be opened now the bucket opens, and by how much it violates constraints
// that need not be kept.
func (p *picker) weigh(b *bucket, eager, loose bool) (opens, excess int, allowed bool) {
	for k, c := range p.constraints {
		g := b.groups[k]
		if c.count[g] == 0 && c.usable[g] && c.need > 0 && (eager || c.need >= p.left) {
			opens++
		}
		ahead := c.ahead(g)
		if !c.usable[g] && c.count[g] == 0 {
			ahead += len(p.rank) // opening a group too many is worse than any skew
		}
		if ahead > 0 && (c.hard() || !loose) {
			return 0, 0, false
		}
		excess += ahead
	}
	return opens, excess, true
}

// lacking is how many groups the constraints that must be kept miss.
func (p *picker) lacking() int {
	missing := 0
	for _, c := range p.constraints {
		if c.hard() {
			missing += c.missing()
		}
	}
	return missing
}

// heads is a heap of the best candidates of buckets.
type heads []head

type head struct{ rank, bucket int }

func (h heads) Len() int           { return len(h) }
func (h heads) Less(i, j int) bool { return h[i].rank < h[j].rank }
func (h heads) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any) {
	if x, ok := x.(head); ok {
		*h = append(*h, x)
	}
}
func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
