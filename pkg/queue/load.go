package queue

import "time"

// Load is how busy a queue is, over all lanes.
type Load struct {
	// Lanes are those that have a running or waiting job.
	Lanes int
	// Running jobs have begun and not ended. Parked are those of them that have given
	// their place among the workers away, or wait to get one back.
	Running, Parked int
	// Waiting jobs have not begun.
	Waiting int
	// Behind is how many lanes could run a job if a worker were free.
	Behind int
	// Oldest is how long the job that waits longest has waited; 0 when none waits.
	Oldest time.Duration
}

// Load tells how busy the queue is now.
func (q *Queue) Load() Load {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := Load{Lanes: len(q.lanes), Running: q.running, Parked: q.parked}
	if q.free == 0 {
		out.Behind = len(q.ready)
	}
	now := time.Now()
	for _, l := range q.lanes {
		out.Waiting += len(l.waiting)
		for _, w := range l.waiting {
			out.Oldest = max(out.Oldest, now.Sub(w.since))
		}
	}
	return out
}
