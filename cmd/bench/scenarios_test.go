package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

func TestChosen(t *testing.T) {
	got, err := options{}.chosen(" plans flap ")
	if diff := cmp.Diff([]string{scenarioPlans, scenarioFlap}, got); err != nil || diff != "" {
		t.Errorf("chosen(): error %v (-want +got):\n%s", err, diff)
	}
	if _, err := (options{}).chosen("flap,hang"); err == nil {
		t.Error("chosen() of a name that is none has no error")
	}
	for name, tc := range map[string]struct {
		opts options
		want bool
	}{
		"chosen":          {options{scenarios: allScenarios, flap: time.Second}, true},
		"for no time":     {options{scenarios: allScenarios}, false},
		"others are":      {options{scenarios: []string{scenarioHang}, flap: time.Second}, false},
		"nothing at all":  {options{flap: time.Second}, false},
		"it and no other": {options{scenarios: []string{scenarioFlap}, flap: time.Second}, true},
	} {
		if got := tc.opts.plays(scenarioFlap); got != tc.want {
			t.Errorf("%s: plays() = %v, want %v", name, got, tc.want)
		}
	}
}

func TestHanging(t *testing.T) {
	for tenancies, want := range map[int]int{1: 0, 20: 1, 100: 5, 1000: 50, 5000: 50} {
		n := hangingOf(50, tenancies)
		if n != want {
			t.Errorf("of %d tenancies %d hang, want %d", tenancies, n, want)
		}
		w, hanging, last := workload{Tenancies: tenancies}, 0, -1
		for i, tn := range w.hanging(n).Spec.Tenancies {
			if tn.Charts[0].ChartName != hangChart {
				continue
			}
			if last >= 0 && i-last != tenancies/n {
				t.Errorf("tenancies %d and %d of %d hang, want them %d apart", last, i, tenancies, tenancies/n)
			}
			hanging, last = hanging+1, i
		}
		if hanging != n {
			t.Errorf("the Controller of %d tenancies has %d that hang, want %d", tenancies, hanging, n)
		}
	}
	if n := hangingOf(0, 1000); n != 0 {
		t.Errorf("%d hang, want none", n)
	}
}

func TestChartHome(t *testing.T) {
	home := t.TempDir()
	if err := writeChartHome(home, filepath.Join("..", "..")); err != nil {
		t.Fatal(err)
	}
	for _, chart := range []string{deploymentChart, statefulSetChart, hangChart} {
		if text, err := os.ReadFile(filepath.Join(home, chart, "Chart.yaml")); err != nil || !strings.Contains(string(text), "name: "+chart+"\n") {
			t.Errorf("chart %s: %v: %s", chart, err, text)
		}
	}
}

func TestLatest(t *testing.T) {
	times := []time.Duration{5, 9, 7}
	if got := latest(times, func(i int) bool { return i != 1 }); got != 7 {
		t.Errorf("latest() = %d, want 7", got)
	}
	if got := latest(nil, func(int) bool { return true }); got != 0 {
		t.Errorf("latest() of nothing = %d, want 0", got)
	}
}

// Put together, the plan and the parameters must say what the written-out spec does.
func TestPlanned(t *testing.T) {
	w := workload{Tenancies: 200}
	plain, short := w.controller(upgradeGrace), patched(t, w.planned(), replaceText(planGracePath, upgradeGrace))
	if len(short.Spec.Tenancies) != w.Tenancies || len(short.Spec.Plans) != 1 {
		t.Fatalf("%d tenancies and %d plans, want %d and 1", len(short.Spec.Tenancies), len(short.Spec.Plans), w.Tenancies)
	}
	for i, tn := range short.Spec.Tenancies {
		var charts []v1alpha1.Chart
		for _, chart := range short.Spec.Plans[0].Charts {
			settings := append([]v1alpha1.Setting(nil), chart.Settings...)
			for k := range settings {
				for name, value := range tn.Params {
					settings[k].Value = strings.ReplaceAll(settings[k].Value, "$("+name+")", string(value))
				}
			}
			charts = append(charts, v1alpha1.Chart{ChartName: chart.ChartName, ReleaseName: chart.ReleaseName, Settings: settings})
		}
		want := plain.Spec.Tenancies[i]
		if diff := cmp.Diff(want, v1alpha1.TenancySpec{Namespace: tn.Namespace, Charts: charts}); diff != "" {
			t.Fatalf("tenancy %d (-want +got):\n%s", i, diff)
		}
	}
	var sizes planned
	if err := sizes.sizes(w); err != nil || sizes.Spec >= sizes.Written || sizes.Many <= sizes.Spec {
		t.Errorf("sizes() = %+v, %v, want the plan the smaller one, and 5,000 tenancies the larger", sizes, err)
	}
}

