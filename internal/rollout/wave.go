package rollout

import (
	"maps"
	"slices"
	"time"
)

// wave is a wave with the clusters that are in it now.
type wave struct {
	Wave
	members []string // sorted
	held    bool     // behind Through
}

// arrange puts each cluster of the set into its wave.
func arrange(s Strategy, p Progress) []wave {
	taken := map[string]bool{}
	waves := make([]wave, 0, len(s.Waves)+1)
	held := false
	for _, w := range s.Waves {
		in := wave{Wave: w, held: held}
		for _, name := range sorted(w.Clusters) {
			if c, ok := p.Clusters[name]; ok && !c.Leaving && !taken[name] {
				taken[name] = true
				in.members = append(in.members, name)
			}
		}
		waves = append(waves, in)
		held = held || w.Name == s.Through
	}
	rest := wave{Wave: Wave{Name: Rest}, held: held}
	for _, name := range slices.Sorted(maps.Keys(p.Clusters)) {
		if !taken[name] && !p.Clusters[name].Leaving {
			rest.members = append(rest.members, name)
		}
	}
	if len(rest.members) > 0 || len(s.Waves) == 0 || s.Through == Rest {
		waves = append(waves, rest)
	}
	return waves
}

// Rank is a wave with the clusters that are in it now, sorted.
type Rank struct {
	Name     string
	Clusters []string
	// Held tells that the wave is behind Through.
	Held bool
}

// Ranks are the waves in order, Rest included where it has clusters. What leaves the set is in none.
func Ranks(s Strategy, p Progress) []Rank {
	waves := arrange(s, p)
	ranks := make([]Rank, 0, len(waves))
	for _, w := range waves {
		ranks = append(ranks, Rank{Name: w.Name, Clusters: w.members, Held: w.held})
	}
	return ranks
}

// standing is how the machine sees a cluster.
type standing int

const (
	waiting  standing = iota
	writing           // in flight, being written to
	settling          // in flight, written and not healthy yet
	healthy
	failed
	expired // failed because it took too long; whoever works on it is to stop
	deferred
	returning // in flight, back to the previous revision
	returned
	stuck
)

func (x standing) inFlight() bool { return x == writing || x == settling || x == returning }

func (x standing) hasFailed() bool { return x == failed || x == expired }

// undone tells whether a rollback has got hold of the cluster.
func (x standing) undone() bool { return x == returning || x == returned || x == stuck }

// judge tells how a cluster stands, which for one in flight is a question of time.
func (m *machine) judge(c Cluster, soak time.Duration) standing {
	switch c.State {
	case Applying:
		return m.timed(c, soak, writing)
	case Applied:
		switch {
		case c.Revision != m.progress.Revision && !c.Leaving:
			return waiting
		case c.Healthy:
			return healthy
		}
		return m.timed(c, soak, settling)
	case Failed:
		return failed
	case Deferred:
		return deferred
	case RollingBack:
		return returning
	case RolledBack:
		return returned
	case Stuck:
		return stuck
	case Waiting:
	}
	return waiting
}

// timed tells whether a cluster's time is up. One that keeps losing its health has no more time than a wave that soaks
// may take, or it would hold up the rollout for ever.
func (m *machine) timed(c Cluster, soak time.Duration, x standing) standing {
	if deadline := m.deadline(c, soak); !deadline.IsZero() && !m.now.Before(deadline) {
		return expired
	}
	return x
}

// deadline is when the cluster's time is up; zero is never.
func (m *machine) deadline(c Cluster, soak time.Duration) time.Time {
	limit := m.strategy.ProgressDeadline
	if limit == 0 || c.Since.IsZero() {
		return time.Time{}
	}
	deadline := c.Since.Add(limit)
	if last := c.Started.Add(limit + soak); !c.Started.IsZero() && c.Since.After(c.Started) && last.Before(deadline) {
		deadline = last
	}
	return deadline
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }
