package progress

import (
	"maps"
	"slices"
	"time"
)

// Board is what the events so far amount to. A run is one process: what it writes after all runs before it are over
// begins the board anew, and what it writes beside them joins it, because a provider may have several processes.
type Board struct {
	// Sets are in the order in which they began.
	Sets []*Set
	// Last is the newest event.
	Last Event
	// Began is when the first event happened.
	Began time.Time
	// Closed tells that every run is over.
	Closed bool

	runs map[string]bool // whether it is over
}

// Set is how one set is doing.
type Set struct {
	Run, Name, Verb string

	Waves []*WaveState
	// Note is the last sentence about the set.
	Note  string
	Began time.Time
	// Ended is zero while it is being worked on.
	Ended time.Time
}

// WaveState is how one wave is doing.
type WaveState struct {
	Name     string
	Clusters []*ClusterState
}

// ClusterState is how one cluster is doing.
type ClusterState struct {
	Name        string
	Phase       Phase
	Done, Total int
	Message     string
	// Since is when it entered the phase.
	Since time.Time
}

// Add takes the next event.
func (b *Board) Add(e Event) {
	if _, known := b.runs[e.Run]; !known {
		if e.Kind == Summary {
			return // of a run whose sets are not shown any more
		}
		if b.Closed || b.Idle() || b.runs == nil {
			*b = Board{Began: e.Time, runs: map[string]bool{}}
		}
		b.runs[e.Run] = false
	}
	b.Last = e
	if e.Kind == Summary {
		b.runs[e.Run] = true
		b.Closed = !slices.Contains(slices.Collect(maps.Values(b.runs)), false)
		return
	}
	if e.Kind == Begin {
		b.supersede(e)
	}
	s := b.set(e)
	switch e.Kind {
	case Begin:
		*s = Set{Run: e.Run, Name: e.Set, Verb: e.Verb, Began: e.Time}
		for _, w := range e.Waves {
			wave := s.wave(w.Name)
			for _, name := range w.Clusters {
				wave.Clusters = append(wave.Clusters, &ClusterState{Name: name, Phase: Waiting, Since: e.Time})
			}
		}
	case Step:
		c := s.cluster(e)
		if c.Phase != e.Phase {
			c.Since = e.Time
		}
		c.Phase, c.Message = e.Phase, e.Message
		if e.Total > 0 {
			c.Done, c.Total = e.Done, e.Total
		}
	case Note:
		s.Note = e.Message
	case End:
		s.Ended, s.Note = e.Time, e.Message
	case Summary:
	}
}

// supersede forgets another run's work on the set: the state's lock lets only one run at a time work on it, so that one
// was killed.
func (b *Board) supersede(e Event) {
	for _, s := range b.Sets {
		if s.Name == e.Set && s.Run != e.Run {
			delete(b.runs, s.Run)
		}
	}
	b.Sets = slices.DeleteFunc(b.Sets, func(s *Set) bool {
		_, known := b.runs[s.Run]
		return !known
	})
}

func (b *Board) set(e Event) *Set {
	if i := slices.IndexFunc(b.Sets, func(s *Set) bool { return s.Run == e.Run && s.Name == e.Set }); i >= 0 {
		return b.Sets[i]
	}
	s := &Set{Run: e.Run, Name: e.Set, Verb: e.Verb, Began: e.Time}
	b.Sets = append(b.Sets, s)
	return s
}

func (s *Set) wave(name string) *WaveState {
	if i := slices.IndexFunc(s.Waves, func(w *WaveState) bool { return w.Name == name }); i >= 0 {
		return s.Waves[i]
	}
	w := &WaveState{Name: name}
	s.Waves = append(s.Waves, w)
	return w
}

// find is the cluster and its wave; nil where Begin did not name it.
func (s *Set) find(cluster string) (*WaveState, *ClusterState) {
	for _, w := range s.Waves {
		for _, c := range w.Clusters {
			if c.Name == cluster {
				return w, c
			}
		}
	}
	return nil, nil
}

func (s *Set) cluster(e Event) *ClusterState {
	if _, c := s.find(e.Cluster); c != nil {
		return c
	}
	c := &ClusterState{Name: e.Cluster, Since: e.Time}
	w := s.wave(e.Wave)
	w.Clusters = append(w.Clusters, c)
	return c
}

// Counts are the clusters of the wave by phase.
func (w *WaveState) Counts() map[Phase]int {
	counts := map[Phase]int{}
	for _, c := range w.Clusters {
		counts[c.Phase]++
	}
	return counts
}

// Counts are the clusters of the set by phase.
func (s *Set) Counts() map[Phase]int {
	counts := map[Phase]int{}
	for _, w := range s.Waves {
		for phase, n := range w.Counts() {
			counts[phase] += n
		}
	}
	return counts
}

// Counts are the clusters of all sets by phase: a cluster counts once for each set on it.
func (b *Board) Counts() map[Phase]int {
	counts := map[Phase]int{}
	for _, s := range b.Sets {
		for phase, n := range s.Counts() {
			counts[phase] += n
		}
	}
	return counts
}

// Idle tells that every set that began has ended.
func (b *Board) Idle() bool {
	return len(b.Sets) > 0 && !slices.ContainsFunc(b.Sets, func(s *Set) bool { return s.Ended.IsZero() })
}
