package watch

import (
	"maps"
	"sync"

	"multitenancy.dev/multi-tenancy-operator/pkg/status"
)

// views keeps what was last found in each namespace until something changes there: of a
// thousand namespaces, few do between two looks.
type views struct {
	mu sync.Mutex
	// looks counts them all: each finding has a number of its own.
	looks uint64
	last  map[string]view
}

// view is what was found, and by which informers.
type view struct {
	from    *contents
	objects status.Objects
}

// change notes that something changed in a namespace. The informers know it already.
func (v *views) change(namespace string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.last, namespace)
}

// Objects is what lives in each namespace that is followed and known.
func (w *Watcher) Objects() map[string]status.Objects {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[string]status.Objects, w.wanted.Len())
	for name := range w.wanted {
		from := w.namespaces[name]
		if w.everywhere != nil && w.everywhere.known() {
			from = w.everywhere
		}
		if from != nil && from.known() {
			out[name] = w.look(name, from)
		}
	}
	w.views.keep(out)
	return out
}

// look finds what there is in a namespace.
func (w *Watcher) look(namespace string, from *contents) status.Objects {
	v := &w.views
	v.mu.Lock()
	defer v.mu.Unlock()
	if last, ok := v.last[namespace]; ok && last.from == from {
		return last.objects
	}
	objects := from.in(namespace)
	objects.Warnings = w.warningsIn(namespace)
	v.looks++
	objects.Look = v.looks
	if v.last == nil {
		v.last = map[string]view{}
	}
	v.last[namespace] = view{from: from, objects: objects}
	return objects
}

// keep forgets the namespaces that are not among those that are known.
func (v *views) keep(known map[string]status.Objects) {
	v.mu.Lock()
	defer v.mu.Unlock()
	maps.DeleteFunc(v.last, func(namespace string, _ view) bool {
		_, ok := known[namespace]
		return !ok
	})
}
