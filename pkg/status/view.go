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
	for _, t := range r.Tenancies {
		out.Tenancies = append(out.Tenancies, t.entry())
		found.add(t, t.Namespace+"/")
		out.Summary.Tenancies.Total++
		out.Summary.Tenancies.Ready += one(t.ready())
		out.Summary.Releases.Total += t.summary.Releases.Total
		out.Summary.Releases.Ready += t.summary.Releases.Ready
		out.Summary.Releases.Failed += t.summary.Releases.Failed
		add(&out.Summary.Workloads, t.summary.Workloads)
		add(&out.Summary.Pods, t.summary.Pods)
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
	return !slices.ContainsFunc(r.Tenancies, func(s *Standing) bool { return !s.allReady() })
}

// Sizes is what each tenancy weighs in the status of the Controller, in bytes of JSON.
func (r Rolled) Sizes() []int {
	out := make([]int, 0, len(r.Tenancies))
	for _, t := range r.Tenancies {
		out = append(out, t.size())
	}
	return out
}

// leave says what a deletion waits for.
func (r Rolled) leave(releases int32) string {
	if r.suspended {
		return "deletion waits while suspend is true; set it to false, or deletionPolicy to Orphan"
	}
	return fmt.Sprintf("%d releases are still to be uninstalled", releases)
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
