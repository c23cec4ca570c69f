package controller

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
)

// catalogue registers what it is given, and makes each have a value: what has labels and
// no value is not gathered.
type catalogue struct{ *prometheus.Registry }

func (c catalogue) Register(all prometheus.Collector) error {
	for n := range 5 {
		labels := slices.Repeat([]string{"x"}, n)
		switch v := all.(type) {
		case *prometheus.CounterVec:
			_, _ = v.GetMetricWithLabelValues(labels...) // an error is a wrong number of them
		case *prometheus.GaugeVec:
			_, _ = v.GetMetricWithLabelValues(labels...)
		case *prometheus.HistogramVec:
			_, _ = v.GetMetricWithLabelValues(labels...)
		}
	}
	return c.Registry.Register(all)
}

// TestMetricsPage: doc/metrics.md has the metrics there are, with their types and labels,
// and its queries ask for no other.
func TestMetricsPage(t *testing.T) {
	registry := catalogue{prometheus.NewPedanticRegistry()}
	if _, err := NewMetrics(registry, func() queue.Load { return queue.Load{} }); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range families {
		line := strings.ToLower(f.GetType().String())
		for _, l := range f.GetMetric()[0].GetLabel() {
			line += " " + l.GetName()
		}
		want[f.GetName()] = line
	}
	if len(want) < 15 {
		t.Errorf("%d metrics are registered, want at least 15", len(want))
	}
	page, err := os.ReadFile("../../doc/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	word := regexp.MustCompile("`([a-z_]+)`")
	for _, row := range regexp.MustCompile("(?m)^\\| `(multitenancy_[a-z_]+)` \\| ([a-z]+) \\|([^|]*)\\| [^|]+\\|$").FindAllStringSubmatch(string(page), -1) {
		line := row[2]
		var labels []string
		for _, l := range word.FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, l[1])
		}
		slices.Sort(labels)
		for _, l := range labels {
			line += " " + l
		}
		got[row[1]] = line
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the metrics of doc/metrics.md, each with type and labels (-registered +documented):\n%s", diff)
	}
	for _, name := range regexp.MustCompile(`multitenancy_[a-z_]+`).FindAllString(string(page), -1) {
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if want[name] == "" && !strings.HasPrefix(want[base], "histogram") {
			t.Errorf("doc/metrics.md asks for %s, which is no metric", name)
		}
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// newMetrics makes metrics, and tells what they show: the counters and gauges by name and
// values of labels, whose names begin with a text.
func newMetrics(t *testing.T) (m *Metrics, shown func(prefix string) map[string]float64) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	m, err := NewMetrics(registry, func() queue.Load {
		return queue.Load{Lanes: 3, Running: 2, Parked: 1, Waiting: 4, Oldest: 90 * time.Second}
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, func(prefix string) map[string]float64 {
		t.Helper()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]float64{}
		for _, f := range families {
			name, ours := strings.CutPrefix(f.GetName(), prefix)
			if !ours {
				continue
			}
			for _, v := range f.GetMetric() {
				key := name
				for _, l := range v.GetLabel() {
					key += " " + l.GetValue()
				}
				out[key] = v.GetCounter().GetValue() + v.GetGauge().GetValue()
			}
		}
		return out
	}
}

func TestLoadMetrics(t *testing.T) {
	_, shown := newMetrics(t)
	want := map[string]float64{"lanes": 3, "running": 2, "parked": 1, "waiting": 4, "oldest_seconds": 90}
	if diff := cmp.Diff(want, shown("multitenancy_queue_")); diff != "" {
		t.Errorf("the load of the queue (-want +got):\n%s", diff)
	}
}

// TestForgottenRepositories: what left the spec is not shown for ever.
func TestForgottenRepositories(t *testing.T) {
	m, shown := newMetrics(t)
	for _, repository := range []string{"stable", "old"} {
		m.Fetched(repository, "success", time.Second)
		m.Fetched(repository, "failure", time.Second)
	}
	m.Forgot("old")
	want := map[string]float64{" success stable": 1, " failure stable": 1}
	if diff := cmp.Diff(want, shown("multitenancy_chart_fetches_total")); diff != "" {
		t.Errorf("looks at repositories (-want +got):\n%s", diff)
	}
}

func TestWatchMetrics(t *testing.T) {
	m, shown := newMetrics(t)
	m.Watched("pods", true)
	m.Watched("pods", false)
	m.Watched("pods", false)
	m.Happened("pods")
	want := map[string]float64{"es_total pods list": 1, "es_total pods resume": 2, "_events_total pods": 1}
	if diff := cmp.Diff(want, shown("multitenancy_watch")); diff != "" {
		t.Errorf("watches (-want +got):\n%s", diff)
	}
}

// answering is a client that answers the patches of statuses, one after the other.
type answering struct {
	client.Client
	scheme  *runtime.Scheme
	answers []error
	bytes   float64 // of all patches
}

func (a *answering) GroupVersionKindFor(obj runtime.Object) (schema.GroupVersionKind, error) {
	return apiutil.GVKForObject(obj, a.scheme)
}

func (a *answering) Status() client.SubResourceWriter { return answeringStatus{of: a} }

type answeringStatus struct {
	client.SubResourceWriter
	of *answering
}

func (s answeringStatus) Patch(_ context.Context, obj client.Object, patch client.Patch, _ ...client.SubResourcePatchOption) error {
	data, err := patch.Data(obj)
	if err != nil {
		return err
	}
	s.of.bytes += float64(len(data))
	err = s.of.answers[0]
	s.of.answers = s.of.answers[1:]
	return err
}

// TestStatusMetrics: each write of a status is counted with its outcome and its size, and
// what was stored is shown.
func TestStatusMetrics(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	resource := schema.GroupResource{Group: "multitenancy.dev", Resource: "tenancies"}
	api := &answering{scheme: scheme, answers: []error{
		nil, apierrors.NewConflict(resource, "one", errors.New("changed")), apierrors.NewForbidden(resource, "one", errors.New("no")),
	}}
	m, shown := newMetrics(t)
	mirror, report := &Mirror{Client: m.Count(api), Metrics: m}, &Report{Client: m.Count(api), Metrics: m}
	tn := &v1alpha1.Tenancy{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "one", ResourceVersion: "1"}}
	for range api.answers {
		_ = mirror.writeTenancy(t.Context(), tn, v1alpha1.TenancyStatus{Phase: v1alpha1.TenancyReady}) // what is answered is counted
	}
	want := map[string]float64{
		"writes_total Tenancy ok": 1, "writes_total Tenancy conflict": 1, "writes_total Tenancy refused": 1,
		"patch_bytes_total Tenancy": api.bytes,
	}
	if diff := cmp.Diff(want, shown("multitenancy_status_")); diff != "" {
		t.Errorf("writes of Tenancies (-want +got):\n%s", diff)
	}
	if api.bytes == 0 {
		t.Error("the patches are empty")
	}

	cr := &v1alpha1.Controller{ObjectMeta: metav1.ObjectMeta{Name: "one"}}
	next := shownTenancies(3)
	next.Omitted, next.Tenancies[0].Omitted, next.Tenancies[2].Omitted = 7, 2, 1
	for pass, answer := range []error{nil, nil, errors.New("no")} {
		api.answers = []error{answer}
		if pass == 2 {
			next = shownTenancies(1) // is not stored
		}
		_, err := report.writeAll(t.Context(), cr, next, report.weights.of(cr), nil)
		if !errors.Is(err, answer) {
			t.Errorf("pass %d: writeAll() = %v, want %v", pass, err, answer)
		}
	}
	size := func(v any) float64 { data, _ := json.Marshal(v); return float64(len(data)) } //nolint:errchkjson // these have JSON
	bytes := map[string]float64{"status_bytes": size(cr.Status), "object_bytes": float64(report.weights.of(cr)) + size(cr.Status)}
	if diff := cmp.Diff(bytes, shown("multitenancy_controller_")); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
	left := map[string]float64{" tenancy": 7, " release": 3}
	if diff := cmp.Diff(left, shown("multitenancy_status_omitted")); diff != "" {
		t.Errorf("what is left out (-want +got):\n%s", diff)
	}
	writes := shown("multitenancy_status_writes_total")
	if got := [2]float64{writes[" Controller ok"], writes[" Controller refused"]}; got != [2]float64{1, 1} {
		t.Errorf("%v writes of the Controller are ok and refused, want one of each", got)
	}
}
