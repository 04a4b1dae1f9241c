package placement

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Share is what one cluster may get where replicas are divided.
type Share struct {
	Cluster string
	// Weight is its share, relative to the others'. A cluster with weight 0 gets Min.
	Weight int64
	// Min and Max bound what it gets; a nil Max does not.
	Min int64
	Max *int64
	// Previous is what it had; 0 for a cluster that is new.
	Previous int64
}

// IndivisibleError says that replicas cannot be divided as the shares ask.
type IndivisibleError struct {
	// Total is what was to be divided.
	Total int64
	// Detail says what stands in the way, with the numbers.
	Detail string
}

func (e *IndivisibleError) Error() string {
	return fmt.Sprintf("%d replicas cannot be divided: %s", e.Total, e.Detail)
}

// Divide gives every cluster its part of total by weight, with Webster's method: the next replica always goes to the
// cluster with the greatest weight/(2n+1), n being what it has; on a tie to the one with fewer, then to the first by name.
// The parts always add up to total. The error is an [*IndivisibleError].
//
// What clusters had before is kept as far as it can be: where there are more replicas, no cluster loses one, and where
// there are fewer, none gains one, except as bounds and weights of 0 demand. With all Previous 0 the result is that of
// Webster's method alone.
func Divide(total int64, shares []Share) (map[string]int64, error) {
	d, err := newDivision(total, shares)
	if err != nil {
		return nil, err
	}
	for i, s := range d.shares {
		d.parts[i] = min(max(s.Previous, d.least[i]), d.most[i])
		d.sum += d.parts[i]
	}
	if d.sum < total {
		d.grow()
	} else {
		d.shrink()
	}
	parts := make(map[string]int64, len(shares))
	for i, s := range d.shares {
		parts[s.Cluster] = d.parts[i]
	}
	return parts, nil
}

// division is an apportionment in the making.
type division struct {
	total       int64
	shares      []Share // by name
	least, most []int64
	parts       []int64
	sum         int64
}

func newDivision(total int64, shares []Share) (*division, error) {
	refuse := func(format string, args ...any) (*division, error) {
		return nil, &IndivisibleError{Total: total, Detail: fmt.Sprintf(format, args...)}
	}
	n := len(shares)
	d := &division{total: total, least: make([]int64, n), most: make([]int64, n), parts: make([]int64, n)}
	d.shares = slices.SortedFunc(slices.Values(shares), func(a, b Share) int { return cmp.Compare(a.Cluster, b.Cluster) })
	if total < 0 {
		return refuse("the number is negative")
	}
	var least, most, weight int64
	for i, s := range d.shares {
		d.least[i], d.most[i] = s.Min, total
		switch {
		case i > 0 && s.Cluster == d.shares[i-1].Cluster:
			return refuse("cluster %s has two shares", s.Cluster)
		case s.Weight < 0 || s.Min < 0:
			return refuse("cluster %s has a negative weight or minimum (%d, %d)", s.Cluster, s.Weight, s.Min)
		case s.Max != nil && *s.Max < s.Min:
			return refuse("cluster %s has the minimum %d and the maximum %d", s.Cluster, s.Min, *s.Max)
		case s.Min > total-least:
			return refuse("the minimums of the clusters add up to more")
		case s.Weight == 0:
			d.most[i] = s.Min
		case s.Max != nil:
			d.most[i] = min(*s.Max, total)
		}
		least += d.least[i]
		most = min(total, most+d.most[i])
		weight = max(weight, s.Weight)
	}
	switch {
	case most < total && weight == 0:
		return refuse("no cluster has a weight, and the minimums add up to %d", least)
	case most < total:
		return refuse("the maximums of the clusters, and the minimums of those with weight 0, add up to %d", most)
	}
	return d, nil
}

// grow gives out what is missing.
func (d *division) grow() {
	if d.total-d.sum > int64(4*len(d.shares)) {
		d.leap(func(i int, seats int64) int64 { return min(max(d.parts[i], seats), d.most[i]) }, 1-1e-9)
	}
	q := queue{less: func(a, b int) bool { return d.before(a, b, 0) }}
	for i := range d.shares {
		if d.parts[i] < d.most[i] {
			q.items = append(q.items, i)
		}
	}
	heap.Init(&q)
	for d.sum < d.total {
		i := q.items[0]
		d.parts[i]++
		d.sum++
		if d.parts[i] == d.most[i] {
			heap.Pop(&q)
		} else {
			heap.Fix(&q, 0)
		}
	}
}

// shrink takes back what is too much, the last given first.
func (d *division) shrink() {
	if d.sum-d.total > int64(4*len(d.shares)) {
		d.leap(func(i int, seats int64) int64 { return max(min(d.parts[i], seats), d.least[i]) }, 1+1e-9)
	}
	q := queue{less: func(a, b int) bool { return d.before(b, a, 1) }}
	for i := range d.shares {
		if d.parts[i] > d.least[i] {
			q.items = append(q.items, i)
		}
	}
	heap.Init(&q)
	for d.sum > d.total {
		i := q.items[0]
		d.parts[i]--
		d.sum--
		if d.parts[i] == d.least[i] {
			heap.Pop(&q)
		} else {
			heap.Fix(&q, 0)
		}
	}
}

// leap goes most of the way at once, so that dividing millions takes no longer than dividing a few. parts tells what a
// cluster has when Webster's method alone gave it that many seats. The way is not gone to its end, as margin says, because
// it is reckoned with floating-point numbers; a step that was not gone is gone one by one.
func (d *division) leap(parts func(i int, seats int64) int64, margin float64) {
	at := func(x float64) (sum int64) {
		for i, s := range d.shares {
			sum += parts(i, seats(s.Weight, x))
		}
		return sum
	}
	low, high := 0.0, 2*float64(d.total)+2
	for range 128 {
		middle := (low + high) / 2
		if at(middle) <= d.total {
			low = middle
		} else {
			high = middle
		}
	}
	x := low
	if margin > 1 {
		x = high
	}
	d.sum = 0
	for i, s := range d.shares {
		d.parts[i] = parts(i, seats(s.Weight, x*margin))
		d.sum += d.parts[i]
	}
}

// seats is the number of seats that a divisor of 1/x gives, rounded as Webster does.
func seats(weight int64, x float64) int64 {
	return int64(min(math.Floor(float64(weight)*x+0.5), math.MaxInt32*1024))
}

// before tells whether the next replica goes to a rather than to b, when each has back fewer than now.
func (d *division) before(a, b int, back int64) bool {
	na, nb := d.parts[a]-back, d.parts[b]-back
	// weight_a/(2 na + 1) against weight_b/(2 nb + 1), without rounding.
	ha, la := bits.Mul64(uint64(d.shares[a].Weight), uint64(2*nb+1))
	hb, lb := bits.Mul64(uint64(d.shares[b].Weight), uint64(2*na+1))
	return cmp.Or(cmp.Compare(hb, ha), cmp.Compare(lb, la), cmp.Compare(na, nb), cmp.Compare(a, b)) < 0
}

// queue is a heap of positions.
type queue struct {
	items []int
	less  func(a, b int) bool
}

func (q *queue) Len() int           { return len(q.items) }
func (q *queue) Less(i, j int) bool { return q.less(q.items[i], q.items[j]) }
func (q *queue) Swap(i, j int)      { q.items[i], q.items[j] = q.items[j], q.items[i] }
func (q *queue) Push(x any) {
	if i, ok := x.(int); ok {
		q.items = append(q.items, i)
	}
}
func (q *queue) Pop() any {
	last := q.items[len(q.items)-1]
	q.items = q.items[:len(q.items)-1]
	return last
}
