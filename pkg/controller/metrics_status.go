package controller

import (
	"context"
	"encoding/json"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// statusMetrics counts the writing of statuses.
type statusMetrics struct {
	writes  *prometheus.CounterVec
	patches *prometheus.CounterVec
	status  prometheus.Gauge
	object  prometheus.Gauge
	omitted *prometheus.GaugeVec
	// sized says that the gauges show something.
	sized *atomic.Bool
}

func newStatusMetrics() statusMetrics {
	return statusMetrics{
		writes: counter("multitenancy_status_writes_total",
			"Patches of statuses, by kind (Controller or Tenancy) and outcome: ok, conflict (somebody else wrote in between) or refused (any other error).", "kind", "outcome"),
		patches: counter("multitenancy_status_patch_bytes_total",
			"Bytes of the patches of statuses, of those that failed too, by kind (Controller or Tenancy).", "kind"),
		status: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "multitenancy_controller_status_bytes",
			Help: "Bytes of the status of the active Controller as JSON, as it was written last.",
		}),
		object: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "multitenancy_controller_object_bytes",
			Help: "Bytes of the active Controller as JSON, with spec, managed fields and status, when its status was written last.",
		}),
		omitted: gauge("multitenancy_status_omitted",
			"What the status of the active Controller leaves out to stay small, by kind: tenancy (not shown at all) or release (of tenancies that are shown).", "kind"),
		sized: &atomic.Bool{},
	}
}

func (m statusMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.writes, m.patches, m.status, m.object, m.omitted}
}

// stored shows what the status of the active Controller weighs beside a rest that weighs
// so many bytes. One that was not written now was shown before, but for the first.
func (m *Metrics) stored(s v1alpha1.ControllerStatus, rest int, written bool) {
	if !written && m.statuses.sized.Load() {
		return
	}
	data, err := json.Marshal(s)
	if err != nil {
		return // it came as JSON, or went
	}
	m.statuses.sized.Store(true)
	m.statuses.status.Set(float64(len(data)))
	m.statuses.object.Set(float64(rest + len(data)))
	releases := int32(0)
	for _, t := range s.Tenancies {
		releases += t.Omitted
	}
	m.statuses.omitted.WithLabelValues("tenancy").Set(float64(s.Omitted))
	m.statuses.omitted.WithLabelValues("release").Set(float64(releases))
}

// seen counts what the informers of the manager tell of a resource.
func (m *Metrics) seen(resource string) builder.Predicates {
	return builder.WithPredicates(predicate.NewPredicateFuncs(func(client.Object) bool {
		m.Happened(resource)
		return true
	}))
}

// Count makes a client that counts the statuses that are patched with it, and is
// otherwise the one it is given.
func (m *Metrics) Count(next client.Client) client.Client {
	return countingClient{Client: next, metrics: m.statuses}
}

type countingClient struct {
	client.Client
	metrics statusMetrics
}

// Status implements client.StatusClient.
func (c countingClient) Status() client.SubResourceWriter {
	return countingWriter{SubResourceWriter: c.Client.Status(), client: c}
}

type countingWriter struct {
	client.SubResourceWriter
	client countingClient
}

// Patch implements client.SubResourceWriter.
func (w countingWriter) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	gvk, err := w.client.GroupVersionKindFor(obj)
	if err != nil {
		return err
	}
	weighed := &weighedPatch{Patch: patch}
	err = w.SubResourceWriter.Patch(ctx, obj, weighed, opts...)
	outcome := "ok"
	switch {
	case apierrors.IsConflict(err):
		outcome = "conflict"
	case err != nil:
		outcome = "refused"
	}
	w.client.metrics.writes.WithLabelValues(gvk.Kind, outcome).Inc()
	w.client.metrics.patches.WithLabelValues(gvk.Kind).Add(float64(weighed.bytes))
	return err
}

// weighedPatch notes how large a patch is when it is made.
type weighedPatch struct {
	client.Patch
	bytes int
}

// Data implements client.Patch.
func (p *weighedPatch) Data(obj client.Object) ([]byte, error) {
	data, err := p.Patch.Data(obj)
	p.bytes = len(data)
	return data, err
}
