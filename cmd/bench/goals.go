package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// verdict is whether a goal is met.
type verdict struct {
	goal     string
	measured string
	met      bool
}

// goals judges all goals that the results tell of.
func goals(all results) []verdict {
	var out []verdict
	for _, n := range all.sizes() {
		floor, helm, operator := all.find(floorName, n), all.find(helmName, n), all.find(operatorName, n)
		if operator == nil {
			continue
		}
		out = append(out, against(n, floor, helm, operator)...)
		out = append(out, editGoals(n, operator)...)
		out = append(out, quietGoals(n, operator)...)
		out = append(out, scenarioGoals(operator)...)
	}
	out = append(out, growth(all)...)
	return append(out, editGrowth(all)...)
}

// against are the goals that compare with the other contenders, at 100 tenancies.
func against(n int, floor, helm, operator *result) []verdict {
	if n != 100 {
		return nil
	}
	var out []verdict
	atMost := func(goal string, a, b float64, limit float64) {
		q := ratio(a, b)
		out = append(out, verdict{goal, times(q), q > 0 && q <= limit})
	}
	if floor != nil && floor.Upgrade != nil && operator.Upgrade != nil {
		atMost("install all, T=100: at most 1.5 × floor", operator.Install.Wall.Seconds(), floor.Install.Wall.Seconds(), 1.5)
		atMost("upgrade all, T=100: at most 4 × floor", operator.Upgrade.Wall.Seconds(), floor.Upgrade.Wall.Seconds(), 4)
	}
	if helm != nil {
		atMost("install all, T=100: at most 1/4 of the helm loop's time", operator.Install.Wall.Seconds(), helm.Install.Wall.Seconds(), 1.0/4)
		atMost("install all, T=100: at most 1/6 of its CPU", operator.Install.CPU.Seconds(), helm.Install.CPU.Seconds(), 1.0/6)
	}
	return out
}

// editGoals are those of single edits.
func editGoals(n int, operator *result) []verdict {
	limit, judged := map[int]time.Duration{100: 40 * time.Millisecond, 1000: 60 * time.Millisecond}[n]
	if !judged || len(operator.Edits) == 0 {
		return nil
	}
	var out []verdict
	for _, part := range []struct {
		name  string
		times []time.Duration
	}{
		{editWhole, operator.changed()},
		{editFromStored, operator.fromStored()},
	} {
		median, late := percentile(part.times, 50), percentile(part.times, 99)
		out = append(out,
			verdict{fmt.Sprintf("%s, T=%d: median at most %s", part.name, n, limit), milliseconds(median.Seconds()), median <= limit},
			verdict{fmt.Sprintf("%s, T=%d: p99 below 150 ms", part.name, n), milliseconds(late.Seconds()), late < 150*time.Millisecond},
		)
	}
	ready := percentile(operator.readyAgain(), 99)
	return append(out, verdict{fmt.Sprintf("one edit until Ready again, T=%d: below 1.5 s (p99)", n), milliseconds(ready.Seconds()), ready < 1500*time.Millisecond})
}

// quietGoals are those of an operator with nothing to do, and of what it keeps.
func quietGoals(n int, operator *result) []verdict {
	idle, judged := map[int]time.Duration{100: 100 * time.Millisecond, 1000: 300 * time.Millisecond}[n]
	if !judged || operator.Idle == nil || n >= 1000 && operator.Restart == nil {
		return nil
	}
	peak := map[int]int64{100: 120 << 20, 1000: 400 << 20}[n]
	lease := operator.Idle.Requests.count(func(r request) bool { return r.Resource == "leases" })
	watches := operator.Idle.Requests.count(func(r request) bool { return r.Verb == "watch" })
	others := operator.Idle.Requests.total() - lease
	out := []verdict{
		{fmt.Sprintf("idle, T=%d: no request but the Lease", n), fmt.Sprintf("%d (%d are watches begun again)", others, watches), others == 0},
		{fmt.Sprintf("idle, T=%d: at most %s CPU", n, seconds(idle.Seconds())), seconds(operator.Idle.CPU.Seconds()), operator.Idle.CPU <= idle},
		{fmt.Sprintf("peak memory, T=%d: at most %s", n, mebibytes(float64(peak))), mebibytes(float64(operator.Peak)), operator.Peak <= peak},
	}
	if n < 1000 {
		return out
	}
	actions := operator.Restart.Requests.count(func(r request) bool {
		return r.Resource == "secrets" && !slices.Contains([]string{"get", "list", "watch"}, r.Verb)
	})
	return append(out,
		verdict{"restart, T=1000: no Helm action", fmt.Sprintf("%d writes of records", actions), actions == 0},
		verdict{"restart, T=1000: status right within 10 s", seconds(operator.Restart.Wall.Seconds()), operator.Restart.Wall <= 10*time.Second},
		verdict{"restart, T=1000: at most 1.5 s CPU", seconds(operator.Restart.CPU.Seconds()), operator.Restart.CPU <= 1500*time.Millisecond},
		verdict{"status, T=1000: every write accepted", fmt.Sprintf("%d of %d refused", operator.StatusRefused, operator.StatusWrites), operator.StatusRefused == 0 && operator.StatusWrites > 0},
		verdict{"status, T=1000: Controller below 1 MiB", kibibytes(float64(operator.Size)), operator.Size < 1<<20},
	)
}

// growth compares the ratio of install to the floor of the largest workload with that at 100 tenancies.
func growth(all results) []verdict {
	quotient := func(n int) float64 {
		floor, operator := all.find(floorName, n), all.find(operatorName, n)
		if floor == nil || operator == nil {
			return 0
		}
		return ratio(operator.Install.Wall.Seconds(), floor.Install.Wall.Seconds())
	}
	small, large := quotient(100), quotient(1000)
	if small == 0 || large == 0 {
		return nil
	}
	return []verdict{{"growth: install / floor no larger at T=1000 than at T=100", times(large) + " and " + times(small), large <= small}}
}

// editGrowth compares how much longer the part of an edit that is the operator's takes
// at 1,000 tenancies than at 100 with how much larger the Controller is.
func editGrowth(all results) []verdict {
	small, large := all.find(operatorName, 100), all.find(operatorName, 1000)
	if small == nil || large == nil {
		return nil
	}
	longer := ratio(percentile(large.fromStored(), 50).Seconds(), percentile(small.fromStored(), 50).Seconds())
	larger := ratio(float64(large.Size), float64(small.Size))
	if longer == 0 || larger == 0 {
		return nil
	}
	return []verdict{{
		"growth: " + editFromStored + ", from T=100 to T=1000: no faster than the Controller's size (median)",
		times(longer) + " and " + times(larger), longer <= larger,
	}}
}

// printGoals prints what is met and what is not.
func printGoals(out io.Writer, all results) {
	judged := goals(all)
	if len(judged) == 0 {
		return
	}
	fmt.Fprint(out, "\n### Goals\n\n")
	cells := [][]string{{"goal", "measured", "met"}}
	for _, v := range judged {
		met := "no"
		if v.met {
			met = "yes"
		}
		cells = append(cells, []string{v.goal, v.measured, met})
	}
	printMarkdown(out, cells)
}
