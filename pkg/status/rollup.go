package status

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	// Desired are the tenancies of the spec; none when everything shall go.
	Desired []tenancy.Tenancy
	// Observed are the releases of this Controller.
	Observed []tenancy.Observed
	Work     map[tenancy.Key]Work
	// WasReady is the revision in which each release was last seen ready.
	WasReady map[tenancy.Key]int32
	// Objects is what lives in each namespace; a namespace that is missing is
	// not known yet.
	Objects map[string]Objects
	Nodes   Nodes
}

// Rollup makes a status of the facts. Conditions that did not change keep
// their time from before.
func Rollup(before []metav1.Condition, facts Facts) v1alpha1.ControllerStatus {
	r := newRollup(facts)
	out := v1alpha1.ControllerStatus{ObservedGeneration: facts.Generation, Summary: &v1alpha1.Summary{}}
	for _, t := range facts.Desired {
		out.Tenancies = append(out.Tenancies, r.tenancy(t))
	}
	out.Tenancies = append(out.Tenancies, r.leaving()...)
	for _, t := range out.Tenancies {
		count(out.Summary, t)
	}
	out.Display = display(out.Summary)
	out.Conditions = slices.Clone(before)
	for _, c := range conditions(r, out) {
		c.ObservedGeneration = facts.Generation
		meta.SetStatusCondition(&out.Conditions, c)
	}
	return out
}

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
			inv = take(objects, r.Nodes)
			taken[ns] = inv
		}
		row := r.desired(rel, false, inv, known)
		return row.Ready, whyRelease(row.ReleaseStatus)
	}
}

func newRollup(facts Facts) *rollup {
	r := &rollup{Facts: facts, observed: make(map[tenancy.Key]tenancy.Observed, len(facts.Observed))}
	for _, o := range facts.Observed {
		r.observed[o.Key] = o
	}
	return r
}

type rollup struct {
	Facts
	observed map[tenancy.Key]tenancy.Observed
	// removalsHeld says why removals are held; empty when none is.
	removalsHeld string
	// givenUp are the releases whose retries are spent, a line for each.
	givenUp []string
	// wrong counts the releases whose spec must be mended first, and broken are the
	// tenancies of which not even their releases are known, a line for each.
	wrong  int
	broken []string
}

// tenancy is the state of a tenancy of the spec: its releases in order, then
// those that are going.
func (r *rollup) tenancy(t tenancy.Tenancy) v1alpha1.TenancyEntry {
	objects, known := r.Objects[t.Namespace]
	inv := take(objects, r.Nodes)
	wanted := map[string]bool{}
	var rows []row
	for _, rel := range t.Releases {
		wanted[rel.Key.Name] = true
		rows = append(rows, r.desired(rel, t.Suspended, inv, known))
	}
	for _, o := range r.going(t.Namespace, wanted) {
		if t.Err != nil {
			rows = append(rows, r.kept(o, inv))
			continue
		}
		rows = append(rows, r.unwanted(o, inv))
	}
	out := v1alpha1.TenancyEntry{Namespace: t.Namespace}
	out.Phase, out.Message = verdict(rows, t.Suspended)
	if t.Err != nil {
		out.Phase, out.Message = v1alpha1.TenancyDegraded, tenancy.Message(t.Err)
	}
	if t.Err != nil && len(t.Releases) == 0 {
		r.broken = append(r.broken, fmt.Sprintf("tenancy %s: %s", t.Namespace, out.Message))
		r.wrong++
	}
	for _, row := range rows {
		out.Releases = append(out.Releases, row.ReleaseStatus)
	}
	return out
}

// leaving is the state of the tenancies that are no longer in the spec.
func (r *rollup) leaving() []v1alpha1.TenancyEntry {
	wanted := map[string]bool{}
	for _, t := range r.Desired {
		wanted[t.Namespace] = true
	}
	var names []string
	for _, o := range r.Observed {
		if !wanted[o.Key.Namespace] {
			names = append(names, o.Key.Namespace)
		}
	}
	slices.Sort(names)
	var out []v1alpha1.TenancyEntry
	for _, ns := range slices.Compact(names) {
		inv := take(r.Objects[ns], r.Nodes)
		t := v1alpha1.TenancyEntry{
			Namespace: ns, Phase: v1alpha1.TenancyTerminating, Message: "its releases are being uninstalled",
		}
		for _, o := range r.going(ns, nil) {
			row := r.unwanted(o, inv)
			t.Releases = append(t.Releases, row.ReleaseStatus)
			if row.degraded {
				t.Message = row.Message
			}
		}
		out = append(out, t)
	}
	return out
}

// going lists the releases of a namespace that are not wanted, in the order
// they were wanted in.
func (r *rollup) going(namespace string, wanted map[string]bool) []tenancy.Observed {
	var out []tenancy.Observed
	for _, o := range r.Observed {
		if o.Key.Namespace == namespace && !wanted[o.Key.Name] {
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

func count(s *v1alpha1.Summary, t v1alpha1.TenancyEntry) {
	allReady := t.Phase != v1alpha1.TenancyTerminating && t.Phase != v1alpha1.TenancyDegraded
	for _, rel := range t.Releases {
		allReady = allReady && rel.Ready
		s.Releases.Total++
		s.Releases.Ready += one(rel.Ready)
		s.Releases.Failed += one(rel.Phase == v1alpha1.ReleaseFailed)
		for _, w := range rel.Workloads {
			s.Workloads.Total++
			s.Workloads.Ready += one(w.Ready >= w.Desired && w.Available >= w.Desired)
		}
		for _, p := range rel.Pods {
			s.Pods.Total++
			s.Pods.Ready += one(p.Ready)
		}
	}
	s.Tenancies.Total++
	s.Tenancies.Ready += one(allReady)
}

func one(yes bool) int32 {
	if yes {
		return 1
	}
	return 0
}

func display(s *v1alpha1.Summary) *v1alpha1.Display {
	of := func(ready, total int32) string { return fmt.Sprintf("%d/%d", ready, total) }
	return &v1alpha1.Display{
		Releases:  of(s.Releases.Ready, s.Releases.Total),
		Workloads: of(s.Workloads.Ready, s.Workloads.Total),
		Pods:      of(s.Pods.Ready, s.Pods.Total),
	}
}
