package controller

import (
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// abandoned is how old a pending revision of somebody else's Helm is when nobody
// is believed to finish it any more.
const abandoned = 30 * time.Minute

// Overlay corrects what informers say by what operations are known to have
// left behind, until the informers have seen it. upTo is the resource version that
// they have come to; 0 when it is not known.
func (l *Ledger) Overlay(observed []tenancy.Observed, upTo uint64, now time.Time) []tenancy.Observed {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := make(map[tenancy.Key]bool, len(observed))
	out := make([]tenancy.Observed, 0, len(observed))
	for _, o := range observed {
		seen[o.Key] = true
		o.Interrupted = o.Interrupted || o.Phase.Locked() && now.Sub(o.Since) > abandoned
		if e := l.entries[o.Key]; e != nil {
			var exists bool
			if o, exists = e.correct(o, upTo, now); !exists {
				continue
			}
		}
		out = append(out, o)
	}
	for key, e := range l.entries {
		switch {
		case seen[key] || e.running.Changes():
		case e.outcome == nil:
			e.confirmed = true
		case e.unseen(upTo, now):
			out = append(out, *e.outcome)
		}
	}
	return out
}

// correct is what a record means after the last operation on its release.
func (e *entry) correct(o tenancy.Observed, upTo uint64, now time.Time) (tenancy.Observed, bool) {
	if e.tested.Revision == o.Revision && e.tested.Finished.After(o.Test.Finished) {
		o.Test = e.tested
	}
	if e.ended.IsZero() || e.running.Changes() {
		return o, true
	}
	switch {
	case !e.unseen(upTo, now):
	case e.gone >= o.Revision:
		return o, false
	case e.outcome == nil:
	case o.Revision < e.outcome.Revision, o.Revision == e.outcome.Revision && o.Phase.Locked():
		return *e.outcome, true
	default:
		e.confirmed = true
	}
	// Nobody works any more on what is locked since that operation.
	o.Interrupted = o.Interrupted || o.Phase.Locked() && !o.ByHand && o.Revision <= e.dead
	return o, true
}

// unseen says that the informers may not yet know what the last operation did. After
// an outage they can be behind for long.
func (e *entry) unseen(upTo uint64, now time.Time) bool {
	age := now.Sub(e.ended)
	behind := upTo > 0 && e.at > upTo && age < mostLag
	return !e.confirmed && (age < lag || behind)
}

// outcome is the record a step must have left behind; nil for none.
func outcome(controller string, step plan.Step, applied tenancy.Applied, now time.Time) *tenancy.Observed {
	if applied.Revision == 0 {
		return nil
	}
	o := &tenancy.Observed{
		Key: step.Key, Revision: applied.Revision, Phase: applied.Phase,
		Controller: controller, Digest: step.Release.Digest,
		Chart: step.Release.Chart.Name, ChartVersion: step.Release.Chart.Version,
		ChartDigest: tenancy.ChartLabel(step.Release.Chart.Digest),
		Position:    step.Release.Position, Since: now, Settled: now,
		Interrupted: applied.Phase.Locked(),
		Objects:     applied.Objects, Test: step.Release.Test, ServiceAccount: step.Release.ServiceAccount,
	}
	if step.Action == plan.Rollback {
		// Which state it is again is on the record; until that is seen, it is not the
		// one that failed.
		o.Digest, o.Chart, o.ChartVersion, o.ChartDigest = "", "", "", ""
		o.FailedDigest, o.Cause, o.Good = step.Release.Digest, step.Reason, step.To
	}
	return o
}
