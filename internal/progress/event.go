package progress

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Kind says what an event is about.
type Kind string

// The kinds of events.
const (
	// Begin is the start of work on a set: it has Waves, and Verb.
	Begin Kind = "begin"
	// Step is a cluster getting on: it has Cluster, Phase, Done and Total.
	Step Kind = "step"
	// Note is a sentence about the set, or about a wave of it.
	Note Kind = "note"
	// End is the end of work on a set: it has Counts, and in Message how it ended.
	End Kind = "end"
	// Summary is the last event of a run: it has the Counts of all its sets.
	Summary Kind = "summary"
)

// Phase is what a cluster is at.
type Phase string

// The phases of a cluster.
const (
	// Waiting has not begun.
	Waiting Phase = "waiting"
	// Applying is being written to.
	Applying Phase = "applying"
	// Settling is written, and waited for to become healthy.
	Settling Phase = "settling"
	// Done is as it should be.
	Done Phase = "done"
	// Failed did not get there.
	Failed Phase = "failed"
	// Deferred takes no part, because it is not reachable or in maintenance.
	Deferred Phase = "deferred"
	// Held keeps what it runs until it is promoted.
	Held Phase = "held"
	// RollingBack is on its way to its previous revision.
	RollingBack Phase = "rolling back"
	// RolledBack is at its previous revision again.
	RolledBack Phase = "rolled back"
)

// phases are all phases, in the order in which they are counted out.
var phases = []Phase{Done, Failed, RolledBack, Settling, Applying, RollingBack, Waiting, Held, Deferred}

// Active tells whether something is going on in the phase.
func (p Phase) Active() bool { return p == Applying || p == Settling || p == RollingBack }

// Event is one line of progress.
type Event struct {
	// Time is when it happened; Log fills it in.
	Time time.Time `json:"time"`
	// Run identifies the process that it happened in; Log fills it in.
	Run  string `json:"run"`
	Kind Kind   `json:"event"`
	// Set is the name of the set; empty in Summary.
	Set string `json:"set,omitempty"`
	// Verb is what is done to the set, such as "apply" or "destroy".
	Verb string `json:"verb,omitempty"`
	// Wave and Cluster are what it is about; the wave is filled in by Log where Begin told it.
	Wave    string `json:"wave,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	Phase   Phase  `json:"phase,omitempty"`
	// Done and Total count the objects of the set on the cluster.
	Done  int `json:"done,omitempty"`
	Total int `json:"total,omitempty"`
	// Message says why, or what is waited for. It must have nothing secret in it.
	Message string `json:"message,omitempty"`
	// Waves are the waves of the set in order, with their clusters.
	Waves []Wave `json:"waves,omitempty"`
	// Counts say how many clusters are in which phase.
	Counts map[Phase]int `json:"counts,omitempty"`
	// Seconds is how long the set, or the run, took.
	Seconds float64 `json:"seconds,omitempty"`
	// Lost is how many events before this one were not written, because the file could not take them fast enough.
	Lost int `json:"lost,omitempty"`
}

// Wave is a wave with its clusters.
type Wave struct {
	Name     string   `json:"name"`
	Clusters []string `json:"clusters"`
}

// String prints the event as a line for people, without what could play tricks on a terminal.
func (e Event) String() string {
	parts := []string{e.Time.Format(time.TimeOnly)}
	if e.Set != "" {
		parts = append(parts, e.Set)
	}
	if e.Wave != "" {
		parts = append(parts, "["+e.Wave+"]")
	}
	switch e.Kind {
	case Begin:
		var waves []string
		for _, w := range e.Waves {
			waves = append(waves, fmt.Sprintf("%s (%d)", w.Name, len(w.Clusters)))
		}
		parts = append(parts, e.Verb+" begins:", strings.Join(waves, ", "))
	case Step:
		parts = append(parts, e.Cluster, string(e.Phase))
		if e.Total > 0 {
			parts = append(parts, fmt.Sprintf("%d/%d", e.Done, e.Total))
		}
	case End, Summary:
		parts = append(parts, string(e.Kind)+":", Counted(e.Counts), "in "+took(e.Seconds))
	case Note:
	}
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	if e.Lost > 0 {
		parts = append(parts, fmt.Sprintf("(%d events before this one were lost)", e.Lost))
	}
	return Printable(strings.Join(parts, "  "))
}

// Counted prints counts of clusters, such as "3 done, 1 failed".
func Counted(counts map[Phase]int) string {
	var parts []string
	for _, p := range phases {
		if n := counts[p]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, p))
		}
	}
	if len(parts) == 0 {
		return "no clusters"
	}
	return strings.Join(parts, ", ")
}

// took prints seconds as "1m5s".
func took(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d >= time.Second {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

// Printable is the text on one line, with its control characters replaced: what clusters have to say is not trusted to
// move the cursor.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return '·'
		}
		return r
	}, strings.ToValidUTF8(text, "·"))
}
