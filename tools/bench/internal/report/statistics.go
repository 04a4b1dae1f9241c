// Package report turns measurements into tables, as text and as Markdown, and pastes them into a page.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Number is what there are medians of.
type Number interface {
	~int | ~int64 | ~float64
}

// Median is the middle of values, or the mean of the two in the middle; zero of none.
func Median[T Number](values []T) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// MedianOf is the median of something about each sample.
func MedianOf[S any, T Number](samples []S, of func(S) T) T {
	values := make([]T, 0, len(samples))
	for _, sample := range samples {
		values = append(values, of(sample))
	}
	return Median(values)
}

// Seconds writes a duration in seconds: to the millisecond below one, to a hundredth below a hundred.
func Seconds(d time.Duration) string {
	switch s := d.Seconds(); {
	case s == 0:
		return "–"
	case s < 1:
		return fmt.Sprintf("%.3f s", s)
	case s < 100:
		return fmt.Sprintf("%.2f s", s)
	default:
		return fmt.Sprintf("%.0f s", s)
	}
}

// Bytes writes a size in the largest unit of which there is one; nothing is a dash.
func Bytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB"}
	size, unit := float64(n), 0
	for size >= 1024 && unit < len(units)-1 {
		size /= 1024
		unit++
	}
	switch {
	case n == 0:
		return "–"
	case unit == 0 || size >= 100:
		return fmt.Sprintf("%.0f %s", size, units[unit])
	default:
		return fmt.Sprintf("%.1f %s", size, units[unit])
	}
}

// Ratio writes how many times the base a value is; without a base, a dash.
func Ratio(value, base float64) string {
	if cmp.Compare(base, 0) <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f×", value/base)
}
