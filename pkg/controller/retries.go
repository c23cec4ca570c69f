package controller

import (
	"fmt"
	"math/rand/v2"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// firstRetry and lastRetry bound the wait after a failure; it doubles from the one
// to the other.
const (
	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
)

// protectPace is the least time between two times that the guardrails of a tenancy are
// put in place.
const protectPace = time.Second

// tries is how often something was tried.
type tries struct {
	// attempt is what was tried last; failures counts how often in a row it failed.
	attempt  string
	failures int
	failure  string
	retryAt  time.Time
	// passing says that the last failure was no fault of the release's.
	passing bool
	// most is how many failures end it; -1 for never.
	most int
}

// spent says that it is not tried again.
func (t *tries) spent() bool { return t.most >= 0 && t.failures > t.most }

// count notes how a step ended.
func (t *tries) count(step plan.Step, err error, now time.Time) {
	if t.attempt != attempt(step) {
		*t = tries{attempt: attempt(step)}
	}
	t.most = retries(step)
	if err == nil {
		*t = tries{attempt: t.attempt}
		return
	}
	t.failure, t.passing = tenancy.Message(err), tenancy.Passing(err)
	if t.passing { // the wait does not grow
		t.retryAt = now.Add(backoff(1))
		return
	}
	t.failures++
	t.retryAt = now.Add(backoff(t.failures))
}

// retries is how often a step that failed is tried again; -1 for always.
func retries(step plan.Step) int {
	switch step.Action {
	case plan.Install, plan.Upgrade, plan.Recover:
		if step.Release.OnFailure == v1alpha1.FailureHold || step.Release.OnFailure == v1alpha1.FailureRollback {
			return 0
		}
		return step.Release.Retries
	case plan.Rollback:
		return step.Release.Retries
	}
	return -1
}

// attempt tells what a step tries, so that a changed spec is tried at once.
func attempt(step plan.Step) string {
	switch step.Action {
	case plan.Uninstall:
		return string(step.Action)
	case plan.Install, plan.Upgrade, plan.Recover:
		return wish(step.Release)
	case plan.Protect:
		return fmt.Sprintf("%s %p", step.Action, step.Guardrails)
	case plan.Correct:
		var objects []string
		for _, o := range step.Suspects {
			objects = append(objects, o.String()+" "+o.Namespace)
		}
		return fmt.Sprintf("%s %q", step.Action, objects)
	}
	return fmt.Sprintf("%s %s", step.Action, wish(step.Release))
}

// wish is all of a release that decides how an operation goes.
func wish(rel tenancy.Release) string {
	return fmt.Sprint(rel.Digest, rel.Timeout, rel.OnFailure, rel.Retries, rel.CRDs, rel.Adopt, rel.ServiceAccount, rel.ClusterKinds, rel.NetworkClosed)
}

func backoff(failures int) time.Duration {
	wait := lastRetry
	if failures < 8 {
		wait = min(firstRetry<<(failures-1), lastRetry)
	}
	// A tenth of jitter, so that what failed together is not tried together.
	return wait + time.Duration(rand.Int64N(int64(wait/10)))
}

// Due says how long a step must wait; 0 when it may run. A step that differs
// from what failed may run at once. given says that it is not tried again.
func (l *Ledger) Due(step plan.Step, now time.Time) (wait time.Duration, given bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(step.Key)
	t := &e.tries
	switch {
	case step.Action == plan.Protect:
		// What was put in place may not be seen yet, or somebody else changes it again and again.
		if wait = protectPace - now.Sub(e.free); wait > 0 && e.tries.failures == 0 {
			return wait, false
		}
	case !step.Action.Changes():
		t = &e.looks
	}
	if t.attempt != attempt(step) {
		return 0, false
	}
	t.most = retries(step)
	if t.spent() {
		return 0, true
	}
	return max(t.retryAt.Sub(now), 0), false
}

// Ask answers the annotations that ask to try again: when the value of one
// changed since the last time, what failed is due at once, also what was given up,
// and with reset-failures it counts as never tried.
func (l *Ledger) Ask(annotations map[string]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.asked
	l.asked = map[string]string{}
	for _, name := range []string{v1alpha1.AnnotationReconcileAt, v1alpha1.AnnotationResetFailures} {
		l.asked[name] = annotations[name]
		if before == nil || annotations[name] == before[name] {
			continue
		}
		for _, e := range l.entries {
			e.tries.retryAt, e.looks.retryAt = time.Time{}, time.Time{}
			if e.tries.spent() {
				e.tries.failures = e.tries.most
			}
			if name == v1alpha1.AnnotationResetFailures {
				e.tries.failures, e.reset = 0, true
			}
		}
	}
}

// Memory is what is remembered of how operations went.
type Memory struct {
	// Failures is how they failed; Passing those of them that were no fault of the
	// release's, and Waiting those that are not tried now, or not again.
	Failures map[tenancy.Key]string
	Passing  map[tenancy.Key]bool
	Waiting  map[tenancy.Key]bool
	// Reset are the releases whose failures are to be forgotten.
	Reset map[tenancy.Key]bool
}

// Memory tells what is remembered.
func (l *Ledger) Memory(now time.Time) Memory {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := Memory{
		Failures: map[tenancy.Key]string{}, Passing: map[tenancy.Key]bool{},
		Waiting: map[tenancy.Key]bool{}, Reset: map[tenancy.Key]bool{},
	}
	for key, e := range l.entries {
		if e.tries.failure != "" {
			m.Failures[key] = e.tries.failure
			m.Passing[key] = e.tries.passing
			m.Waiting[key] = e.tries.spent() || e.tries.retryAt.After(now)
		}
		if e.reset {
			m.Reset[key] = true
		}
	}
	return m
}
