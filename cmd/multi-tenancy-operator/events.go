package main

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/events"
	recording "k8s.io/client-go/tools/record"
)

// newRecorder makes a recorder of events, and what stops it. The manager's own one
// remembers every event for minutes, without a bound, to count the next one like it:
// upgrading thousands of releases would cost megabytes. This one remembers a hundred.
func newRecorder(client kubernetes.Interface) (recorder events.EventRecorder, stop func()) {
	broadcaster := recording.NewBroadcaster(recording.WithCorrelatorOptions(recording.CorrelatorOptions{
		LRUCacheSize: 128,
		// Only events that say the same are counted as one: those of the Controller are
		// about many releases.
		KeyFunc: func(e *corev1.Event) (aggregate, local string) {
			aggregate, local = recording.EventAggregatorByReasonFunc(e)
			return aggregate + local, local
		},
		BurstSize: 1000,
		QPS:       50,
	}))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	source := corev1.EventSource{Component: "multi-tenancy-operator"}
	return recording.NewEventRecorderAdapter(broadcaster.NewRecorder(scheme(), source)), broadcaster.Shutdown
}
