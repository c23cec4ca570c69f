package controller

import (
	"github.com/prometheus/client_golang/prometheus"

	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
)

// loadMetrics shows the load of the queue, which it asks for once at each scrape.
type loadMetrics struct {
	load  func() queue.Load
	descs []*prometheus.Desc
}

func loadOf(load func() queue.Load) loadMetrics {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return loadMetrics{load: load, descs: []*prometheus.Desc{
		desc("multitenancy_queue_waiting", "Operations that wait for their turn, over all tenancies."),
		desc("multitenancy_queue_oldest_seconds", "How long the operation that waits longest has waited; 0 when none waits."),
		desc("multitenancy_queue_lanes", "Tenancies with an operation that runs or waits."),
		desc("multitenancy_queue_running", "Operations that run, parked ones included."),
		desc("multitenancy_queue_parked", "Running operations that have given their place among --concurrent away while they wait, such as for a hook."),
	}}
}

// Describe implements prometheus.Collector.
func (l loadMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range l.descs {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (l loadMetrics) Collect(to chan<- prometheus.Metric) {
	now := l.load()
	for i, v := range []float64{
		float64(now.Waiting), now.Oldest.Seconds(), float64(now.Lanes), float64(now.Running), float64(now.Parked),
	} {
		to <- prometheus.MustNewConstMetric(l.descs[i], prometheus.GaugeValue, v)
	}
}
