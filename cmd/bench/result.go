package main

import (
	"net/http"
	"time"
)

// usage is what a contender has used so far.
type usage struct {
	CPU  time.Duration
	Peak int64 // bytes of memory, of its largest process
}

// sample is what a phase took.
type sample struct {
	Wall         time.Duration
	CPU          time.Duration // of the contender
	ControlPlane time.Duration // CPU of the API server and etcd
	Others       float64       // processors that were busy with what is not the bench's
	Requests     requests
	Written      []time.Time // when the status of the Controller was
}

// result is what one contender did with one workload. What it has not done is nil.
type result struct {
	Contender string
	Workload  workload

	Install, Upgrade, Idle, Restart, Uninstall *sample
	Edits                                      []edited
	Peak                                       int64

	// Of the operator alone:
	Ready         time.Duration // from the applied spec until the Controller was Ready
	Size          int           // of the Controller in bytes
	StatusWrites  int
	StatusRefused int             // but for conflicts, which are tried again, and for one that is gone
	Deployed      []time.Duration // by tenancy: from the applied spec until it was installed
	Flap          *flapped
	Hang          *hung
	Plans         *planned
	Guarded       *guarded
}

// changed are the times of the edits until the Deployment changed.
func (r *result) changed() []time.Duration {
	return pick(r, func(e edited) (time.Duration, bool) { return e.Changed, true })
}

// answered are the times of the edits until the API server had stored them.
func (r *result) answered() []time.Duration {
	return pick(r, func(e edited) (time.Duration, bool) { return e.Answered, e.Answered > 0 })
}

// fromStored are the times of the edits from there until the Deployment changed.
func (r *result) fromStored() []time.Duration {
	return pick(r, func(e edited) (time.Duration, bool) { return e.fromStored(), e.Answered > 0 })
}

// readyAgain are the times of the edits until the Controller was Ready again.
func (r *result) readyAgain() []time.Duration {
	return pick(r, func(e edited) (time.Duration, bool) { return e.Ready, e.Ready > 0 })
}

func pick(r *result, field func(edited) (d time.Duration, known bool)) []time.Duration {
	if r == nil {
		return nil
	}
	var out []time.Duration
	for _, e := range r.Edits {
		if d, known := field(e); known {
			out = append(out, d)
		}
	}
	return out
}

// results are all there are.
type results []*result

// find looks for the result of a contender; nil when it has none.
func (all results) find(contender string, tenancies int) *result {
	for _, r := range all {
		if r.Contender == contender && r.Workload.Tenancies == tenancies {
			return r
		}
	}
	return nil
}

// sizes lists the workloads, in the order in which they were done.
func (all results) sizes() []int {
	var out []int
	seen := map[int]bool{}
	for _, r := range all {
		if n := r.Workload.Tenancies; !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// countStatus notes how writes of the status went.
func (r *result) countStatus(asked requests) {
	status := func(q request) bool { return q.Resource == statusWrites }
	r.StatusWrites += asked.count(status)
	r.StatusRefused += asked.count(func(q request) bool {
		return status(q) && q.Failed != 0 && q.Failed != http.StatusConflict && q.Failed != http.StatusNotFound
	})
}
