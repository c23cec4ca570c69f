package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// row is a line of the table of a workload: a number for each contender.
type row struct {
	name  string
	value func(*result) (float64, bool)
	text  func(float64) string
	alone bool // compared with nobody's
}

// An edit is told whole, and without what the API server needs to store it: that is about
// a millisecond for each KB of the Controller, which no client can change.
const (
	editWhole      = "one edit until the Deployment changed"
	editFromStored = "one edit from stored until the Deployment changed"
)

// rows are the lines of every table. One that nobody has a number for is left out.
func rows() []row {
	var out []row
	phase := func(name string, of func(*result) *sample) {
		field := func(get func(*sample) float64) func(*result) (float64, bool) {
			return func(r *result) (float64, bool) {
				if of(r) == nil {
					return 0, false
				}
				return get(of(r)), true
			}
		}
		out = append(out,
			row{name: name, value: field(func(s *sample) float64 { return s.Wall.Seconds() }), text: seconds},
			row{name: "- requests", value: field(func(s *sample) float64 { return float64(s.Requests.total()) }), text: whole},
			row{name: "- CPU", value: field(func(s *sample) float64 { return s.CPU.Seconds() }), text: seconds},
			row{name: "- CPU of API server and etcd", value: field(func(s *sample) float64 { return s.ControlPlane.Seconds() }), text: seconds},
			row{name: "- cores busy with other things", value: field(func(s *sample) float64 { return s.Others }), text: times, alone: true},
		)
	}
	percentiles := func(name string, of func(*result) []time.Duration) {
		for _, p := range []struct {
			name string
			p    float64
		}{{"median", 50}, {"p99", 99}} {
			out = append(out, row{name: name + ", " + p.name, text: milliseconds, value: func(r *result) (float64, bool) {
				return percentile(of(r), p.p).Seconds(), len(of(r)) > 0
			}})
		}
	}
	phase("install all", func(r *result) *sample { return r.Install })
	out = append(out, row{name: "install all, until Ready", text: seconds, value: func(r *result) (float64, bool) {
		return r.Ready.Seconds(), r.Ready > 0
	}})
	percentiles(editWhole, (*result).changed)
	percentiles("one edit until the API server has stored it", (*result).answered)
	percentiles(editFromStored, (*result).fromStored)
	percentiles("one edit until Ready again", (*result).readyAgain)
	phase("upgrade all", func(r *result) *sample { return r.Upgrade })
	phase("idle", func(r *result) *sample { return r.Idle })
	phase("restart", func(r *result) *sample { return r.Restart })
	phase("uninstall all", func(r *result) *sample { return r.Uninstall })
	return append(out,
		row{name: "peak memory", text: mebibytes, value: func(r *result) (float64, bool) { return float64(r.Peak), r.Peak > 0 }},
		row{name: "size of the Controller", text: kibibytes, value: func(r *result) (float64, bool) { return float64(r.Size), r.Size > 0 }},
	)
}

func seconds(v float64) string      { return fmt.Sprintf("%.2f s", v) }
func milliseconds(v float64) string { return fmt.Sprintf("%.0f ms", v*1000) }
func whole(v float64) string        { return fmt.Sprintf("%.0f", v) }
func mebibytes(v float64) string    { return fmt.Sprintf("%.0f MiB", v/(1<<20)) }
func kibibytes(v float64) string    { return fmt.Sprintf("%.0f KiB", v/(1<<10)) }
func times(v float64) string        { return fmt.Sprintf("%.2f", v) }

// printTables prints a table for each workload.
func printTables(out io.Writer, all results) {
	for _, n := range all.sizes() {
		w := workload{Tenancies: n}
		fmt.Fprintf(out, "\n### %d tenancies, %d releases, %d pods\n\n", n, 2*n, w.pods())
		cells := [][]string{{"", floorName, helmName, operatorName, "operator / floor", "operator / helm"}}
		for _, r := range rows() {
			if line, any := r.cells(all, n); any {
				cells = append(cells, line)
			}
		}
		printMarkdown(out, cells)
	}
}

// cells is a line of the table; any says whether there is anything in it.
func (r row) cells(all results, tenancies int) (line []string, any bool) {
	line = []string{r.name}
	value := map[string]float64{}
	for _, name := range []string{floorName, helmName, operatorName} {
		text := "–"
		if found := all.find(name, tenancies); found != nil {
			if v, ok := r.value(found); ok {
				value[name], text, any = v, r.text(v), true
			}
		}
		line = append(line, text)
	}
	for _, name := range []string{floorName, helmName} {
		text := "–"
		if q := ratio(value[operatorName], value[name]); q > 0 && !r.alone {
			text = times(q)
		}
		line = append(line, text)
	}
	return line, any
}

// printMarkdown prints a table that is one for people and for Markdown. The first
// line is the head.
func printMarkdown(out io.Writer, cells [][]string) {
	widths := make([]int, len(cells[0]))
	for _, line := range cells {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)), 3)
		}
	}
	for n, line := range cells {
		for i, cell := range line {
			fmt.Fprintf(out, "| %-*s ", widths[i], cell)
		}
		fmt.Fprintln(out, "|")
		if n > 0 {
			continue
		}
		for _, width := range widths {
			fmt.Fprintf(out, "|%s", strings.Repeat("-", width+2))
		}
		fmt.Fprintln(out, "|")
	}
}

// printRequests lists what was asked in each phase.
func printRequests(out io.Writer, all results) {
	for _, r := range all {
		for _, phase := range []struct {
			name string
			*sample
		}{{"install all", r.Install}, {"upgrade all", r.Upgrade}, {"idle", r.Idle}, {"restart", r.Restart}, {"uninstall all", r.Uninstall}} {
			if phase.sample == nil {
				continue
			}
			fmt.Fprintf(out, "\n### Requests of %s, %d tenancies: %s\n\n", r.Contender, r.Workload.Tenancies, phase.name)
			cells := [][]string{{"request", "times"}}
			for _, kind := range phase.Requests.sorted() {
				cells = append(cells, []string{kind.String(), fmt.Sprint(phase.Requests[kind])})
			}
			printMarkdown(out, cells)
		}
	}
}
