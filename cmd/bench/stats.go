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

// densest is how many of the moments lie within one window at most.
func densest(moments []time.Time, window time.Duration) int {
	sorted := inOrder(moments)
	most, first := 0, 0
	for i, at := range sorted {
		for at.Sub(sorted[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// closest is the least time between two of the moments; 0 when there are no two.
func closest(moments []time.Time) time.Duration {
	sorted := inOrder(moments)
	if len(sorted) < 2 {
		return 0
	}
	least := sorted[1].Sub(sorted[0])
	for i := range sorted[1:] {
		least = min(least, sorted[i+1].Sub(sorted[i]))
	}
	return least
}

func inOrder(moments []time.Time) []time.Time {
	return slices.SortedFunc(slices.Values(moments), time.Time.Compare)
}

// ratio is a divided by b; 0 when it cannot be told.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
