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
// that of a repository, of which a spec has at most 64, and that of a resource, of which
// the cluster has some dozens: their number is bounded. doc/metrics.md tells of each.
type Metrics struct {
	operations *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	rendering  *prometheus.HistogramVec
	drifts     *prometheus.CounterVec
	things     *prometheus.GaugeVec
	fetches    *prometheus.CounterVec
	fetching   prometheus.Histogram
	watches    *prometheus.CounterVec
	events     *prometheus.CounterVec
	statuses   statusMetrics
}

// NewMetrics makes metrics and registers them. load is asked at each scrape.
func NewMetrics(registry prometheus.Registerer, load func() queue.Load) (*Metrics, error) {
	m := &Metrics{
		operations: counter("multitenancy_operations_total",
			"Helm operations that ended, by action and result (success or failure).", "action", "result"),
		durations: seconds("multitenancy_operation_duration_seconds",
			"How long Helm operations took, waits for hooks included, by action.", "action"),
		rendering: seconds("multitenancy_render_duration_seconds",
			"How long rendering took in installs and upgrades, by stage: chart (two copies of the chart are read, dependencies looked for and the values checked"+
				" against its schema) and templates (Helm's engine, lookups of templates in the cluster included, and the sorting of its manifests).", "stage"),
		drifts: counter("multitenancy_drifts_total",
			"Objects of releases found changed by somebody else, by result (corrected or reported).", "result"),
		things: gauge("multitenancy_things",
			"Tenancies, releases, workloads and pods of the active Controller, by kind and state (total, ready or failed).", "kind", "state"),
		fetches: counter("multitenancy_chart_fetches_total",
			"Looks at chart repositories of the spec, by repository and outcome (success, unchanged or failure).", "repository", "outcome"),
		fetching: prometheus.NewHistogram(durationsOf("multitenancy_chart_fetch_duration_seconds",
			"How long looks at chart repositories took, downloads included.")),
		watches: counter("multitenancy_watches_total",
			"Requests for watches, failed ones too, by resource and start: list (with all there is, to begin with or because what was missed cannot be told)"+
				" or resume (where the last one ended).", "resource", "start"),
		events: counter("multitenancy_watch_events_total",
			"Objects that informers found added, changed or deleted, those of first lists included, by resource.", "resource"),
		statuses: newStatusMetrics(),
	}
	all := append(m.statuses.collectors(), loadOf(load),
		m.operations, m.durations, m.rendering, m.drifts, m.things, m.fetches, m.fetching, m.watches, m.events)
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func seconds(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(durationsOf(name, help), labels)
}

// durationsOf has buckets from 10 ms to about 200 s.
func durationsOf(name, help string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.01, 3, 10)}
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

// Rendered counts a stage of rendering that went well.
func (m *Metrics) Rendered(stage string, took time.Duration) {
	m.rendering.WithLabelValues(stage).Observe(took.Seconds())
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

// Forgot drops what was counted of a repository that left the spec.
func (m *Metrics) Forgot(repository string) {
	m.fetches.DeletePartialMatch(prometheus.Labels{"repository": repository})
}

// Watched counts a request for a watch: anew, or one that goes on where another ended.
func (m *Metrics) Watched(resource string, anew bool) {
	start := "resume"
	if anew {
		start = "list"
	}
	m.watches.WithLabelValues(resource, start).Inc()
}

// Happened counts an event of a watch.
func (m *Metrics) Happened(resource string) { m.events.WithLabelValues(resource).Inc() }

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
