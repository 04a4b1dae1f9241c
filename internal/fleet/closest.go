package fleet

import (
	"fmt"
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

// DidYouMean returns the words `; did you mean "x"?` where one of the names is close to the one given, else nothing.
func DidYouMean(name string, names []string) string {
	if best := Closest(name, names); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}
