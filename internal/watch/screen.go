package watch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/width"

	"github.com/fleetform/terraform-provider-fleet/internal/progress"
)

const (
	widestBar  = 40
	widestName = 24
	narrowest  = 20
)

// Screen is the board as lines of at most the given number of cells, and at most that many lines.
func Screen(b *progress.Board, now time.Time, cells, lines int) []string {
	cells = max(cells, narrowest)
	if len(b.Sets) == 0 {
		return []string{cut("nothing has begun yet", cells)}
	}
	var over, live []string
	var details []detail
	for _, s := range b.Sets {
		if !s.Ended.IsZero() {
			over = append(over, cut(ended(s), cells))
			continue
		}
		live = append(live, cut(fmt.Sprintf("%s  %s  %s", s.Name, s.Verb, age(now.Sub(s.Began))), cells))
		live = append(live, bars(s, cells)...)
		if s.Note != "" {
			live = append(live, cut("  "+progress.Printable(s.Note), cells))
		}
		details = append(details, detailsOf(s)...)
	}
	foot := cut(fmt.Sprintf("%s   last news %s ago", progress.Counted(b.Counts()), age(now.Sub(b.Last.Time))), cells)
	room := max(lines-1, 1)
	if hidden := len(over) + len(live) - room; hidden > 0 && len(over) > 0 {
		hidden = min(hidden+1, len(over))
		over = append([]string{cut(fmt.Sprintf("… %d sets that are over", hidden), cells)}, over[hidden:]...)
	}
	out := slices.Concat(over, live)
	if len(out) > room {
		out = append(out[:room-1], cut(fmt.Sprintf("… %d more lines", len(out)-room+1), cells))
	}
	return append(append(out, tableOf(details, now, cells, room-len(out))...), foot)
}

// ended is a set that is over, on one line.
func ended(s *progress.Set) string {
	text := fmt.Sprintf("%s  %s  %s in %s", s.Name, s.Verb, progress.Counted(s.Counts()), age(s.Ended.Sub(s.Began)))
	if s.Note != "" {
		text += "  " + progress.Printable(s.Note)
	}
	return text
}

// bars are the waves of a set, a line each.
func bars(s *progress.Set, cells int) []string {
	names := 0
	for _, w := range s.Waves {
		names = max(names, min(cellsOf(w.Name), widestName))
	}
	bar := min(widestBar, max(cells/3, 10))
	var out []string
	for _, w := range s.Waves {
		counts := w.Counts()
		text := fmt.Sprintf("%d/%d done", counts[progress.Done], len(w.Clusters))
		delete(counts, progress.Done)
		delete(counts, progress.Waiting)
		if rest := progress.Counted(counts); len(counts) > 0 {
			text += ", " + rest
		}
		out = append(out, cut(fmt.Sprintf("  %s  %s  %s", pad(w.Name, names), Bar(w.Counts(), len(w.Clusters), bar), text), cells))
	}
	return out
}

// signs are how phases look in a bar, without colours.
var signs = []struct {
	sign   string
	phases []progress.Phase
}{
	{"█", []progress.Phase{progress.Done}},
	{"x", []progress.Phase{progress.Failed}},
	{"<", []progress.Phase{progress.RolledBack, progress.RollingBack}},
	{"▒", []progress.Phase{progress.Settling, progress.Applying}},
	{"·", []progress.Phase{progress.Waiting}},
	{" ", []progress.Phase{progress.Held, progress.Deferred}},
}

// Bar draws the shares of the phases in so many cells. What is there at all is seen, if there is room for it.
func Bar(counts map[progress.Phase]int, total, cells int) string {
	sizes := make([]int, len(signs))
	used := 0
	for i, s := range signs {
		n := 0
		for _, p := range s.phases {
			n += counts[p]
		}
		if n > 0 && total > 0 {
			sizes[i] = max(1, n*cells/total)
			used += sizes[i]
		}
	}
	for ; used != cells && slices.Max(sizes) > 0; used = sum(sizes) {
		// What rounding left over, or took too much, is the largest share's.
		i := slices.Index(sizes, slices.Max(sizes))
		sizes[i] = max(0, sizes[i]+cells-used)
	}
	var b strings.Builder
	for i, s := range signs {
		b.WriteString(strings.Repeat(s.sign, sizes[i]))
	}
	return "[" + b.String() + strings.Repeat(" ", max(0, cells-sum(sizes))) + "]"
}

func sum(numbers []int) int {
	total := 0
	for _, n := range numbers {
		total += n
	}
	return total
}

// detail is a cluster that has something to tell.
type detail struct {
	set string
	*progress.ClusterState
}

// detailsOf are the clusters that failed, then those in flight, then those that are deferred.
func detailsOf(s *progress.Set) []detail {
	var out []detail
	for _, w := range s.Waves {
		for _, c := range w.Clusters {
			if telling(c.Phase) > 0 {
				out = append(out, detail{s.Name, c})
			}
		}
	}
	return out
}

func telling(p progress.Phase) int {
	switch {
	case p == progress.Failed:
		return 3
	case p.Active():
		return 2
	case p == progress.Deferred:
		return 1
	}
	return 0
}

// tableOf lists clusters, as many as there is room for.
func tableOf(details []detail, now time.Time, cells, room int) []string {
	slices.SortStableFunc(details, func(a, b detail) int {
		return cmp.Or(cmp.Compare(telling(b.Phase), telling(a.Phase)), cmp.Compare(a.set, b.set), cmp.Compare(a.Name, b.Name))
	})
	if room <= 0 || len(details) == 0 {
		return nil
	}
	shown := details
	if len(shown) > room {
		shown = shown[:room-1]
	}
	names := 0
	for _, d := range shown {
		names = max(names, min(cellsOf(d.Name), widestName))
	}
	var out []string
	for _, d := range shown {
		objects := ""
		if d.Total > 0 {
			objects = fmt.Sprintf("%d/%d", d.Done, d.Total)
		}
		since := ""
		if d.Phase.Active() {
			since = age(now.Sub(d.Since))
		}
		out = append(out, cut(fmt.Sprintf("    %s  %-12s %7s %7s  %s", pad(d.Name, names), d.Phase, objects, since, progress.Printable(d.Message)), cells))
	}
	if hidden := len(details) - len(shown); hidden > 0 {
		out = append(out, cut(fmt.Sprintf("    … %d more", hidden), cells))
	}
	return out
}

// age prints a duration in whole seconds.
func age(d time.Duration) string { return max(d, 0).Truncate(time.Second).String() }

// cellsOf is how many cells the text takes on a terminal.
func cellsOf(text string) int {
	n := 0
	for _, r := range text {
		n += cell(r)
	}
	return n
}

func cell(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// cut shortens the text to so many cells.
func cut(text string, cells int) string {
	text = strings.TrimRight(progress.Printable(text), " ")
	if cellsOf(text) <= cells {
		return text
	}
	used := 0
	for i, r := range text {
		if used += cell(r); used > cells-1 {
			return text[:i] + "…"
		}
	}
	return text
}

// pad fills the text up to so many cells, and shortens what is longer.
func pad(text string, cells int) string {
	text = progress.Printable(text)
	if over := cellsOf(text) - cells; over > 0 {
		text = cut(text, cells)
	}
	return text + strings.Repeat(" ", max(0, cells-cellsOf(text)))
}
