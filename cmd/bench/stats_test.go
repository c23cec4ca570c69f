package main

import (
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	var hundred []time.Duration
	for i := 100; i > 0; i-- {
		hundred = append(hundred, time.Duration(i)*time.Millisecond)
	}
	cases := map[string]struct {
		times []time.Duration
		p     float64
		want  time.Duration
	}{
		"nothing":                   {nil, 50, 0},
		"one":                       {[]time.Duration{3}, 99, 3},
		"the median of two":         {[]time.Duration{5, 1}, 50, 1},
		"the median of three":       {[]time.Duration{9, 1, 5}, 50, 5},
		"the median of a hundred":   {hundred, 50, 50 * time.Millisecond},
		"p99 of a hundred":          {hundred, 99, 99 * time.Millisecond},
		"p99 of few is the largest": {hundred[:30], 99, 100 * time.Millisecond},
		"the smallest":              {hundred, 0, time.Millisecond},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := percentile(tc.times, tc.p); got != tc.want {
				t.Errorf("percentile(%v) = %s, want %s", tc.p, got, tc.want)
			}
		})
	}
}

func TestRatio(t *testing.T) {
	if got := ratio(3, 2); got != 1.5 {
		t.Errorf("ratio(3, 2) = %v, want 1.5", got)
	}
	if got := ratio(3, 0); got != 0 {
		t.Errorf("ratio(3, 0) = %v, want 0", got)
	}
}

func TestNumbers(t *testing.T) {
	got, err := numbers(" 25  100 ")
	if err != nil || len(got) != 2 || got[0] != 25 || got[1] != 100 {
		t.Errorf("numbers() = %v, %v, want 25 and 100", got, err)
	}
	for _, text := range []string{"many", "0", "5001", "1,2"} {
		if _, err := numbers(text); err == nil {
			t.Errorf("numbers(%q) has no error", text)
		}
	}
}
