package rollout

import (
	"fmt"
	"strconv"
	"strings"
)

// Count is a number of clusters, or a share of them.
type Count struct {
	// Value is the number, or the percentage from 0 to 100.
	Value int
	// Percent says which of the two it is.
	Percent bool
}

// All is each of them.
var All = Count{Value: 100, Percent: true}

// ParseCount reads a whole number such as "3" or a whole percentage such as "25%".
func ParseCount(text string) (Count, error) {
	digits, percent := strings.CutSuffix(text, "%")
	value, err := strconv.Atoi(digits)
	if err != nil || value < 0 || strconv.Itoa(value) != digits {
		return Count{}, fmt.Errorf(`%q is not a count: want a whole number of clusters such as "3", or a whole percentage such as "25%%"`, text)
	}
	if percent && value > 100 {
		return Count{}, fmt.Errorf("%q is more than all clusters: a percentage is at most 100%%", text)
	}
	return Count{Value: value, Percent: percent}, nil
}

// String prints the count as ParseCount reads it.
func (c Count) String() string {
	if c.Percent {
		return strconv.Itoa(c.Value) + "%"
	}
	return strconv.Itoa(c.Value)
}

// Of is how many of total clusters are meant: a share is rounded down, towards caution, and nothing is more than total.
func (c Count) Of(total int) int {
	if c.Percent {
		return total * c.Value / 100
	}
	return min(c.Value, total)
}

// slots is how many of a wave's clusters may be in flight: at least one, or nothing would ever happen. No count at all
// means each of them.
func (c Count) slots(total int) int {
	if c == (Count{}) {
		c = All
	}
	return max(1, c.Of(total))
}
