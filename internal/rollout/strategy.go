package rollout

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// OnFailure says what becomes of a rollout in which a wave failed.
type OnFailure string

// What becomes of a rollout in which a wave failed.
const (
	// Halt starts nothing more: what is done keeps the new revision, the others keep theirs.
	Halt OnFailure = "halt"
	// Rollback halts, and the clusters that were touched return to the revision they ran.
	Rollback OnFailure = "rollback"
	// Continue goes on whatever fails; failures are reported in the end.
	Continue OnFailure = "continue"
)

// Rest is the name of the wave that the clusters form that no other wave names.
const Rest = "rest"

// Strategy says in which order and how cautiously clusters get a new revision.
type Strategy struct {
	// Waves go one after the other; Rest follows. None at all means that every cluster is in Rest.
	Waves []Wave
	// MaxConcurrency holds for the waves that have none of their own, and for Rest; the zero value means All.
	MaxConcurrency Count
	// MaxFailures is how many clusters may fail before the rollout stops, a share being of all that take part: the active,
	// reachable clusters of all waves up to Through.
	MaxFailures Count
	// ProgressDeadline is how long a cluster may take to become healthy before it counts as failed; 0 is for ever.
	ProgressDeadline time.Duration
	// OnFailure is what becomes of the rollout when a wave failed; empty means Halt.
	OnFailure OnFailure
	// Through is the last wave that gets the revision; empty means each of them.
	Through string
}

// Wave is one step of a rollout.
type Wave struct {
	// Name identifies the wave in Through and in messages.
	Name string
	// Clusters are its members. One that an earlier wave has is that one's; one that is not of the set is nobody's.
	Clusters []string
	// MaxConcurrency is how many of its clusters may be in flight, a share being of its active, reachable ones; the zero
	// value means the strategy's.
	MaxConcurrency Count
	// Soak is how long its clusters have to be healthy before the next wave begins.
	Soak time.Duration
}

// Unstaged is the strategy of a set without one: all clusters at once, and no failure stops another cluster's work.
func Unstaged() Strategy { return Strategy{OnFailure: Continue} }

// Validate says what is wrong with the strategy, all of it.
func (s Strategy) Validate() error {
	var problems []error
	seen := map[string]bool{}
	names := make([]string, 0, len(s.Waves)+1)
	for i, w := range s.Waves {
		switch {
		case w.Name == "":
			problems = append(problems, fmt.Errorf("waves[%d] has no name", i))
		case w.Name == Rest:
			problems = append(problems, fmt.Errorf("waves[%d]: the name %q is taken, by the clusters that are in no wave", i, Rest))
		case seen[w.Name]:
			problems = append(problems, fmt.Errorf("waves[%d]: there is a wave %q already; each needs a name of its own", i, w.Name))
		}
		if w.Soak < 0 {
			problems = append(problems, fmt.Errorf("waves[%d].soak is %s; it cannot be negative", i, w.Soak))
		}
		if w.MaxConcurrency.Percent && w.MaxConcurrency.Value == 0 {
			problems = append(problems, fmt.Errorf("waves[%d].max_concurrency is 0%%: no cluster would ever start; want 1 or more", i))
		}
		seen[w.Name] = true
		names = append(names, w.Name)
	}
	if s.Through != "" && s.Through != Rest && !seen[s.Through] {
		hint := ""
		if like := fleet.Closest(s.Through, names); like != "" {
			hint = fmt.Sprintf(" Did you mean %q?", like)
		}
		problems = append(problems, fmt.Errorf("through is %q, and there is no such wave; there are %s.%s", s.Through, quoted(append(names, Rest)), hint))
	}
	switch s.OnFailure {
	case "", Halt, Rollback, Continue:
	default:
		problems = append(problems, fmt.Errorf("on_failure is %q; want %q, %q or %q", s.OnFailure, Halt, Rollback, Continue))
	}
	if s.MaxConcurrency.Percent && s.MaxConcurrency.Value == 0 {
		problems = append(problems, errors.New("max_concurrency is 0%: no cluster would ever start; want 1 or more"))
	}
	if s.ProgressDeadline < 0 {
		problems = append(problems, fmt.Errorf("progress_deadline is %s; it cannot be negative", s.ProgressDeadline))
	}
	return errors.Join(problems...)
}

// ParseConcurrency reads a count of clusters in flight, which cannot be none.
func ParseConcurrency(text string) (Count, error) {
	c, err := ParseCount(text)
	if err == nil && c.Value == 0 {
		return Count{}, fmt.Errorf("%q: no cluster would ever start; want 1 or more", text)
	}
	return c, err
}

func quoted(names []string) string {
	texts := make([]string, 0, len(names))
	for _, n := range names {
		texts = append(texts, fmt.Sprintf("%q", n))
	}
	return strings.Join(texts, ", ")
}
