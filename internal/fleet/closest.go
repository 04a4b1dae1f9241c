package fleet

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Closest is the name most like the one given, for "did you mean"; empty where none is close enough to be a slip of the
// keyboard.
func Closest(name string, names []string) string {
	best, bestDistance := "", max(2, len(name)/3)+1
	for _, candidate := range slices.Sorted(slices.Values(names)) {
		d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(candidate), nil)
		if candidate != name && d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}
