package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// some are results of three contenders with 100 tenancies.
func some() results {
	took := func(wall, cpu time.Duration) *sample {
		return &sample{Wall: wall, CPU: cpu, Requests: requests{{"create", "secrets", 0}: 4}}
	}
	edits := []edited{
		{Answered: 5 * time.Millisecond, Changed: 20 * time.Millisecond, Ready: time.Second},
		{Answered: 40 * time.Millisecond, Changed: 60 * time.Millisecond, Ready: 1200 * time.Millisecond},
	}
	w := workload{Tenancies: 100}
	return results{
		{Contender: floorName, Workload: w, Install: took(4*time.Second, time.Second), Upgrade: took(time.Second, time.Second), Peak: 40 << 20},
		{Contender: helmName, Workload: w, Install: took(32*time.Second, 48*time.Second)},
		{
			Contender: operatorName, Workload: w, Install: took(5*time.Second, 6*time.Second), Upgrade: took(5*time.Second, time.Second),
			Idle:  &sample{CPU: 90 * time.Millisecond, Requests: requests{{"update", "leases", 0}: 30, {"watch", "pods", 0}: 2}},
			Edits: edits, Peak: 100 << 20, Size: 512 << 10,
		},
	}
}

func TestTables(t *testing.T) {
	var out bytes.Buffer
	printTables(&out, some())
	want := []string{
		"### 100 tenancies, 200 releases, 300 pods",
		"| install all | 4.00 s | 32.00 s | 5.00 s | 1.25 | 0.16 |",
		"| - requests | 4 | 4 | 4 | 1.00 | 1.00 |",
		"| one edit until the Deployment changed, median | – | – | 20 ms | – | – |",
		"| one edit until the API server has stored it, median | – | – | 5 ms | – | – |",
		"| one edit from stored until the Deployment changed, median | – | – | 15 ms | – | – |",
		"| one edit from stored until the Deployment changed, p99 | – | – | 20 ms | – | – |",
		"| upgrade all | 1.00 s | – | 5.00 s | 5.00 | – |",
		"| peak memory | 40 MiB | – | 100 MiB | 2.50 | – |",
	}
	got := strings.Join(strings.Fields(out.String()), " ")
	for _, line := range want {
		if !strings.Contains(got, line) {
			t.Errorf("the table lacks %q:\n%s", line, out.String())
		}
	}
	if strings.Contains(got, "restart") {
		t.Errorf("the table has a line that nobody has a number for:\n%s", out.String())
	}
}

// A watch may show the Deployment before the answer has arrived: that is no time, and
// still an edit. Those of the other contenders edit no Controller and have no such part.
func TestFromStored(t *testing.T) {
	r := &result{Edits: []edited{{Answered: 9, Changed: 7}, {Answered: 3, Changed: 5}, {Changed: 4}}}
	if diff := cmp.Diff([]time.Duration{0, 2}, r.fromStored()); diff != "" {
		t.Errorf("fromStored() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{9, 3}, r.answered()); diff != "" {
		t.Errorf("answered() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{7, 5, 4}, r.changed()); diff != "" {
		t.Errorf("changed() (-want +got):\n%s", diff)
	}
}

func TestMarkdown(t *testing.T) {
	var out bytes.Buffer
	printMarkdown(&out, [][]string{{"", "b"}, {"wide", "–"}})
	want := "|      | b   |\n|------|-----|\n| wide | –   |\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printMarkdown() (-want +got):\n%s", diff)
	}
}

func TestGoals(t *testing.T) {
	got := map[string]bool{}
	for _, v := range goals(some()) {
		got[v.goal] = v.met
	}
	want := map[string]bool{
		"install all, T=100: at most 1.5 × floor":                                       true,
		"upgrade all, T=100: at most 4 × floor":                                         false,
		"install all, T=100: at most 1/4 of the helm loop's time":                       true,
		"install all, T=100: at most 1/6 of its CPU":                                    true,
		"one edit until the Deployment changed, T=100: median at most 40ms":             true,
		"one edit until the Deployment changed, T=100: p99 below 150 ms":                true,
		"one edit from stored until the Deployment changed, T=100: median at most 40ms": true,
		"one edit from stored until the Deployment changed, T=100: p99 below 150 ms":    true,
		"one edit until Ready again, T=100: below 1.5 s (p99)":                          true,
		"idle, T=100: no request but the Lease":                                         false,
		"idle, T=100: at most 0.10 s CPU":                                               true,
		"peak memory, T=100: at most 120 MiB":                                           true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("goals() (-want +got):\n%s", diff)
	}
}

func TestGrowth(t *testing.T) {
	all := some()
	for _, r := range some() {
		larger := *r
		larger.Workload.Tenancies = 1000
		if r.Contender == operatorName {
			larger.Restart = &sample{Wall: 11 * time.Second, Requests: requests{{"update", "secrets", 0}: 1, {"watch", "secrets", 0}: 1}}
			larger.Size, larger.StatusWrites = 2<<20, 3
			larger.Edits = []edited{{Answered: 100 * time.Millisecond, Changed: 160 * time.Millisecond, Ready: time.Second}}
		}
		all = append(all, &larger)
	}
	got := map[string]verdict{}
	for _, v := range goals(all) {
		got[v.goal] = v
	}
	want := map[string]bool{
		"growth: install / floor no larger at T=1000 than at T=100": true, // the same
		"restart, T=1000: no Helm action":                           false,
		"restart, T=1000: status right within 10 s":                 false,
		"restart, T=1000: at most 1.5 s CPU":                        true,
		"status, T=1000: every write accepted":                      true,
		"status, T=1000: Controller below 1 MiB":                    false,

		"one edit from stored until the Deployment changed, T=1000: median at most 60ms":                                                 true,
		"growth: one edit from stored until the Deployment changed, from T=100 to T=1000: no faster than the Controller's size (median)": true,
	}
	for goal, met := range want {
		if v, ok := got[goal]; !ok || v.met != met {
			t.Errorf("goal %q: known %v, met %v, want %v", goal, ok, v.met, met)
		}
	}
	if got := got["restart, T=1000: no Helm action"].measured; got != "1 writes of records" {
		t.Errorf("the restart wrote %q, want 1 record", got)
	}
}
