package controller

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// TestOverlayOfARollback: until the record is seen, what was rolled back from is
// not tried again, and what was rolled back to not taken for what is wanted.
func TestOverlayOfARollback(t *testing.T) {
	cases := map[string]struct {
		phase tenancy.Phase
		err   error
		want  plan.Action
	}{
		"that went well": {phase: tenancy.PhaseDeployed, want: plan.Hold},
		"that failed":    {phase: tenancy.PhaseFailed, err: errBoom, want: plan.Rollback},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := NewLedger(func() {})
			rollback := step(plan.Rollback, "bad", 2)
			rollback.To, rollback.Reason = 1, "revision 2 failed"
			rollback.Release.OnFailure = v1alpha1.FailureRollback
			l.Begin(rollback, now)
			l.End("example", rollback, tenancy.Applied{Revision: 3, Phase: tc.phase}, tc.err, now)
			have := l.Overlay([]tenancy.Observed{seen(2, tenancy.PhaseFailed)}, 0, now.Add(time.Second))
			if len(have) != 1 || have[0].FailedDigest != "bad" || have[0].Digest == "bad" || have[0].Cause != "revision 2 failed" || have[0].Good != 1 {
				t.Fatalf("Overlay() = %+v", have)
			}
			steps := plan.Make(plan.Facts{
				Controller: "example", Observed: have,
				Desired: []tenancy.Tenancy{{Namespace: "a", Releases: []tenancy.Release{rollback.Release}}},
			})
			if len(steps) != 1 || steps[0].Action != tc.want {
				t.Errorf("Make() = %+v, want %s", steps, tc.want)
			}
		})
	}
}

// TestOverlayOfATest: a test is not run again because its record is not seen yet.
func TestOverlayOfATest(t *testing.T) {
	l := NewLedger(func() {})
	outcome := tenancy.Test{Request: "* 2", Phase: v1alpha1.TestSucceeded, Revision: 1, Finished: now}
	l.Begin(step(plan.Test, "d", 1), now)
	l.End("example", step(plan.Test, "d", 1), tenancy.Applied{Test: outcome}, nil, now)
	before := seen(1, tenancy.PhaseDeployed)
	before.Test = tenancy.Test{Request: "* 1", Revision: 1, Finished: now.Add(-time.Hour)}
	if diff := cmp.Diff(outcome, l.Overlay([]tenancy.Observed{before}, 0, now)[0].Test); diff != "" {
		t.Errorf("the test (-want +got):\n%s", diff)
	}
	later := seen(1, tenancy.PhaseDeployed)
	later.Test = tenancy.Test{Request: "* 3", Revision: 1, Finished: now.Add(time.Hour)}
	if diff := cmp.Diff(later.Test, l.Overlay([]tenancy.Observed{later}, 0, now)[0].Test); diff != "" {
		t.Errorf("a later test (-want +got):\n%s", diff)
	}
	if l.Begin(step(plan.Test, "d", 1), now.Add(-time.Second)) {
		t.Error("Begin() took a test that was planned before the last one ended")
	}
}

// TestHeldWhileCorrected: putting an object back does not hide that the release is
// held.
func TestHeldWhileCorrected(t *testing.T) {
	l := NewLedger(func() {})
	correct := step(plan.Correct, "d", 1)
	correct.Held = "rolled back"
	l.Decide([]plan.Step{correct}, false, now)
	l.Begin(correct, now)
	if got := l.View(nil)[key]; got.Phase != v1alpha1.ReleaseHeld || got.Reason != "rolled back" {
		t.Errorf("View() = %+v, want it held", got)
	}
}

// TestOverlayKnowsHowFarTheInformersAre: after an outage they can be behind for
// longer than anybody would believe an operation without knowing it.
func TestOverlayKnowsHowFarTheInformersAre(t *testing.T) {
	cases := map[string]struct {
		upTo  uint64
		after time.Duration
		want  int
	}{
		"they are behind":                {upTo: 99, after: time.Minute, want: 2},
		"they have seen it":              {upTo: 100, after: time.Minute, want: 1},
		"nobody knows":                   {after: time.Minute, want: 1},
		"nobody knows, and it is recent": {after: time.Second, want: 2},
		"they stay behind for ever":      {upTo: 99, after: time.Hour, want: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := NewLedger(func() {})
			upgrade := step(plan.Upgrade, "d", 1)
			l.Begin(upgrade, now)
			l.End("example", upgrade, tenancy.Applied{Revision: 2, Phase: tenancy.PhaseDeployed, At: 100}, nil, now)
			have := l.Overlay([]tenancy.Observed{seen(1, tenancy.PhaseFailed)}, tc.upTo, now.Add(tc.after))
			if len(have) != 1 || have[0].Revision != tc.want {
				t.Errorf("Overlay() = %+v, want revision %d", have, tc.want)
			}
		})
	}
}
