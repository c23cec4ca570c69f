package watch

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// told is how much is kept of a text that the cluster tells, in bytes.
const told = 400

// byObject is the index of the warnings by the namespace of what they are about.
const byObject = "namespace of the object"

// newWarnings follows the Warning events of the cluster: why pods are not scheduled,
// not made or not ready is told nowhere else. onChange is called with the namespace
// of what a new one is about, and onRepeat when one is told again or forgotten: that is
// nothing new.
func newWarnings(client kubernetes.Interface, meter meter, onRepeat, onChange func(namespace string)) (cache.SharedIndexInformer, error) {
	informer := coreinformers.NewFilteredEventInformer(client, metav1.NamespaceAll, 0,
		cache.Indexers{byObject: func(obj any) ([]string, error) { return []string{warning(obj).InvolvedObject.Namespace}, nil }},
		func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermEqualSelector("type", corev1.EventTypeWarning).String()
		})
	if err := informer.SetTransform(slimWarning); err != nil {
		return nil, err
	}
	_, err := informer.AddEventHandler(meter.of("events", cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { onChange(warning(obj).InvolvedObject.Namespace) },
		UpdateFunc: func(before, after any) {
			tell := onRepeat
			if a, b := warning(before), warning(after); a.Reason != b.Reason || a.Message != b.Message {
				tell = onChange
			}
			tell(warning(after).InvolvedObject.Namespace)
		},
		DeleteFunc: func(obj any) { onRepeat(warning(last(obj)).InvolvedObject.Namespace) },
	}))
	return informer, err
}

func warning(obj any) *corev1.Event {
	if e, ok := obj.(*corev1.Event); ok {
		return e
	}
	return &corev1.Event{}
}

// warningsIn lists those about what lives in a namespace.
func (w *Watcher) warningsIn(namespace string) []*corev1.Event {
	items, _ := w.warnings.GetIndexer().ByIndex(byObject, namespace) // the index is there
	out := make([]*corev1.Event, 0, len(items))
	for _, item := range items {
		out = append(out, warning(item))
	}
	return out
}

// slimWarning keeps what it is about, what it says and when.
func slimWarning(object any) (any, error) {
	e, ok := object.(*corev1.Event)
	if !ok {
		return object, nil
	}
	at := e.LastTimestamp
	switch {
	case e.Series != nil:
		at = metav1.Time{Time: e.Series.LastObservedTime.Time}
	case at.IsZero():
		at = metav1.Time{Time: e.EventTime.Time}
	}
	return &corev1.Event{
		ObjectMeta:     identity(e.ObjectMeta),
		InvolvedObject: corev1.ObjectReference{Namespace: e.InvolvedObject.Namespace, UID: e.InvolvedObject.UID},
		Reason:         e.Reason, Message: cut(e.Message), LastTimestamp: at,
	}, nil
}

// cut keeps the beginning of a text.
func cut(text string) string {
	if len(text) <= told {
		return text
	}
	return text[:told] + "…"
}
