package controller

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// An object that somebody changes back more than mostCorrections times in
// correctionsIn is left to them until that time is over: two that correct each
// other would never end.
const (
	mostCorrections = 5
	correctionsIn   = 10 * time.Minute
)

// checks is what looking for drift has found in the revision of a release.
type checks struct {
	revision int
	// policy is what was to follow a difference.
	policy v1alpha1.DriftPolicy
	// looked is how each object that was touched looked when it was checked.
	looked map[tenancy.Object]tenancy.Object
	// corrected is when objects were put back.
	corrected map[tenancy.Object][]time.Time
	// drift says what differs and is not put back; empty for nothing.
	drift string
	// found is what differs, by object.
	found map[tenancy.Object]finding
}

// finding is what differs of an object, and when that was seen.
type finding struct {
	says string
	at   time.Time
}

func (c *checks) empty() bool { return len(c.looked) == 0 }

// note keeps what a check found.
func (c *checks) note(step plan.Step, applied tenancy.Applied, err error, now time.Time) {
	if step.Action != plan.Correct {
		return
	}
	if !c.of(step.Revision, step.Release.Drift) {
		*c = checks{
			revision: step.Revision, policy: step.Release.Drift, looked: map[tenancy.Object]tenancy.Object{},
			corrected: map[tenancy.Object][]time.Time{}, found: map[tenancy.Object]finding{},
		}
	}
	looked := applied.Objects
	if err == nil {
		// What the check did not come upon is no longer the chart's.
		looked = slices.Concat(step.Suspects, looked)
	}
	for _, object := range looked {
		c.looked[object.ID()] = object
		delete(c.found, object.ID())
	}
	for _, d := range applied.Drifts {
		id := d.Object.ID()
		if d.Corrected {
			c.corrected[id] = append(c.recent(id, now), now)
			continue
		}
		says := d.String()
		if len(c.recent(id, now)) >= mostCorrections {
			says += fmt.Sprintf(" (put back %d times, and changed again each time: stop who does it, or set drift: Ignore)", mostCorrections)
		}
		c.found[id] = finding{says: says, at: now}
	}
	c.drift = c.told()
	if err != nil {
		c.drift = tenancy.Message(err)
	}
}

// of says that this is about a revision, and what was found is told or put back as
// it should be.
func (c *checks) of(revision int, policy v1alpha1.DriftPolicy) bool {
	return c.looked != nil && c.revision == revision && c.policy == policy
}

// told is what differs, in one line.
func (c *checks) told() string {
	var lines []string
	for _, f := range c.found {
		lines = append(lines, f.says)
	}
	slices.Sort(lines)
	return tenancy.Line(strings.Join(lines, "; "))
}

// stale says that an object differed, and that this was so long ago that it is to
// be looked at again: it may be put back again, or no longer differ unseen.
func (c *checks) stale(id tenancy.Object, now time.Time) bool {
	f, differs := c.found[id]
	return differs && now.Sub(f.at) > correctionsIn
}

// recent is when an object was put back of late.
func (c *checks) recent(id tenancy.Object, now time.Time) []time.Time {
	all := c.corrected[id]
	for len(all) > 0 && now.Sub(all[0]) > correctionsIn {
		all = all[1:]
	}
	return all
}

// Touched lists the objects of a release that do not look as the operator left or
// last saw them, as they look now, and those that differed long ago. look tells how
// they look, if it is known. With another policy than before all are looked at anew.
func (l *Ledger) Touched(o tenancy.Observed, policy v1alpha1.DriftPolicy, look func(tenancy.Object) (tenancy.Object, bool), at time.Time) []tenancy.Object {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[o.Key]
	var out []tenancy.Object
	for _, object := range o.Objects {
		again := false
		if e != nil && e.checks.of(o.Revision, policy) {
			if looked, has := e.checks.looked[object.ID()]; has {
				object = looked
			}
			again = e.checks.stale(object.ID(), at)
		}
		if now, known := look(object); known && (again || now.Mark != object.Mark) {
			out = append(out, now)
		}
	}
	return out
}

// Drift is what is known to differ in a release and is not put back.
func (l *Ledger) Drift(key tenancy.Key) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[key]; e != nil {
		return e.checks.drift
	}
	return ""
}

// MayCorrect says whether an object of a release is to be put back when it differs.
func (l *Ledger) MayCorrect(rel tenancy.Release, object tenancy.Object, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[rel.Key]
	return (rel.Drift == v1alpha1.DriftCorrect || rel.Drift == "") &&
		(e == nil || len(e.checks.recent(object.ID(), now)) < mostCorrections)
}
