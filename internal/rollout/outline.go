package rollout

import (
	"fmt"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Outline says in sentences what is worth knowing of the waves before they begin: who is in two, and which are passed over.
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
		}
	}
	return notes
}

func verb(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
