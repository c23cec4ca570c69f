package status

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// troubles are the releases that are not ready, a line for each, by what is wrong.
type troubles struct {
	failed, degraded, progressing, held []string
}

func troublesOf(out v1alpha1.ControllerStatus) troubles {
	var found troubles
	for _, t := range out.Tenancies {
		for _, rel := range t.Releases {
			line := whyRelease(rel)
			if name := t.Namespace + "/" + rel.Name; !strings.Contains(line, "release "+name) {
				line = name + ": " + line
			}
			switch {
			case rel.Phase == v1alpha1.ReleaseFailed:
				found.failed = append(found.failed, line)
			case rel.Phase == v1alpha1.ReleaseHeld:
				found.held = append(found.held, line)
			case !rel.Ready && t.Phase == v1alpha1.TenancyDegraded:
				found.degraded = append(found.degraded, line)
			case !rel.Ready:
				found.progressing = append(found.progressing, line)
			}
		}
	}
	return found
}

// conditions computes Ready, Reconciling and Stalled from what was rolled up.
// It is the only place that decides them.
func conditions(facts *rollup, out v1alpha1.ControllerStatus) []metav1.Condition {
	found := troublesOf(out)
	found.failed = append(found.failed, facts.broken...)
	busy := facts.Deleting || len(found.progressing) > 0 || len(found.failed) > len(facts.givenUp)+facts.wrong
	stalled := abnormal(v1alpha1.ConditionStalled, len(found.held) > 0, v1alpha1.ReasonHeld, first(found.held))
	if len(facts.givenUp) > 0 {
		stalled = condition(v1alpha1.ConditionStalled, true, v1alpha1.ReasonRetriesExhausted, first(facts.givenUp))
	}
	if facts.removalsHeld != "" {
		stalled = condition(v1alpha1.ConditionStalled, true, v1alpha1.ReasonRemovalHeld, facts.removalsHeld)
	}
	return []metav1.Condition{
		readiness(facts, out, found),
		abnormal(v1alpha1.ConditionReconciling, busy, v1alpha1.ReasonProgressing, "operations are under way or pods are starting"),
		stalled,
	}
}

func readiness(facts *rollup, out v1alpha1.ControllerStatus, found troubles) metav1.Condition {
	no := func(reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionReady, false, reason, message)
	}
	switch {
	case facts.Deleting:
		return no(v1alpha1.ReasonDeleting, deleting(facts, out))
	case facts.removalsHeld != "":
		return no(v1alpha1.ReasonRemovalHeld, facts.removalsHeld)
	case len(found.failed) > 0:
		return no(v1alpha1.ReasonReleaseFailed, first(found.failed))
	case len(found.degraded) > 0:
		return no(v1alpha1.ReasonDegraded, first(found.degraded))
	case len(found.progressing) > 0:
		return no(v1alpha1.ReasonProgressing, first(found.progressing))
	case len(found.held) > 0:
		return no(v1alpha1.ReasonHeld, first(found.held))
	}
	return condition(v1alpha1.ConditionReady, true, v1alpha1.ReasonReady,
		fmt.Sprintf("%d of %d tenancies are ready", out.Summary.Tenancies.Ready, out.Summary.Tenancies.Total))
}

func whyRelease(rel v1alpha1.ReleaseStatus) string {
	if rel.Message == "" {
		return string(rel.Phase)
	}
	return rel.Message
}

func deleting(facts *rollup, out v1alpha1.ControllerStatus) string {
	if facts.Suspended {
		return "deletion waits while suspend is true; set it to false, or deletionPolicy to Orphan"
	}
	return fmt.Sprintf("%d releases are still to be uninstalled", out.Summary.Releases.Total)
}

// first is the first line, with how many more there are.
func first(lines []string) string {
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return tenancy.Line(lines[0])
	}
	return tenancy.Line(fmt.Sprintf("%s (and %d more releases)", lines[0], len(lines)-1))
}

func condition(kind string, yes bool, reason, message string) metav1.Condition {
	c := metav1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: reason, Message: message}
	if yes {
		c.Status = metav1.ConditionTrue
	}
	return c
}

// abnormal is a condition that is True only when something is out of the ordinary.
func abnormal(kind string, yes bool, reason, message string) metav1.Condition {
	if !yes {
		return condition(kind, false, v1alpha1.ReasonReady, "")
	}
	return condition(kind, true, reason, message)
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
