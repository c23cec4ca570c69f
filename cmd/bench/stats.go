package main

import (
	"math"
	"slices"
	"time"
)

// percentile is the smallest of the times that at least p of a hundred do not
// exceed; 0 when there are none.
func percentile(times []time.Duration, p float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

// ratio is a divided by b; 0 when it cannot be told.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
