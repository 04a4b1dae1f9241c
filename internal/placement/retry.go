package placement

// stepsAtMost bounds what is spent on trying again, so that the time for a decision stays proportional to the number of
// clusters.
const stepsAtMost = 2_000_000

// start is a way to begin: with a bucket, or without it, and opening groups early or late.
type start struct {
	bucket  int
	without bool
	eager   bool
}

// best, for a bucket, is the best cluster that is allowed.
const best = -1

// retry looks for a choice of more clusters, or of groups that are still asked for. With several constraints the best
// cluster may be just the one that leaves no room for others, so each kind of cluster is tried as the first, and left out.
func (p *picker) retry() {
	good, first, steps := p.outcome(), start{bucket: best}, 0
	for bucket := best; bucket < len(p.buckets); bucket++ {
		for _, s := range []start{{bucket: bucket, eager: true}, {bucket: bucket}, {bucket: bucket, without: true}} {
			if steps += (len(p.constraints)+1)*len(p.rank) + len(p.buckets)*(p.want+1); steps > stepsAtMost {
				p.begin(first)
				return
			}
			p.begin(s)
			if o := p.outcome(); o.better(good) {
				good, first = o, s
			}
		}
	}
	p.begin(first)
}

// begin chooses, from the beginning.
func (p *picker) begin(s start) {
	p.picked = make([]bool, len(p.rank))
	p.left = p.want
	switch {
	case s.bucket == best:
		p.restrict(nil)
	case s.without:
		p.restrict(nil)
		p.buckets[s.bucket].shut, p.buckets[s.bucket].closed = true, true
	default:
		p.restrict(&p.buckets[s.bucket])
		if b := &p.buckets[s.bucket]; !b.shut && p.left > 0 {
			p.take(b)
		}
	}
	p.run(s.eager)
}

// outcome is how good a choice is.
type outcome struct {
	lacking, left int
	kept          int
	score         int64
}

func (p *picker) outcome() outcome {
	o := outcome{lacking: p.lacking(), left: p.left}
	for r, picked := range p.picked {
		if !picked {
			continue
		}
		o.score += p.score(r)
		if p.s.before[p.cluster(r)] {
			o.kept++
		}
	}
	return o
}

// better tells whether a choice is better than another: it has the groups, then more clusters, then more of those chosen
// before, then better ones.
func (o outcome) better(other outcome) bool {
	switch {
	case o.lacking != other.lacking:
		return o.lacking < other.lacking
	case o.left != other.left:
		return o.left < other.left
	case o.kept != other.kept:
		return o.kept > other.kept
	}
	return o.score > other.score
}
