// Package queue runs jobs in lanes, first in, first out: one job at a time in
// a lane, lanes side by side under a bound, picked in turn. It knows neither
// Helm nor namespaces.
package queue

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Job is one piece of work.
type Job struct {
	// ID tells jobs of a lane apart.
	ID string
	// Run does the work. Its context is not cancelled when the queue stops: a
	// job that has begun is let finish.
	Run func(ctx context.Context) error
	// Done is told how Run ended, while the job still counts as running; a panic
	// in Run becomes an error. It must neither block nor call the queue.
	Done func(err error)
}

// Entry is a job as an onlooker sees it.
type Entry struct {
	ID string
	// Since is when the job began to wait, or to run.
	Since time.Time
}

// Lane is what an onlooker sees of a lane.
type Lane struct {
	// Running is nil when no job runs.
	Running *Entry
	Waiting []Entry
}

// Queue runs the jobs. Make one with New, set its jobs with Replace at any time,
// and run it with Start.
type Queue struct {
	onChange func()
	bell     chan struct{} // rung when there may be something to begin or to end

	mu       sync.Mutex
	free     int
	running  int
	parked   int
	lanes    map[string]*lane
	ready    []string        // lanes with a waiting job and no running one, in turn
	resuming []chan struct{} // parked jobs that want their place back
}

type lane struct {
	running *waiting
	waiting []waiting
}

type waiting struct {
	Job
	since time.Time
}

// Option sets what has a default.
type Option func(*Queue)

// WithWorkers sets how many jobs may run at a time, over all lanes. The
// default is 4. A parked job does not count.
func WithWorkers(n int) Option {
	return func(q *Queue) { q.free = max(n, 1) }
}

// WithOnChange sets a function that is called after any job began or ended. It
// must not block and must not call the queue.
func WithOnChange(fn func()) Option {
	return func(q *Queue) { q.onChange = fn }
}

// New makes a queue that runs nothing until Start.
func New(opts ...Option) *Queue {
	q := &Queue{free: 4, lanes: map[string]*lane{}, onChange: func() {}, bell: make(chan struct{}, 1)}
	for _, opt := range opts {
		opt(q)
	}
	return q
}

// Start runs jobs until ctx ends; then it begins no other and returns when
// the running ones have ended. It may be called once.
func (q *Queue) Start(ctx context.Context) error {
	var jobs sync.WaitGroup
	defer jobs.Wait()
	stop := ctx.Done()
	for {
		for _, begin := range q.dispatch(ctx.Err() == nil) {
			jobs.Go(func() { q.work(context.WithoutCancel(ctx), begin.lane, begin.job) })
		}
		if ctx.Err() != nil && q.idle() {
			return nil
		}
		select {
		case <-stop:
			stop = nil
		case <-q.bell:
		}
	}
}

func (q *Queue) ring() {
	select {
	case q.bell <- struct{}{}:
	default:
	}
}

func (q *Queue) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.running == 0
}

// Replace sets the waiting jobs of a lane, in order. The running job is not
// interrupted, and a job with its ID is left out: whoever is told of its end
// decides anew. A job that waited already keeps the time it began to wait.
// Replacing with the same jobs is harmless.
func (q *Queue) Replace(name string, jobs []Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[name]
	if l == nil {
		l = &lane{}
	}
	since := make(map[string]time.Time, len(l.waiting))
	for _, w := range l.waiting {
		since[w.ID] = w.since
	}
	now := time.Now()
	next := make([]waiting, 0, len(jobs))
	for _, j := range jobs {
		if l.running != nil && l.running.ID == j.ID {
			continue
		}
		w := waiting{Job: j, since: now}
		if before, ok := since[j.ID]; ok {
			w.since = before
		}
		next = append(next, w)
	}
	l.waiting = next
	q.settle(name, l)
	q.ring()
}

// Lanes lists the lanes that have a running or waiting job.
func (q *Queue) Lanes() map[string]Lane {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make(map[string]Lane, len(q.lanes))
	for name, l := range q.lanes {
		var seen Lane
		if l.running != nil {
			seen.Running = &Entry{ID: l.running.ID, Since: l.running.since}
		}
		for _, w := range l.waiting {
			seen.Waiting = append(seen.Waiting, Entry{ID: w.ID, Since: w.since})
		}
		out[name] = seen
	}
	return out
}

// Park gives the caller's place among the workers away while wait runs, and
// takes one again after it. Only a running job may call it. Its lane stays taken.
func (q *Queue) Park(wait func() error) error {
	q.mu.Lock()
	q.free++
	q.parked++
	q.mu.Unlock()
	q.ring()

	err := wait()

	resume := make(chan struct{})
	q.mu.Lock()
	q.resuming = append(q.resuming, resume)
	q.mu.Unlock()
	q.ring()
	<-resume
	return err
}

// settle puts a lane where it belongs. The caller holds mu.
func (q *Queue) settle(name string, l *lane) {
	switch {
	case l.running == nil && len(l.waiting) == 0:
		delete(q.lanes, name)
		q.ready = slices.DeleteFunc(q.ready, func(r string) bool { return r == name })
		return
	case l.running == nil && !slices.Contains(q.ready, name):
		q.ready = append(q.ready, name)
	}
	q.lanes[name] = l
}

// start is a job that has its place and is to be begun.
type start struct {
	lane string
	job  Job
}

// dispatch fills the free places: with parked jobs that are back, and with new
// ones if those may begin.
func (q *Queue) dispatch(begin bool) []start {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.free > 0 && len(q.resuming) > 0 {
		q.free--
		q.parked--
		close(q.resuming[0])
		q.resuming = q.resuming[1:]
	}
	var out []start
	for begin && q.free > 0 && len(q.ready) > 0 {
		name := q.ready[0]
		q.ready = q.ready[1:]
		l := q.lanes[name]
		job := l.waiting[0]
		job.since = time.Now()
		l.running, l.waiting = &job, l.waiting[1:]
		q.free--
		q.running++
		out = append(out, start{lane: name, job: job.Job})
	}
	return out
}

func (q *Queue) work(ctx context.Context, name string, job Job) {
	q.onChange()
	job.Done(run(ctx, job))

	q.mu.Lock()
	l := q.lanes[name]
	l.running = nil
	q.free++
	q.running--
	q.settle(name, l)
	q.mu.Unlock()
	q.ring()
	q.onChange()
}

// run is the one place that recovers: a panic is that job's outcome.
func run(ctx context.Context, job Job) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the operation panicked; the log of the operator has the stack")
			log.FromContext(ctx).Error(err, "job panicked", "job", job.ID, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		}
	}()
	return job.Run(ctx)
}
