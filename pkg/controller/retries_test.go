package controller

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// trying is a step of a release with a policy.
func trying(action plan.Action, policy v1alpha1.FailurePolicy, retries int) plan.Step {
	s := step(action, "d", 1)
	s.Release.OnFailure, s.Release.Retries = policy, retries
	return s
}

func TestDueGivesUp(t *testing.T) {
	const never = -1
	cases := map[string]struct {
		step plan.Step
		err  error
		// want is after how many failures it is given up.
		want int
	}{
		"an upgrade, after its retries":                {step: trying(plan.Upgrade, v1alpha1.FailureRetry, 2), want: 3},
		"an upgrade without retries":                   {step: trying(plan.Upgrade, v1alpha1.FailureRetry, 0), want: 1},
		"an upgrade that is held when it fails":        {step: trying(plan.Upgrade, v1alpha1.FailureHold, 9), want: 1},
		"an install that is rolled back when it fails": {step: trying(plan.Install, v1alpha1.FailureRollback, 9), want: 1},
		"a rollback, after the retries":                {step: trying(plan.Rollback, v1alpha1.FailureRollback, 1), want: 2},
		"an uninstall":                                 {step: trying(plan.Uninstall, "", 0), want: never},
		"a correction":                                 {step: trying(plan.Correct, "", 0), want: never},
		"retries without an end":                       {step: trying(plan.Upgrade, v1alpha1.FailureRetry, -1), want: never},
		"weather":                                      {step: trying(plan.Upgrade, v1alpha1.FailureHold, 0), err: tenancy.ErrUnavailable, want: never},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.err == nil {
				tc.err = errBoom
			}
			l, got := NewLedger(func() {}), never
			for i := range 20 {
				if _, given := l.Due(tc.step, now); given {
					got = i
					break
				}
				l.End("example", tc.step, tenancy.Applied{}, tc.err, now)
			}
			if got != tc.want || l.View(nil)[key].GivenUp != (tc.want != never) {
				t.Errorf("given up after %d failures, want %d; View() = %+v", got, tc.want, l.View(nil)[key])
			}
		})
	}
}

func TestAskTriesAgain(t *testing.T) {
	spent := trying(plan.Upgrade, v1alpha1.FailureRetry, 1)
	type due struct{ Now, Given, Reset bool }
	cases := map[string]struct {
		before, after map[string]string
		fails         bool // once more
		want          due
	}{
		"nobody asks":                  {want: due{Given: true}},
		"what was asked before":        {before: map[string]string{v1alpha1.AnnotationReconcileAt: "1"}, after: map[string]string{v1alpha1.AnnotationReconcileAt: "1"}, want: due{Given: true}},
		"asked to reconcile":           {after: map[string]string{v1alpha1.AnnotationReconcileAt: "1"}, want: due{Now: true}},
		"asked to reconcile, it fails": {after: map[string]string{v1alpha1.AnnotationReconcileAt: "1"}, fails: true, want: due{Given: true}},
		"asked to forget":              {after: map[string]string{v1alpha1.AnnotationResetFailures: "1"}, want: due{Now: true, Reset: true}},
		"asked to forget, it fails":    {after: map[string]string{v1alpha1.AnnotationResetFailures: "1"}, fails: true, want: due{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := NewLedger(func() {})
			l.Ask(tc.before)
			for range 2 {
				l.End("example", spent, tenancy.Applied{}, errBoom, now)
			}
			l.Ask(tc.after)
			if tc.fails {
				l.End("example", spent, tenancy.Applied{}, errBoom, now)
			}
			wait, given := l.Due(spent, now)
			memory := l.Memory(now)
			if diff := cmp.Diff(tc.want, due{Now: wait == 0 && !given, Given: given, Reset: memory.Reset[key]}); diff != "" {
				t.Errorf("Due() (-want +got):\n%s", diff)
			}
			if memory.Failures[key] != "boom" || memory.Passing[key] || memory.Waiting[key] == (wait == 0 && !given) {
				t.Errorf("Memory() = %+v, want how it failed", memory)
			}
		})
	}
}

// TestAskOutlivesWhatChangesNothing: a request to try again is not answered by a
// check or a test that happened to run.
func TestAskOutlivesWhatChangesNothing(t *testing.T) {
	l := NewLedger(func() {})
	l.Ask(nil)
	l.Decide([]plan.Step{{Action: plan.Hold, Key: key, Reason: "rolled back"}}, false, now)
	l.Begin(step(plan.Correct, "d", 1), now)
	l.Ask(map[string]string{v1alpha1.AnnotationResetFailures: "1"})
	l.End("example", step(plan.Correct, "d", 1), tenancy.Applied{}, nil, now)
	if !l.Memory(now).Reset[key] {
		t.Error("the request is forgotten after a check")
	}
	l.End("example", step(plan.Upgrade, "d", 1), tenancy.Applied{}, errBoom, now)
	if l.Memory(now).Reset[key] {
		t.Error("the request is not forgotten after an upgrade")
	}
}

// TestCorrectionOfMoreIsDueAtOnce: one object that cannot be put back does not make
// another one wait.
func TestCorrectionOfMoreIsDueAtOnce(t *testing.T) {
	l := NewLedger(func() {})
	one, two := step(plan.Correct, "d", 1), step(plan.Correct, "d", 1)
	one.Suspects = []tenancy.Object{looks("a", "2")}
	two.Suspects = []tenancy.Object{looks("a", "3"), looks("b", "2")}
	l.End("example", one, tenancy.Applied{}, errBoom, now)
	if wait, _ := l.Due(one, now.Add(time.Second)); wait == 0 {
		t.Error("what failed is due at once")
	}
	if wait, _ := l.Due(two, now.Add(time.Second)); wait != 0 {
		t.Errorf("Due() = %s, want now", wait)
	}
}
