package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
)

// recorder notes what jobs did, in order.
type recorder struct {
	mu  sync.Mutex
	log []string
}

func (r *recorder) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, fmt.Sprintf(format, args...))
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.log
	r.log = nil
	return out
}

// job notes its begin, and its end when gate lets it go; a nil gate is open.
func (r *recorder) job(id string, gate <-chan struct{}) queue.Job {
	return queue.Job{
		ID: id,
		Run: func(context.Context) error {
			r.add("%s begins", id)
			if gate != nil {
				<-gate
			}
			return nil
		},
		Done: func(err error) {
			if err != nil {
				r.add("%s fails", id)
				return
			}
			r.add("%s ends", id)
		},
	}
}

// start runs a queue until the test is over.
func start(t *testing.T, q *queue.Queue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.Start(ctx) }()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Start() = %v", err)
		}
	}
}

func TestLaneRunsOneAtATimeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, gate := &recorder{}, make(chan struct{})
		q := queue.New(queue.WithWorkers(8))
		q.Replace("a", []queue.Job{r.job("1", gate), r.job("2", nil), r.job("3", nil)})
		stop := start(t, q)
		if diff := cmp.Diff([]string{"1 begins"}, r.take()); diff != "" {
			t.Errorf("while 1 runs (-want +got):\n%s", diff)
		}
		close(gate)
		synctest.Wait()
		want := []string{"1 ends", "2 begins", "2 ends", "3 begins", "3 ends"}
		if diff := cmp.Diff(want, r.take()); diff != "" {
			t.Errorf("after 1 (-want +got):\n%s", diff)
		}
		stop()
		if lanes := q.Lanes(); len(lanes) != 0 {
			t.Errorf("Lanes() = %v, want none", lanes)
		}
	})
}

func TestReplaceKeepsTheRunningJobAndTheTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, gate := &recorder{}, make(chan struct{})
		q := queue.New()
		stop := start(t, q)
		q.Replace("a", []queue.Job{r.job("1", gate), r.job("2", nil), r.job("3", nil)})
		synctest.Wait()
		before := q.Lanes()["a"]
		q.Replace("a", []queue.Job{r.job("1", nil), r.job("3", nil), r.job("4", nil)})
		after := q.Lanes()["a"]
		if after.Running == nil || after.Running.ID != "1" {
			t.Fatalf("Lanes() = %+v, want 1 running", after)
		}
		if len(after.Waiting) != 2 || after.Waiting[0] != before.Waiting[1] || after.Waiting[1].ID != "4" {
			t.Errorf("Waiting = %v, want 3 since %v and 4", after.Waiting, before.Waiting[1].Since)
		}
		close(gate)
		synctest.Wait()
		want := []string{"1 begins", "1 ends", "3 begins", "3 ends", "4 begins", "4 ends"}
		if diff := cmp.Diff(want, r.take()); diff != "" {
			t.Errorf("jobs (-want +got):\n%s", diff)
		}
		stop()
	})
}

func TestLanesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		q := queue.New(queue.WithWorkers(1))
		q.Replace("noisy", []queue.Job{r.job("n1", nil), r.job("n2", nil), r.job("n3", nil)})
		q.Replace("quiet", []queue.Job{r.job("q1", nil)})
		stop := start(t, q)
		synctest.Wait()
		want := []string{"n1 begins", "n1 ends", "q1 begins", "q1 ends", "n2 begins", "n2 ends", "n3 begins", "n3 ends"}
		if diff := cmp.Diff(want, r.take()); diff != "" {
			t.Errorf("jobs (-want +got):\n%s", diff)
		}
		stop()
	})
}

func TestWorkersBoundWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, gate := &recorder{}, make(chan struct{})
		q := queue.New(queue.WithWorkers(2))
		for _, lane := range []string{"a", "b", "c"} {
			q.Replace(lane, []queue.Job{r.job(lane, gate)})
		}
		stop := start(t, q)
		if got := len(r.take()); got != 2 {
			t.Errorf("%d jobs run, want 2", got)
		}
		close(gate)
		stop()
	})
}

func TestParkedJobLeavesItsPlaceToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, gate := &recorder{}, make(chan struct{})
		q := queue.New(queue.WithWorkers(1))
		errBoom := errors.New("boom")
		q.Replace("slow", []queue.Job{{
			ID: "hook",
			Run: func(context.Context) error {
				return q.Park(func() error { <-gate; return errBoom })
			},
			Done: func(err error) { r.add("hook ends with %v", err) },
		}, r.job("behind", nil)})
		stop := start(t, q)
		q.Replace("other", []queue.Job{r.job("other", nil)})
		synctest.Wait()
		if diff := cmp.Diff([]string{"other begins", "other ends"}, r.take()); diff != "" {
			t.Errorf("while the hook is parked (-want +got):\n%s", diff)
		}
		time.Sleep(time.Minute) // of the bubble's clock
		want := queue.Load{Lanes: 1, Running: 1, Parked: 1, Waiting: 1, Oldest: time.Minute}
		if diff := cmp.Diff(want, q.Load()); diff != "" {
			t.Errorf("Load() (-want +got):\n%s", diff)
		}
		close(gate)
		synctest.Wait()
		if diff := cmp.Diff([]string{"hook ends with boom", "behind begins", "behind ends"}, r.take()); diff != "" {
			t.Errorf("after the hook (-want +got):\n%s", diff)
		}
		if load := q.Load(); load != (queue.Load{}) {
			t.Errorf("Load() = %v, want none", load)
		}
		stop()
	})
}

func TestPanicIsTheJobsOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		q := queue.New(queue.WithWorkers(1))
		bad := r.job("bad", nil)
		bad.Run = func(context.Context) error { panic("boom") }
		q.Replace("a", []queue.Job{bad, r.job("good", nil)})
		stop := start(t, q)
		synctest.Wait()
		if diff := cmp.Diff([]string{"bad fails", "good begins", "good ends"}, r.take()); diff != "" {
			t.Errorf("jobs (-want +got):\n%s", diff)
		}
		stop()
	})
}

func TestStopLetsTheRunningJobFinishAndBeginsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, gate := &recorder{}, make(chan struct{})
		q := queue.New()
		q.Replace("a", []queue.Job{{
			ID: "1",
			Run: func(ctx context.Context) error {
				<-gate
				return ctx.Err()
			},
			Done: func(err error) { r.add("1 ends with %v", err) },
		}, r.job("2", nil)})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { _ = q.Start(ctx); close(ended) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		select {
		case <-ended:
			t.Fatal("Start returned while a job ran")
		default:
		}
		close(gate)
		<-ended
		if diff := cmp.Diff([]string{"1 ends with <nil>"}, r.take()); diff != "" {
			t.Errorf("jobs (-want +got):\n%s", diff)
		}
	})
}

func TestOnChangeTellsOfBeginAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		changes := 0
		q := queue.New(queue.WithOnChange(func() { mu.Lock(); changes++; mu.Unlock() }))
		r := &recorder{}
		q.Replace("a", []queue.Job{r.job("1", nil)})
		stop := start(t, q)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if changes != 2 {
			t.Errorf("%d changes, want 2", changes)
		}
		stop()
	})
}
