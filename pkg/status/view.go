package status

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// Controller is the state as the status of the Controller, with all its detail; Fit
// makes it small enough to be stored. Conditions that did not change keep their time
// from before.
func (r Rolled) Controller(before []metav1.Condition) v1alpha1.ControllerStatus {
	out := v1alpha1.ControllerStatus{ObservedGeneration: r.generation, Summary: &v1alpha1.Summary{}}
	found := troubles{}
	for _, t := range r.tenancies {
		out.Tenancies = append(out.Tenancies, v1alpha1.TenancyEntry{
			Namespace: t.namespace, Phase: t.phase, Message: t.message, Releases: t.releases(),
		})
		found.add(t, t.namespace+"/")
		s := t.summary()
		out.Summary.Tenancies.Total++
		out.Summary.Tenancies.Ready += one(t.ready(s))
		out.Summary.Releases.Total += s.Releases.Total
		out.Summary.Releases.Ready += s.Releases.Ready
		out.Summary.Releases.Failed += s.Releases.Failed
		add(&out.Summary.Workloads, s.Workloads)
		add(&out.Summary.Pods, s.Pods)
	}
	out.Display = display(out.Summary.Releases, out.Summary.Workloads, out.Summary.Pods)
	if r.deleting {
		found.deleting = r.leave(out.Summary.Releases.Total)
	}
	found.fine = fmt.Sprintf("%d of %d tenancies are ready", out.Summary.Tenancies.Ready, out.Summary.Tenancies.Total)
	out.Conditions = found.conditions(before, r.generation)
	return out
}

// Ready says that every release is.
func (r Rolled) Ready() bool {
	return !slices.ContainsFunc(r.tenancies, func(t rolled) bool {
		return slices.ContainsFunc(t.rows, func(row row) bool { return !row.Ready })
	})
}

// leave says what a deletion waits for.
func (r Rolled) leave(releases int32) string {
	if r.suspended {
		return "deletion waits while suspend is true; set it to false, or deletionPolicy to Orphan"
	}
	return fmt.Sprintf("%d releases are still to be uninstalled", releases)
}

// Tenancies is the state as the status of the Tenancy in each namespace. before gives
// the conditions that one had.
func (r Rolled) Tenancies(before func(namespace string) []metav1.Condition) map[string]v1alpha1.TenancyStatus {
	out := make(map[string]v1alpha1.TenancyStatus, len(r.tenancies))
	for _, t := range r.tenancies {
		out[t.namespace] = t.status(before(t.namespace))
	}
	return out
}

func (t rolled) status(before []metav1.Condition) v1alpha1.TenancyStatus {
	s := t.summary()
	found := troubles{fine: fmt.Sprintf("%d of %d releases are ready", s.Releases.Ready, s.Releases.Total)}
	found.add(t, "")
	if t.phase == v1alpha1.TenancyTerminating {
		found.deleting = t.message
	}
	return v1alpha1.TenancyStatus{
		Conditions: found.conditions(before, 0),
		Phase:      t.phase, Summary: &s, Display: display(s.Releases, s.Workloads, s.Pods), Releases: t.releases(),
	}
}

// ready says that every release of the tenancy is.
func (t rolled) ready(s v1alpha1.TenancySummary) bool {
	return t.phase != v1alpha1.TenancyTerminating && t.phase != v1alpha1.TenancyDegraded && s.Releases.Ready == s.Releases.Total
}

func (t rolled) releases() []v1alpha1.ReleaseStatus {
	var out []v1alpha1.ReleaseStatus
	for _, row := range t.rows {
		out = append(out, row.ReleaseStatus)
	}
	return out
}

func (t rolled) summary() v1alpha1.TenancySummary {
	var s v1alpha1.TenancySummary
	for _, rel := range t.rows {
		s.Releases.Total++
		s.Releases.Ready += one(rel.Ready)
		s.Releases.Failed += one(rel.Phase == v1alpha1.ReleaseFailed)
		for _, w := range rel.Workloads {
			add(&s.Workloads, v1alpha1.Count{Total: 1, Ready: one(w.Ready >= w.Desired && w.Available >= w.Desired)})
		}
		for _, p := range rel.Pods {
			add(&s.Pods, v1alpha1.Count{Total: 1, Ready: one(p.Ready)})
		}
	}
	return s
}

func add(to *v1alpha1.Count, c v1alpha1.Count) {
	to.Total += c.Total
	to.Ready += c.Ready
}

func one(yes bool) int32 {
	if yes {
		return 1
	}
	return 0
}

func display(releases v1alpha1.ReleaseCount, workloads, pods v1alpha1.Count) *v1alpha1.Display {
	of := func(ready, total int32) string { return fmt.Sprintf("%d/%d", ready, total) }
	return &v1alpha1.Display{
		Releases:  of(releases.Ready, releases.Total),
		Workloads: of(workloads.Ready, workloads.Total),
		Pods:      of(pods.Ready, pods.Total),
	}
}

// NotActive is the status of a Controller that another one stands before.
func NotActive(before []metav1.Condition, generation int64, active string) v1alpha1.ControllerStatus {
	out := v1alpha1.ControllerStatus{ObservedGeneration: generation, Conditions: slices.Clone(before)}
	c := condition(v1alpha1.ConditionReady, false, v1alpha1.ReasonNotActive,
		fmt.Sprintf("Controller %s is the active one; this one waits until it is gone", active))
	c.ObservedGeneration = generation
	meta.SetStatusCondition(&out.Conditions, c)
	return out
}
