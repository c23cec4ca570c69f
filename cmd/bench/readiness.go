package main

import (
	"context"
	"sync"
	"time"
)

// podKey names a pod.
type podKey struct{ namespace, name string }

// turn is what a pod was told last.
type turn struct {
	ready   bool
	waiting bool      // until its Tenancy tells so
	since   time.Time // when the change was answered; zero while it is not
}

// readiness follows pods that are made ready and not ready in turn, and how long each
// change takes until it is told. A change is expected before it is sent, as it may be
// told before its answer has arrived.
type readiness struct {
	mu      sync.Mutex
	pods    map[podKey]*turn
	took    []time.Duration
	late    int           // turns that were left out, as the change before was not told yet
	settled chan struct{} // closed when nothing is waited for; made anew by the next turn
}

// newReadiness follows pods that are all ready.
func newReadiness(pods []podKey) *readiness {
	r := &readiness{pods: map[podKey]*turn{}, settled: make(chan struct{})}
	for _, pod := range pods {
		r.pods[pod] = &turn{ready: true}
	}
	close(r.settled)
	return r
}

// turn is what a pod is to be changed to. It has none while its last change is waited for.
func (r *readiness) turn(pod podKey) (ready, due bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.pods[pod]
	if t.waiting {
		r.late++
		return t.ready, false
	}
	if r.waiting() == 0 {
		r.settled = make(chan struct{})
	}
	*t = turn{ready: !t.ready, waiting: true}
	return t.ready, true
}

// answered notes that the API server has stored the change of a pod.
func (r *readiness) answered(pod podKey, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pods[pod].since = at
}

// see notes what is told of a pod.
func (r *readiness) see(pod podKey, ready bool, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, known := r.pods[pod]
	if !known || !t.waiting || t.ready != ready {
		return
	}
	t.waiting = false
	var took time.Duration // told before the answer had arrived
	if !t.since.IsZero() {
		took = max(at.Sub(t.since), 0)
	}
	r.took = append(r.took, took)
	if r.waiting() == 0 {
		close(r.settled)
	}
}

// waiting counts the pods whose change is not told yet.
func (r *readiness) waiting() int {
	n := 0
	for _, t := range r.pods {
		if t.waiting {
			n++
		}
	}
	return n
}

// await waits until every change is told, for as long as patience lasts.
func (r *readiness) await(ctx context.Context, patience time.Duration) error {
	r.mu.Lock()
	settled := r.settled
	r.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-settled:
	case <-time.After(patience):
	}
	return nil
}

// end gives all the times. A change that is still not told counts with the time it
// has waited, and as missing.
func (r *readiness) end(now time.Time) (took []time.Duration, late, missing int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	took = r.took
	for _, t := range r.pods {
		if t.waiting {
			took = append(took, now.Sub(t.since))
		}
	}
	return took, r.late, r.waiting()
}

// unready lists the pods that were made not ready last.
func (r *readiness) unready() []podKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []podKey
	for pod, t := range r.pods {
		if !t.ready {
			out = append(out, pod)
		}
	}
	return out
}
