package placement

import (
	"fmt"
	"slices"
)

// explainChanges says what the decision changes: another affinity in use, then the clusters that leave and why, then those
// that enter. It is empty where the same clusters are chosen as before. The reasons are those of the first decision, in which
// the clusters that leave still had the advantage of being there.
func (d *Decision) explainChanges(previous Previous, first Decision) {
	before := make(map[string]bool, len(previous.Selected))
	for _, name := range previous.Selected {
		before[name] = true
	}
	now := make(map[string]bool, len(d.Selected))
	var entering []string
	for _, name := range d.Selected {
		now[name] = true
		if !before[name] {
			entering = append(entering, name)
		}
	}
	leaving := map[string][]string{}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(previous.Selected))) {
		if now[name] {
			continue
		}
		reason, there := first.Rejected[name]
		if !there {
			reason, there = d.Rejected[name]
		}
		if !there {
			reason = "not in clusters any more"
		}
		d.ChangesUnknown = d.ChangesUnknown || reason == ""
		leaving[reason] = append(leaving[reason], name)
	}
	if previous.Affinity != "" && previous.Affinity != d.Affinity && d.Affinity != "" {
		d.Changes = append(d.Changes, fmt.Sprintf("affinity %q takes over from %q", d.Affinity, previous.Affinity))
	}
	reasons := sortedKeys(leaving)
	slices.SortStableFunc(reasons, func(a, b string) int { return slices.Compare(leaving[a], leaving[b]) })
	for _, reason := range reasons {
		d.Changes = append(d.Changes, fmt.Sprintf("%s %s: %s", list(leaving[reason], "%s"), verb(leaving[reason], "leave"), reason))
	}
	if len(entering) > 0 {
		d.Changes = append(d.Changes, fmt.Sprintf("%s %s", list(entering, "%s"), verb(entering, "enter")))
	}
}

func verb(subjects []string, plural string) string {
	if len(subjects) == 1 {
		return plural + "s"
	}
	return plural
}
