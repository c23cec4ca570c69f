package watch

import "k8s.io/client-go/tools/cache"

// Option sets what has a default.
type Option func(*Watcher)

// WithOnEvent sets what is told of each object that an informer found added, changed or
// deleted, those of its first list too: its resource with its group, such as "pods" or
// "deployments.apps". It must not block.
func WithOnEvent(tell func(resource string)) Option {
	return func(w *Watcher) { w.meter = tell }
}

// meter is told the resource of each event.
type meter func(resource string)

// of makes a handler that tells of each event before another handler gets it.
func (m meter) of(resource string, handler cache.ResourceEventHandler) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(obj any, isInInitialList bool) {
			m(resource)
			handler.OnAdd(obj, isInInitialList)
		},
		UpdateFunc: func(before, after any) {
			m(resource)
			handler.OnUpdate(before, after)
		},
		DeleteFunc: func(obj any) {
			m(resource)
			handler.OnDelete(obj)
		},
	}
}
