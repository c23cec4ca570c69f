package controller

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Metrics counts what the operator does. No label is a name that users choose, but
// that of a repository, of which a spec has at most 64: their number is bounded.
type Metrics struct {
	operations *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	drifts     *prometheus.CounterVec
	things     *prometheus.GaugeVec
	fetches    *prometheus.CounterVec
	fetching   prometheus.Histogram
}

// NewMetrics makes metrics and registers them. lanes is asked at each scrape.
func NewMetrics(registry prometheus.Registerer, lanes func() map[string]queue.Lane) (*Metrics, error) {
	m := &Metrics{
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "multitenancy_operations_total",
			Help: "Helm operations that ended, by action and result (success or failure).",
		}, []string{"action", "result"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "multitenancy_operation_duration_seconds",
			Help:    "How long Helm operations took, waits for hooks included, by action.",
			Buckets: prometheus.ExponentialBuckets(0.01, 3, 10),
		}, []string{"action"}),
		drifts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "multitenancy_drifts_total",
			Help: "Objects of releases found changed by somebody else, by result (corrected or reported).",
		}, []string{"result"}),
		things: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "multitenancy_things",
			Help: "Tenancies, releases, workloads and pods of the active Controller, by kind and state (total, ready or failed).",
		}, []string{"kind", "state"}),
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "multitenancy_chart_fetches_total",
			Help: "Looks at chart repositories, by repository and outcome (success, unchanged or failure).",
		}, []string{"repository", "outcome"}),
		fetching: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "multitenancy_chart_fetch_duration_seconds",
			Help:    "How long looks at chart repositories took, downloads included.",
			Buckets: prometheus.ExponentialBuckets(0.01, 3, 10),
		}),
	}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "multitenancy_queue_waiting",
		Help: "Operations that wait for their turn, over all tenancies.",
	}, func() float64 { n, _ := waits(lanes()); return float64(n) })
	oldest := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "multitenancy_queue_oldest_seconds",
		Help: "How long the operation that waits longest has waited.",
	}, func() float64 { _, age := waits(lanes()); return age.Seconds() })
	for _, c := range []prometheus.Collector{m.operations, m.durations, m.drifts, m.things, m.fetches, m.fetching, waiting, oldest} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// ended counts an operation.
func (m *Metrics) ended(action plan.Action, took time.Duration, err error) {
	result := "success"
	if err != nil {
		result = "failure"
	}
	m.operations.WithLabelValues(string(action), result).Inc()
	m.durations.WithLabelValues(string(action)).Observe(took.Seconds())
}

// drifted counts what a check found.
func (m *Metrics) drifted(found []tenancy.Drift) {
	for _, d := range found {
		result := "reported"
		if d.Corrected {
			result = "corrected"
		}
		m.drifts.WithLabelValues(result).Inc()
	}
}

// Fetched counts a look at a chart repository.
func (m *Metrics) Fetched(repository, outcome string, took time.Duration) {
	m.fetches.WithLabelValues(repository, outcome).Inc()
	m.fetching.Observe(took.Seconds())
}

// summary shows the counts of a status.
func (m *Metrics) summary(s *v1alpha1.Summary) {
	if s == nil {
		s = &v1alpha1.Summary{}
	}
	for kind, c := range map[string]v1alpha1.Count{"tenancy": s.Tenancies, "workload": s.Workloads, "pod": s.Pods} {
		m.things.WithLabelValues(kind, "total").Set(float64(c.Total))
		m.things.WithLabelValues(kind, "ready").Set(float64(c.Ready))
	}
	m.things.WithLabelValues("release", "total").Set(float64(s.Releases.Total))
	m.things.WithLabelValues("release", "ready").Set(float64(s.Releases.Ready))
	m.things.WithLabelValues("release", "failed").Set(float64(s.Releases.Failed))
}

// waits counts the waiting jobs, and says how old the oldest is.
func waits(lanes map[string]queue.Lane) (n int, age time.Duration) {
	for _, lane := range lanes {
		for _, w := range lane.Waiting {
			n++
			age = max(age, time.Since(w.Since))
		}
	}
	return n, age
}
