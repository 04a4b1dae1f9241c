package fleet

import (
	"fmt"
	"strconv"
)

// WholeNumber is a number of JSON as an integer, if it is one of at most 64 bits with a sign. JSON does not tell 1.0 from 1, and prints no
// more digits than it needs to tell floats apart.
func WholeNumber(v float64) (whole int64, ok bool) {
	whole, err := strconv.ParseInt(strconv.FormatFloat(v, 'f', -1, 64), 10, 64)
	return whole, err == nil
}

// Plural prints a number with its noun, such as "1 cluster" and "2 clusters".
func Plural[N int | int32 | int64](n N, noun string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
