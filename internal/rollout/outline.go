package rollout

import (
	"fmt"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Outline says in sentences what is worth knowing of the waves before they begin: who is in none, who is in two, and
// which are passed over.
func Outline(s Strategy, p Progress) []string {
	var notes []string
	first := map[string]string{}
	for _, w := range s.Waves {
		for _, name := range sorted(w.Clusters) {
			switch before, taken := first[name]; {
			case !taken:
				first[name] = w.Name
			case before != w.Name:
				notes = append(notes, fmt.Sprintf("%s is in the waves %q and %q; it goes with the first, %q", name, before, w.Name, before))
			}
		}
	}
	for _, w := range arrange(s, p) {
		active := 0
		for _, name := range w.members {
			if p.Clusters[name].State != Deferred {
				active++
			}
		}
		switch {
		case len(s.Waves) == 0:
		case len(w.members) == 0:
			notes = append(notes, fmt.Sprintf("wave %q has no clusters and is passed over", w.Name))
		case active == 0 && !w.held:
			notes = append(notes, fmt.Sprintf("wave %q is passed over, and so tests nothing: its %s (%s) cannot be reached or %s in maintenance",
				w.Name, fleet.Plural(len(w.members), "cluster"), list(w.members), verb(len(w.members))))
		case w.Name == Rest:
			notes = append(notes, fmt.Sprintf("%s %s in no wave and %s last, as wave %q: %s",
				fleet.Plural(len(w.members), "cluster"), verb(len(w.members)), comes(len(w.members)), Rest, list(w.members)))
		}
		if w.held && len(w.members) > 0 {
			notes = append(notes, fmt.Sprintf("wave %q is behind through = %q and keeps what it runs: %s", w.Name, s.Through, strings.Join(revisions(w, p), ", ")))
		}
	}
	return notes
}

// revisions are what the clusters of a wave run, each with its clusters.
func revisions(w wave, p Progress) []string {
	short := shortener(p)
	var order []string
	by := map[string][]string{}
	for _, name := range w.members {
		r := p.Clusters[name].Revision
		if by[r] == nil {
			order = append(order, r)
		}
		by[r] = append(by[r], name)
	}
	var parts []string
	for _, r := range order {
		what := "nothing"
		if r != "" {
			what = "revision " + short(r)
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", what, list(by[r])))
	}
	return parts
}

func verb(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func comes(n int) string {
	if n == 1 {
		return "comes"
	}
	return "come"
}