func TestScenarioTablesAndGoals(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := &result{
		Contender: operatorName, Workload: workload{Tenancies: 1000},
		Install: &sample{Wall: 100 * time.Second}, Upgrade: &sample{Wall: 40 * time.Second},
		Edits: []edited{{Answered: 50 * time.Millisecond, Changed: 100 * time.Millisecond}},
		Flap: &flapped{
			sample: &sample{Wall: 2 * time.Second, Written: []time.Time{begin, begin.Add(1100 * time.Millisecond)}},
			Pods:   1000, Told: []time.Duration{time.Second, 2 * time.Second},
			Edits: []edited{{Answered: 55 * time.Millisecond, Changed: 120 * time.Millisecond}},
		},
		Hang:  &hung{sample: &sample{}, Tenancies: 50, Others: 110 * time.Second, Usual: 100 * time.Second},
		Plans: &planned{Install: &sample{Wall: 90 * time.Second}, Upgrade: &sample{Wall: 50 * time.Second}, Spec: 100 << 10, Written: 400 << 10, Many: 512 << 10},
	}
	var out bytes.Buffer
	printScenarios(&out, results{{Contender: floorName}, r})
	got := strings.Join(strings.Fields(out.String()), " ")
	for _, line := range []string{
		"### Scenarios of the operator, 1000 tenancies",
		"| 1000 flapping pods | 2.00 s | – | – |",
		"| - in a second | 1.00 | – | – |",
		"| - a pod until its Tenancy tells, p99 | 2000 ms | – | – |",
		"| - elsewhere one edit until the Deployment changed, p50 | 120 ms | 100 ms | 1.20 |",
		"| - elsewhere one edit from stored until the Deployment changed, p50 | 65 ms | 50 ms | 1.30 |",
		"| - least time between two | 1100 ms | – | – |",
		"| install all, 50 with a chart that hangs: the others | 110.00 s | 100.00 s | 1.10 |",
		"| plan: install all | 90.00 s | 100.00 s | 0.90 |",
		"| plan: size of the spec | 100 KiB | 400 KiB | 0.25 |",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("the table lacks %q:\n%s", line, out.String())
		}
	}
	want := []verdict{
		{"flapping pods, T=1000: status of the Controller written at most 60 times a minute", "2, at least 1100 ms apart", true},
		{"flapping pods, T=1000: a pod until its Tenancy tells at most 2 s (p99)", "2000 ms", true},
		{"flapping pods, T=1000: elsewhere one edit until the Deployment changed in at most 1.10 × the usual time (median)", "1.20", false},
		{"50 hanging charts, T=1000: the other tenancies installed in at most 1.10 × the usual time", "1.10", true},
		{"plan: spec of 5000 tenancies below 512 KiB", "512 KiB", false},
	}
	if diff := cmp.Diff(want, scenarioGoals(r), cmp.AllowUnexported(verdict{})); diff != "" {
		t.Errorf("scenarioGoals() (-want +got):\n%s", diff)
	}
	// What was not told in the end spoils the time that was.
	r.Flap.Missing = 1
	if scenarioGoals(r)[1].met {
		t.Error("a change that was never told meets the goal")
	}
	out.Reset()
	if printScenarios(&out, some()); out.Len() > 0 {
		t.Errorf("where no scenario was played there is a table:\n%s", out.String())
	}
}
