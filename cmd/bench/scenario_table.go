package main

import (
	"fmt"
	"io"
	"time"
)

// compared is a line of the table of scenarios: what was measured, and the same where
// the scenario is not played, if there is such a thing.
type compared struct {
	name            string
	measured, usual float64
	text            func(float64) string
}

// printScenarios prints a table for each workload with which scenarios were played.
func printScenarios(out io.Writer, all results) {
	for _, r := range all {
		var lines []compared
		lines = append(lines, r.Flap.lines(r)...)
		lines = append(lines, r.Hang.lines()...)
		lines = append(lines, r.Plans.lines(r)...)
		lines = append(lines, r.Guarded.lines(r)...)
		if len(lines) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n### Scenarios of the operator, %d tenancies\n\n", r.Workload.Tenancies)
		cells := [][]string{{"", "measured", "usual", "measured / usual"}}
		for _, l := range lines {
			cells = append(cells, l.cells())
		}
		printMarkdown(out, cells)
	}
}

func (l compared) cells() []string {
	usual, quotient := "–", "–"
	if l.usual > 0 {
		usual, quotient = l.text(l.usual), times(ratio(l.measured, l.usual))
	}
	return []string{l.name, l.text(l.measured), usual, quotient}
}

// costs are the lines that every scenario has.
func (s *sample) costs() []compared {
	return []compared{
		{name: "- requests", measured: float64(s.Requests.total()), text: whole},
		{name: "- CPU", measured: s.CPU.Seconds(), text: seconds},
		{name: "- CPU of API server and etcd", measured: s.ControlPlane.Seconds(), text: seconds},
		{name: "- cores busy with other things", measured: s.Others, text: times},
	}
}

// lines tell of flapping pods; nothing when f is nil.
func (f *flapped) lines(r *result) []compared {
	if f == nil {
		return nil
	}
	out := []compared{{name: fmt.Sprintf("%d flapping pods", f.Pods), measured: f.Wall.Seconds(), text: seconds}}
	out = append(out, f.costs()...)
	out = append(out,
		compared{name: "- changes of pods", measured: float64(len(f.Told)), text: whole},
		compared{name: "- in a second", measured: ratio(float64(len(f.Told)), f.Wall.Seconds()), text: times},
		compared{name: "- changes left out, as the one before was not told", measured: float64(f.Late), text: whole},
		compared{name: "- changes never told", measured: float64(f.Missing), text: whole},
	)
	percentiles := func(name string, measured, usual []time.Duration) {
		for _, p := range []float64{50, 99} {
			out = append(out, compared{
				name: fmt.Sprintf("- %s, p%.0f", name, p), text: milliseconds,
				measured: percentile(measured, p).Seconds(), usual: percentile(usual, p).Seconds(),
			})
		}
	}
	percentiles("a pod until its Tenancy tells", f.Told, nil)
	if len(f.Edits) > 0 {
		meanwhile := &result{Edits: f.Edits}
		percentiles("elsewhere "+editWhole, meanwhile.changed(), r.changed())
		percentiles("elsewhere "+editFromStored, meanwhile.fromStored(), r.fromStored())
	}
	return append(out,
		compared{name: "- writes of the Controller's status", measured: float64(len(f.Written)), text: whole},
		compared{name: "- in the busiest minute", measured: float64(densest(f.Written, time.Minute)), text: whole},
		compared{name: "- in the busiest second", measured: float64(densest(f.Written, time.Second)), text: whole},
		compared{name: "- least time between two", measured: closest(f.Written).Seconds(), text: milliseconds},
	)
}

// lines tell of charts that hang; nothing when h is nil.
func (h *hung) lines() []compared {
	if h == nil {
		return nil
	}
	return append([]compared{{
		name:     fmt.Sprintf("install all, %d with a chart that hangs: the others", h.Tenancies),
		measured: h.Others.Seconds(), usual: h.Usual.Seconds(), text: seconds,
	}}, h.costs()...)
}

// lines tell of plans; nothing when p is nil. The usual is the spec without a plan.
func (p *planned) lines(r *result) []compared {
	if p == nil {
		return nil
	}
	phase := func(name string, s, usual *sample) []compared {
		line := compared{name: name, measured: s.Wall.Seconds(), text: seconds}
		if usual != nil {
			line.usual = usual.Wall.Seconds()
		}
		return append([]compared{line}, s.costs()...)
	}
	out := phase("plan: install all", p.Install, r.Install)
	out = append(out, phase("plan: upgrade all by one edit of it", p.Upgrade, r.Upgrade)...)
	return append(out,
		compared{name: "plan: size of the spec", measured: float64(p.Spec), usual: float64(p.Written), text: kibibytes},
		compared{name: "plan: size of the Controller", measured: float64(p.Size), usual: float64(r.Size), text: kibibytes},
		compared{name: fmt.Sprintf("plan: size of the spec of %d tenancies", manyTenancies), measured: float64(p.Many), text: kibibytes},
	)
}
