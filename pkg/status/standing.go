package status

import (
	"fmt"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Standing is how one tenancy stands. It does not change: one that is told twice is the
// same as before.
type Standing struct {
	Namespace string

	phase   v1alpha1.TenancyPhase
	message string
	rows    []row
	// broken: not even its releases are known, and message says why.
	broken bool

	guardrails []v1alpha1.GuardrailStatus
	// open says which guardrails are not in place; empty when all are. exposed: they could
	// not be put there.
	open    string
	exposed bool

	// What follows from the rows.
	releases []v1alpha1.ReleaseStatus
	summary  v1alpha1.TenancySummary
	size     func() int // of the entry
}

// sum finishes one whose rows are known.
func (s *Standing) sum() *Standing {
	for _, rel := range s.rows {
		s.releases = append(s.releases, rel.ReleaseStatus)
		s.summary.Releases.Total++
		s.summary.Releases.Ready += one(rel.Ready)
		s.summary.Releases.Failed += one(rel.Phase == v1alpha1.ReleaseFailed)
		for _, w := range rel.Workloads {
			add(&s.summary.Workloads, v1alpha1.Count{Total: 1, Ready: one(w.Ready >= w.Desired && w.Available >= w.Desired)})
		}
		for _, p := range rel.Pods {
			add(&s.summary.Pods, v1alpha1.Count{Total: 1, Ready: one(p.Ready)})
		}
	}
	s.size = sync.OnceValue(func() int { return size(s.entry()) })
	return s
}

// guard takes in how the guardrails stand, and how putting them in place failed.
func (s *Standing) guard(all []v1alpha1.GuardrailStatus, failure string) {
	s.guardrails, s.exposed = all, failure != ""
	for _, g := range all {
		if !g.Ready && s.open == "" {
			s.open = fmt.Sprintf("guardrail %s %s %s", g.Kind, g.Name, g.Message)
		}
	}
	if s.exposed {
		s.open = tenancy.Line(failure)
	}
	switch {
	case s.open == "" || s.phase == v1alpha1.TenancySuspended:
	case s.exposed:
		s.phase, s.message = v1alpha1.TenancyDegraded, s.open
	case s.phase == v1alpha1.TenancyReady:
		s.phase, s.message = v1alpha1.TenancyProgressing, s.open
	}
}

// entry is the tenancy in the status of the Controller.
func (s *Standing) entry() v1alpha1.TenancyEntry {
	return v1alpha1.TenancyEntry{Namespace: s.Namespace, Phase: s.phase, Message: s.message, Releases: s.releases}
}

// Status is the status of the Tenancy. Conditions that did not change keep their time
// from before.
func (s *Standing) Status(before []metav1.Condition) v1alpha1.TenancyStatus {
	sum := s.summary
	found := troubles{fine: fmt.Sprintf("%d of %d releases are ready", sum.Releases.Ready, sum.Releases.Total)}
	found.add(s, "")
	if s.phase == v1alpha1.TenancyTerminating {
		found.deleting = s.message
	}
	return v1alpha1.TenancyStatus{
		Conditions: found.conditions(before, 0),
		Phase:      s.phase, Summary: &sum, Display: display(sum.Releases, sum.Workloads, sum.Pods), Releases: s.releases,
		Guardrails: s.guardrails,
	}
}

// ready says that every release of the tenancy is.
func (s *Standing) ready() bool {
	return s.phase != v1alpha1.TenancyTerminating && s.phase != v1alpha1.TenancyDegraded && s.allReady()
}

// allReady says that every release is, and that all guardrails are in place.
func (s *Standing) allReady() bool {
	return s.open == "" && s.summary.Releases.Ready == s.summary.Releases.Total
}

// atRest says that nothing about the tenancy depends on what time it is: every release
// is ready, and every pod that there is.
func (s *Standing) atRest() bool {
	return s.allReady() && !slices.ContainsFunc(s.releases, func(rel v1alpha1.ReleaseStatus) bool {
		return slices.ContainsFunc(rel.Pods, func(p v1alpha1.PodStatus) bool { return !p.Ready })
	})
}
