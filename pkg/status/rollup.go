package status

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Work is what is under way, or went wrong, with a release.
type Work struct {
	// Phase is Queued, Waiting, Held, Installing, Upgrading or Uninstalling;
	// empty when nothing is under way.
	Phase v1alpha1.ReleasePhase
	// Reason says why it waits or is held.
	Reason string
	// Failure is how the last operation failed; empty when it did not. Tries is how
	// often in a row that was, and GivenUp says that it is not tried again.
	Failure string
	Tries   int
	GivenUp bool
	// Drift says what somebody else changed and is not put back; empty for nothing.
	Drift string
	// Testing says that the tests of the release run.
	Testing bool
}

// Facts is everything Rollup needs to know.
type Facts struct {
	Now        time.Time
	Generation int64
	Deleting   bool
	Suspended  bool
	// Desired are the tenancies of the spec; none when everything shall go. What they
	// hold does not change: a tenancy that does is made anew, with its releases.
	Desired []tenancy.Tenancy
	// Observed are the releases of this Controller.
	Observed []tenancy.Observed
	Work     map[tenancy.Key]Work
	// Guardrails are how those of each namespace stand that has any.
	Guardrails map[string][]v1alpha1.GuardrailStatus
	// WasReady is the revision in which each release was last seen ready.
	WasReady map[tenancy.Key]int32
	// Objects is what lives in each namespace; a namespace that is missing is
	// not known yet.
	Objects map[string]Objects
	Nodes   Nodes
}

// Rolled is the state of every tenancy with all its detail.
type Rolled struct {
	// Tenancies are those of the spec in its order, then those that are going.
	Tenancies []*Standing

	generation int64
	deleting   bool
	suspended  bool
}

// Rollup sums the facts up.
func Rollup(facts Facts) Rolled { return new(Memory).Rollup(facts) }

// Judge makes a test of whether a release is deployed as it is desired and ready,
// and if not why, as Rollup would say.
func Judge(facts Facts) func(tenancy.Release) (ready bool, why string) {
	r := newRollup(facts)
	taken := map[string]inventory{}
	return func(rel tenancy.Release) (bool, string) {
		ns := rel.Key.Namespace
		objects, known := r.Objects[ns]
		inv, done := taken[ns]
		if !done {
			inv = take(objects, r.Nodes, r.Now)
			taken[ns] = inv
		}
		row := r.desired(rel, false, inv, known)
		return row.Ready, whyRelease(row.ReleaseStatus)
	}
}

func newRollup(facts Facts) *rollup {
	r := &rollup{Facts: facts, observed: map[string][]tenancy.Observed{}}
	for _, o := range facts.Observed {
		r.observed[o.Key.Namespace] = append(r.observed[o.Key.Namespace], o)
	}
	for _, all := range r.observed {
		slices.SortFunc(all, func(a, b tenancy.Observed) int { return cmp.Compare(a.Key.Name, b.Key.Name) })
	}
	return r
}

type rollup struct {
	Facts
	observed map[string][]tenancy.Observed // by namespace
}

// find looks for what is observed of a release.
func (r *rollup) find(key tenancy.Key) (o tenancy.Observed, exists bool) {
	i := slices.IndexFunc(r.observed[key.Namespace], func(o tenancy.Observed) bool { return o.Key == key })
	if i < 0 {
		return o, false
	}
	return r.observed[key.Namespace][i], true
}

// tenancy is the state of a tenancy of the spec: its releases in order, then
// those that are going.
func (r *rollup) tenancy(t tenancy.Tenancy) *Standing {
	objects, known := r.Objects[t.Namespace]
	inv := take(objects, r.Nodes, r.Now)
	wanted := map[string]bool{}
	out := Standing{Namespace: t.Namespace}
	for _, rel := range t.Releases {
		wanted[rel.Key.Name] = true
		out.rows = append(out.rows, r.desired(rel, t.Suspended, inv, known))
	}
	for _, o := range r.going(t.Namespace, wanted) {
		if t.Err != nil {
			out.rows = append(out.rows, r.kept(o, inv))
			continue
		}
		out.rows = append(out.rows, r.unwanted(o, inv))
	}
	out.phase, out.message = verdict(out.rows, t.Suspended)
	if t.Err != nil {
		out.phase, out.message = v1alpha1.TenancyDegraded, tenancy.Message(t.Err)
		out.broken = len(t.Releases) == 0
	}
	out.guard(r.Guardrails[t.Namespace], r.Work[tenancy.GuardrailsKey(t.Namespace)].Failure)
	return out.sum()
}

// leaving is the state of the tenancies that are no longer in the spec.
func (r *rollup) leaving() []*Standing {
	wanted := map[string]bool{}
	for _, t := range r.Desired {
		wanted[t.Namespace] = true
	}
	var out []*Standing
	for _, ns := range slices.Sorted(maps.Keys(r.observed)) {
		if wanted[ns] {
			continue
		}
		inv := take(r.Objects[ns], r.Nodes, r.Now)
		t := Standing{Namespace: ns, phase: v1alpha1.TenancyTerminating, message: "its releases are being uninstalled"}
		for _, o := range r.going(ns, nil) {
			row := r.unwanted(o, inv)
			t.rows = append(t.rows, row)
			if row.degraded {
				t.message = row.Message
			}
		}
		out = append(out, t.sum())
	}
	return out
}

// going lists the releases of a namespace that are not wanted, in the order
// they were wanted in.
func (r *rollup) going(namespace string, wanted map[string]bool) []tenancy.Observed {
	var out []tenancy.Observed
	for _, o := range r.observed[namespace] {
		if !wanted[o.Key.Name] {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b tenancy.Observed) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Key.Name, b.Key.Name))
	})
	return out
}

// verdict sums the releases of a tenancy up.
func verdict(rows []row, suspended bool) (v1alpha1.TenancyPhase, string) {
	phase, message := v1alpha1.TenancyReady, ""
	for _, row := range rows {
		switch {
		case row.Ready:
		case row.degraded && phase != v1alpha1.TenancyDegraded:
			phase, message = v1alpha1.TenancyDegraded, about(row)
		case phase == v1alpha1.TenancyReady:
			phase, message = v1alpha1.TenancyProgressing, about(row)
		}
	}
	if suspended {
		return v1alpha1.TenancySuspended, message
	}
	return phase, message
}

func about(r row) string {
	if r.Message == "" {
		return fmt.Sprintf("release %s is %s", r.Name, r.Phase)
	}
	return tenancy.Line(fmt.Sprintf("release %s: %s", r.Name, r.Message))
}
