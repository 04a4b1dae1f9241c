package placement

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a count, or a percentage of what there is.
type Size struct {
	n       int64
	percent bool
}

// ParseSize reads "3" or "25%". The error says what is wrong.
func ParseSize(text string) (Size, error) {
	digits, percent := strings.CutSuffix(text, "%")
	n, err := strconv.ParseInt(digits, 10, 32)
	switch {
	case err != nil:
		return Size{}, fmt.Errorf("%q is neither a count such as \"3\" nor a percentage such as \"25%%\"", text)
	case n <= 0:
		return Size{}, fmt.Errorf("%q is not positive", text)
	case percent && n > 100:
		return Size{}, fmt.Errorf("%q is more than all", text)
	}
	return Size{n: n, percent: percent}, nil
}

// of is the size in clusters, of which there are total; a percentage is rounded up.
func (s Size) of(total int) int {
	switch {
	case s.n == 0:
		return total
	case s.percent:
		return int((s.n*int64(total) + 99) / 100)
	}
	return int(min(s.n, int64(total)))
}
