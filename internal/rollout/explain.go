package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// namesShown is how many names of clusters a line of Explain has before it only counts.
const namesShown = 10

// Explanation is the text of the error in which a rollout ended.
type Explanation struct {
	// Title is one line.
	Title string
	// Detail says what failed where, what runs where, and what to do next.
	Detail string
}

// Explain tells how the rollout ended; ok is false where there is nothing to complain about.
func Explain(p Progress, step Step) (text Explanation, ok bool) {
	failures := p.failures()
	switch step.Verdict {
	case Halted:
		text.Title = fmt.Sprintf("Rollout halted in wave %q", step.Wave)
	case Restored:
		text.Title = fmt.Sprintf("Rollout rolled back in wave %q", step.Wave)
	case Stopped:
		text.Title = "Rollout interrupted"
		if step.Wave != "" {
			text.Title += fmt.Sprintf(" in wave %q", step.Wave)
		}
	case Complete:
		if len(failures) == 0 {
			return Explanation{}, false
		}
		text.Title = fmt.Sprintf("%d of %s failed", len(failures), fleet.Plural(len(p.Clusters), "cluster"))
	case Running:
		return Explanation{}, false
	}
	var paragraphs []string
	if len(failures) > 0 {
		paragraphs = append(paragraphs, strings.Join(failures, "\n"))
	}
	paragraphs = append(paragraphs, runs(p, step)+"\n"+advice(p, step))
	text.Detail = strings.Join(paragraphs, "\n\n")
	return text, true
}

// failures are the clusters that failed, each with its reason.
func (p Progress) failures() []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(p.Clusters)) {
		c := p.Clusters[name]
		switch {
		case c.State == Stuck:
			lines = append(lines, fmt.Sprintf("%s  not rolled back: %s", name, c.Message))
		case c.State == Failed, (c.State == RollingBack || c.State == RolledBack) && c.Message != "":
			lines = append(lines, fmt.Sprintf("%s  %s", name, c.Message))
		}
	}
	return lines
}

// runs tells which cluster runs what, and which waves have not begun.
func runs(p Progress, step Step) string {
	groups := map[string][]string{}
	short := shortener(p)
	for name, c := range p.Clusters {
		title := heading(c, p, short)
		groups[title] = append(groups[title], name)
	}
	var parts []string
	for _, title := range slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return strings.Compare(rank(a)+a, rank(b)+b)
	}) {
		parts = append(parts, fmt.Sprintf("%s: %s.", title, list(groups[title])))
	}
	var idle []string
	for _, w := range step.Waves {
		if w.Phase == PhaseWaiting && w.Waiting == w.Total {
			idle = append(idle, w.Name)
		}
	}
	if len(idle) > 0 {
		noun := "wave"
		if len(idle) > 1 {
			noun = "waves"
		}
		parts = append(parts, fmt.Sprintf("Not started: %s %s.", noun, quoted(idle)))
	}
	return strings.Join(parts, "   ")
}

// heading is the group that a cluster is listed in.
func heading(c Cluster, p Progress, short func(string) string) string {
	switch {
	case c.State == Deferred:
		return "Deferred"
	case c.Leaving && c.State == Applied:
		return "Removed"
	case c.Leaving:
		return "Leaving, not removed"
	case c.State == RolledBack:
		return fmt.Sprintf("Revision %s (restored)", short(c.Previous))
	case c.Revision == "":
		return "Nothing yet"
	case c.Revision == p.Revision:
		return fmt.Sprintf("Revision %s (new)", short(c.Revision))
	}
	return fmt.Sprintf("Revision %s (kept)", short(c.Revision))
}

// rank orders the groups: what is new first.
func rank(title string) string {
	for i, word := range []string{"(new)", "(restored)", "(kept)", "Nothing yet", "Leaving", "Removed", "Deferred"} {
		if strings.Contains(title, word) {
			return fmt.Sprint(i)
		}
	}
	return "9"
}

// advice tells what the next apply does.
func advice(p Progress, step Step) string {
	switch step.Verdict {
	case Halted:
		text := "Fix the manifest and apply again, or revert it"
		short := shortener(p)
		back := map[string][]string{}
		for name, c := range p.Clusters {
			if c.Revision == p.Revision && c.Previous != "" && c.Previous != p.Revision {
				back[c.Previous] = append(back[c.Previous], name)
			}
		}
		var parts []string
		for _, revision := range slices.Sorted(maps.Keys(back)) {
			verb := "goes"
			if len(back[revision]) > 1 {
				verb = "go"
			}
			parts = append(parts, fmt.Sprintf("%s %s back to %s", list(back[revision]), verb, short(revision)))
		}
		if len(parts) > 0 {
			text += ": " + strings.Join(parts, ", ")
		}
		return text + "."
	case Restored:
		return "The configuration still has the revision that failed: the next apply tries it again. Fix the manifest or revert it first."
	case Stopped:
		return "The next apply goes on where this one stopped."
	case Complete, Running:
	}
	return "The others are done. The next apply tries what failed again."
}

// list prints names, and counts those that would fill the screen.
func list(names []string) string {
	names = sorted(names)
	if len(names) > namesShown {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:namesShown], ", "), len(names)-namesShown)
	}
	return strings.Join(names, ", ")
}

// shortener cuts revisions to as few characters, at least four, as still tell them apart.
func shortener(p Progress) func(string) string {
	all := map[string]bool{p.Revision: true}
	for _, c := range p.Clusters {
		all[c.Revision], all[c.Previous] = true, true
	}
	length := 4
	for cut := map[string]bool{}; len(cut) < len(all); length++ {
		clear(cut)
		for r := range all {
			cut[r[:min(length, len(r))]] = true
		}
		if len(cut) == len(all) {
			break
		}
	}
	return func(r string) string { return r[:min(length, len(r))] }
}
