package controller

import (
	"sync"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// lag is how long the outcome of an operation is believed over informers that have
// not seen it yet.
const lag = 10 * time.Second

// mostLag is how long it is believed over informers that are known to be behind.
const mostLag = 5 * time.Minute

// Ledger remembers how operations went. What it knows ends with the process:
// whatever must outlive it is in Helm's storage.
type Ledger struct {
	// onChange is called when what View tells is different for another reason
	// than that a job began or ended. It must not block.
	onChange func()

	mu      sync.Mutex
	entries map[tenancy.Key]*entry
	waiting bool
	// asked are the values of the annotations that were answered last.
	asked map[string]string
}

type entry struct {
	running plan.Action
	// next is what the last plan has for the release.
	next plan.Action
	// held is the verdict of a release that is held or waits for somebody else.
	held plan.Step

	// tries are those of making and removing revisions, looks those of anything else.
	tries, looks tries
	// reset says that a person wants the failures forgotten, until the next operation
	// that makes or removes a revision.
	reset bool

	// free is when the last operation ended, and ended when the last one did that makes or removes a revision, and
	// outcome the record it left behind; nil for none. gone is the latest revision
	// that it removed. confirmed says that the informers have seen either.
	free      time.Time
	ended     time.Time
	outcome   *tenancy.Observed
	gone      int
	confirmed bool
	// at is the resource version of what it wrote last.
	at uint64
	// dead is the latest revision that an operation which failed may have locked:
	// it may have written more than it was told.
	dead int

	checks checks
	// tested is the outcome of the last test; the informers may not have seen it.
	tested tenancy.Test
}

// NewLedger makes an empty ledger.
func NewLedger(onChange func()) *Ledger {
	return &Ledger{onChange: onChange, entries: map[tenancy.Key]*entry{}}
}

func (l *Ledger) entry(key tenancy.Key) *entry {
	e := l.entries[key]
	if e == nil {
		e = &entry{}
		l.entries[key] = e
	}
	return e
}

// Decide notes the verdicts of a pass, and whether releases are watched for
// becoming ready. A release without a step is as it should be: how it failed
// before is forgotten.
func (l *Ledger) Decide(steps []plan.Step, probation bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	decided := make(map[tenancy.Key]plan.Step, len(steps))
	l.waiting = probation
	for _, step := range steps {
		l.waiting = l.waiting || step.Action == plan.Wait
		decided[step.Key] = step
		l.entry(step.Key)
	}
	for key, e := range l.entries {
		step, has := decided[key]
		held, failure := e.held, e.tries.failure
		if e.decide(step, has, now) {
			delete(l.entries, key)
		}
		if e.held.Action != held.Action || e.held.Reason != held.Reason || e.tries.failure != failure {
			l.onChange()
		}
	}
}

// decide notes the verdict on one release, and says that there is nothing left to
// remember of it.
func (e *entry) decide(step plan.Step, has bool, now time.Time) (over bool) {
	e.held, e.next = plan.Step{}, step.Action
	switch {
	case has && !step.Action.Runs():
		e.held = step
	case has && step.Held != "":
		e.held = plan.Step{Action: plan.Hold, Key: step.Key, Reason: step.Held}
	case has || e.running != plan.None:
	case e.outcome == nil && now.Sub(e.ended) > lag && e.checks.empty():
		return true
	default:
		e.tries, e.looks = tries{}, tries{}
	}
	return false
}

// Waiting says that a plan depends on how pods are: a release waits for another
// one, or is watched for becoming ready.
func (l *Ledger) Waiting() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting
}

// Empty says that nothing is remembered of any release.
func (l *Ledger) Empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries) == 0
}

// Begin notes that a step runs. It refuses one that was planned before the last
// operation on its release ended: it was decided on what is no longer so.
func (l *Ledger) Begin(step plan.Step, planned time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(step.Key)
	if e.free.After(planned) {
		return false
	}
	e.running = step.Action
	return true
}

// End notes how a step ended.
func (l *Ledger) End(controller string, step plan.Step, applied tenancy.Applied, err error, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(step.Key)
	e.running, e.next = plan.None, plan.None
	e.free = now
	if step.Action == plan.Protect {
		e.tries.count(step, err, now)
		return
	}
	if !step.Action.Changes() {
		e.looks.count(step, err, now)
		e.checks.note(step, applied, err, now)
		if err == nil && step.Action == plan.Test {
			e.tested = applied.Test
		}
		return
	}
	e.tries.count(step, err, now)
	e.checks, e.reset = checks{}, false
	e.ended, e.at = now, applied.At
	e.outcome, e.gone, e.confirmed, e.dead = outcome(controller, step, applied, now), 0, false, 0
	switch {
	case err != nil:
		e.dead = step.Revision + 1
	case step.Action == plan.Uninstall:
		e.outcome, e.gone = nil, step.Revision
	}
}
