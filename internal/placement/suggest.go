package placement

import (
	"fmt"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// suggest returns the words `; did you mean "x"?` where one candidate is close to the word, else nothing.
func suggest(word string, candidates []string) string {
	if best := fleet.Closest(word, candidates); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}
