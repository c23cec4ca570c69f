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

// troubles is what conditions are decided from: the releases that are not ready, a
// line for each, by what is wrong.
type troubles struct {
	failed, degraded, progressing, held []string
	// spent are the failed ones whose retries are spent; final counts those that are
	// not tried again by themselves.
	spent []string
	final int
	// removals says why removals are held; empty when none is.
	removals string
	// deleting says what a deletion waits for; empty when nothing is deleted.
	deleting string
	// fine is said when nothing is wrong.
	fine string
}

// add sorts the releases of a tenancy in. Each is named with the prefix.
func (f *troubles) add(t *Standing, prefix string) {
	if t.broken {
		f.failed = append(f.failed, fmt.Sprintf("tenancy %s: %s", t.Namespace, t.message))
		f.final++
	}
	f.addGuardrails(t, prefix)
	for _, rel := range t.rows {
		if rel.Ready && rel.Phase == v1alpha1.ReleaseDeployed {
			continue
		}
		line := whyRelease(rel.ReleaseStatus)
		if name := prefix + rel.Name; !strings.Contains(line, "release "+name) {
			line = name + ": " + line
		}
		switch {
		case rel.Phase == v1alpha1.ReleaseFailed:
			f.failed = append(f.failed, line)
		case rel.Phase == v1alpha1.ReleaseHeld:
			f.held = append(f.held, line)
		case !rel.Ready && rel.degraded:
			f.degraded = append(f.degraded, line)
		case !rel.Ready:
			f.progressing = append(f.progressing, line)
		}
		if rel.spent {
			f.spent = append(f.spent, line)
		}
		if rel.final {
			f.final++
		}
		if rel.removal {
			f.removals = rel.Message
		}
	}
}

// addGuardrails sorts in that guardrails of a tenancy are not in place.
func (f *troubles) addGuardrails(t *Standing, prefix string) {
	if t.open == "" {
		return
	}
	line := t.open
	if prefix != "" {
		line = strings.TrimSuffix(prefix, "/") + ": " + line
	}
	if t.exposed {
		f.degraded = append(f.degraded, line)
	} else {
		f.progressing = append(f.progressing, line)
	}
}

// conditions computes Ready, Reconciling and Stalled. It is the only place that
// decides them.
func (f *troubles) conditions(before []metav1.Condition, generation int64) []metav1.Condition {
	busy := f.deleting != "" || len(f.progressing) > 0 || len(f.failed) > f.final
	out := slices.Clone(before)
	for _, c := range []metav1.Condition{
		f.readiness(),
		abnormal(v1alpha1.ConditionReconciling, busy, v1alpha1.ReasonProgressing, "operations are under way or pods are starting"),
		f.stalled(),
	} {
		c.ObservedGeneration = generation
		meta.SetStatusCondition(&out, c)
	}
	return out
}

func (f *troubles) stalled() metav1.Condition {
	switch {
	case f.removals != "":
		return condition(v1alpha1.ConditionStalled, true, v1alpha1.ReasonRemovalHeld, f.removals)
	case len(f.spent) > 0:
		return condition(v1alpha1.ConditionStalled, true, v1alpha1.ReasonRetriesExhausted, first(f.spent))
	}
	return abnormal(v1alpha1.ConditionStalled, len(f.held) > 0, v1alpha1.ReasonHeld, first(f.held))
}

func (f *troubles) readiness() metav1.Condition {
	no := func(reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionReady, false, reason, message)
	}
	switch {
	case f.deleting != "":
		return no(v1alpha1.ReasonDeleting, f.deleting)
	case f.removals != "":
		return no(v1alpha1.ReasonRemovalHeld, f.removals)
	case len(f.failed) > 0:
		return no(v1alpha1.ReasonReleaseFailed, first(f.failed))
	case len(f.degraded) > 0:
		return no(v1alpha1.ReasonDegraded, first(f.degraded))
	case len(f.progressing) > 0:
		return no(v1alpha1.ReasonProgressing, first(f.progressing))
	case len(f.held) > 0:
		return no(v1alpha1.ReasonHeld, first(f.held))
	}
	return condition(v1alpha1.ConditionReady, true, v1alpha1.ReasonReady, f.fine)
}

func whyRelease(rel v1alpha1.ReleaseStatus) string {
	if rel.Message == "" {
		return string(rel.Phase)
	}
	return rel.Message
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
