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

func TestMoments(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(milliseconds ...int) []time.Time {
		var out []time.Time
		for _, ms := range milliseconds {
			out = append(out, begin.Add(time.Duration(ms)*time.Millisecond))
		}
		return out
	}
	cases := map[string]struct {
		moments     []time.Time
		wantDensest int
		wantClosest time.Duration
	}{
		"nothing":                          {nil, 0, 0},
		"one":                              {at(7), 1, 0},
		"a window apart":                   {at(0, 1000, 2000), 1, time.Second},
		"a little less":                    {at(0, 1000, 1999), 2, 999 * time.Millisecond},
		"not in order":                     {at(5000, 100, 3000, 200, 900, 1150), 3, 100 * time.Millisecond},
		"two at once":                      {at(40, 40), 2, 0},
		"no full second holds them at all": {at(900, 1100, 1899, 1900), 3, time.Millisecond},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := densest(tc.moments, time.Second); got != tc.wantDensest {
				t.Errorf("densest() = %d, want %d", got, tc.wantDensest)
			}
			if got := closest(tc.moments); got != tc.wantClosest {
				t.Errorf("closest() = %s, want %s", got, tc.wantClosest)
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
