package controller

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

var (
	key     = tenancy.Key{Namespace: "a", Name: "web"}
	now     = time.Unix(1e9, 0)
	errBoom = errors.New("boom")
)

func step(action plan.Action, digest string, revision int) plan.Step {
	return plan.Step{Action: action, Key: key, Revision: revision, Release: tenancy.Release{Key: key, Digest: digest, Retries: 1000}}
}

func seen(revision int, phase tenancy.Phase) tenancy.Observed {
	return tenancy.Observed{Key: key, Revision: revision, Phase: phase, Since: now}
}

func TestOverlayBelievesOperationsBeforeInformers(t *testing.T) {
	type view struct {
		Revision    int
		Phase       tenancy.Phase
		Interrupted bool
	}
	cases := map[string]struct {
		step    plan.Step
		applied tenancy.Applied
		err     error
		after   time.Duration
		seen    []tenancy.Observed
		want    []view
	}{
		"an install that is not seen yet": {
			step: step(plan.Install, "d", 0), applied: tenancy.Applied{Revision: 1, Phase: tenancy.PhaseDeployed},
			want: []view{{1, tenancy.PhaseDeployed, false}},
		},
		"an upgrade of which the old revision is seen": {
			step: step(plan.Upgrade, "d", 1), applied: tenancy.Applied{Revision: 2, Phase: tenancy.PhaseDeployed},
			seen: []tenancy.Observed{seen(1, tenancy.PhaseDeployed)},
			want: []view{{2, tenancy.PhaseDeployed, false}},
		},
		"an upgrade that is seen pending": {
			step: step(plan.Upgrade, "d", 1), applied: tenancy.Applied{Revision: 2, Phase: tenancy.PhaseFailed}, err: errBoom,
			seen: []tenancy.Observed{seen(2, tenancy.PhasePendingUpgrade)},
			want: []view{{2, tenancy.PhaseFailed, false}},
		},
		"a later revision by somebody else": {
			step: step(plan.Upgrade, "d", 1), applied: tenancy.Applied{Revision: 2, Phase: tenancy.PhaseDeployed},
			seen: []tenancy.Observed{seen(3, tenancy.PhaseDeployed)},
			want: []view{{3, tenancy.PhaseDeployed, false}},
		},
		"an uninstall that is not seen yet": {
			step: step(plan.Uninstall, "", 2),
			seen: []tenancy.Observed{seen(2, tenancy.PhaseUninstalling)},
		},
		"an uninstall that failed": {
			step: step(plan.Uninstall, "", 2), err: errBoom,
			seen: []tenancy.Observed{seen(2, tenancy.PhaseUninstalling)},
			want: []view{{2, tenancy.PhaseUninstalling, true}},
		},
		"a template that failed leaves no record": {
			step: step(plan.Install, "d", 0), err: errBoom,
		},
		"a record that was written though the answer was lost": {
			step: step(plan.Install, "d", 0), err: tenancy.ErrUnavailable,
			after: time.Minute, seen: []tenancy.Observed{seen(1, tenancy.PhasePendingInstall)},
			want: []view{{1, tenancy.PhasePendingInstall, true}},
		},
		"a success whose record could not be written": {
			step: step(plan.Install, "d", 0), applied: tenancy.Applied{Revision: 1, Phase: tenancy.PhasePendingInstall}, err: tenancy.ErrUnavailable,
			after: time.Minute, seen: []tenancy.Observed{seen(1, tenancy.PhasePendingInstall)},
			want: []view{{1, tenancy.PhasePendingInstall, true}},
		},
		"what was believed long enough": {
			step: step(plan.Upgrade, "d", 1), applied: tenancy.Applied{Revision: 2, Phase: tenancy.PhaseDeployed},
			after: time.Minute, seen: []tenancy.Observed{seen(1, tenancy.PhaseDeployed)},
			want: []view{{1, tenancy.PhaseDeployed, false}},
		},
		"somebody else's that is abandoned": {
			step: step(plan.Upgrade, "d", 1), applied: tenancy.Applied{Revision: 2, Phase: tenancy.PhaseDeployed},
			after: time.Hour, seen: []tenancy.Observed{seen(3, tenancy.PhasePendingUpgrade)},
			want: []view{{3, tenancy.PhasePendingUpgrade, true}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := NewLedger(func() {})
			l.Begin(tc.step, now)
			l.End("example", tc.step, tc.applied, tc.err, now)
			var got []view
			for _, o := range l.Overlay(tc.seen, 0, now.Add(tc.after)) {
				got = append(got, view{o.Revision, o.Phase, o.Interrupted})
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Overlay() (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLockOutlivesARecoveryThatFailed: a release that an outage left pending, and
// whose recovery failed in the same outage, is recovered after it.
func TestLockOutlivesARecoveryThatFailed(t *testing.T) {
	l := NewLedger(func() {})
	install, recovery := step(plan.Install, "d", 0), step(plan.Recover, "d", 1)
	l.Begin(install, now)
	l.End("example", install, tenancy.Applied{Revision: 1, Phase: tenancy.PhasePendingInstall}, tenancy.ErrUnavailable, now)
	l.Begin(recovery, now.Add(time.Second))
	l.End("example", recovery, tenancy.Applied{}, tenancy.ErrUnavailable, now.Add(time.Second))
	got := l.Overlay([]tenancy.Observed{seen(1, tenancy.PhasePendingInstall)}, 0, now.Add(time.Minute))
	if len(got) != 1 || !got[0].Interrupted {
		t.Errorf("Overlay() = %+v, want the revision interrupted", got)
	}
}

// TestWhatWasSeenIsNotBelievedAnyMore: a record that was there and is gone was
// taken away by somebody.
func TestWhatWasSeenIsNotBelievedAnyMore(t *testing.T) {
	l := NewLedger(func() {})
	install := step(plan.Install, "d", 0)
	l.Begin(install, now)
	l.End("example", install, tenancy.Applied{Revision: 1, Phase: tenancy.PhaseDeployed}, nil, now)
	l.Overlay([]tenancy.Observed{seen(1, tenancy.PhaseDeployed)}, 0, now)
	if got := l.Overlay(nil, 0, now); len(got) != 0 {
		t.Errorf("Overlay() = %v after the record went, want nothing", got)
	}
	uninstall := step(plan.Uninstall, "", 1)
	l.Begin(uninstall, now)
	l.End("example", uninstall, tenancy.Applied{}, nil, now)
	l.Overlay(nil, 0, now)
	if got := l.Overlay([]tenancy.Observed{seen(1, tenancy.PhaseDeployed)}, 0, now); len(got) != 1 {
		t.Errorf("Overlay() = %v after somebody installed it again, want that", got)
	}
}

func TestDueBacksOffUntilTheSpecChanges(t *testing.T) {
	l := NewLedger(func() {})
	failing := step(plan.Install, "d", 0)
	last := time.Duration(0)
	for range 12 {
		if wait, _ := l.Due(failing, now.Add(last)); wait > 0 {
			t.Fatalf("Due() = %s after waiting", wait)
		}
		l.Begin(failing, now)
		l.End("example", failing, tenancy.Applied{}, errBoom, now)
		wait, _ := l.Due(failing, now)
		if wait < min(last, lastRetry) || wait > lastRetry+lastRetry/10 {
			t.Errorf("Due() = %s after %s", wait, last)
		}
		last = wait
	}
	if last < lastRetry {
		t.Errorf("the last wait is %s, want %s", last, lastRetry)
	}
	if wait, _ := l.Due(step(plan.Install, "other", 0), now); wait != 0 {
		t.Errorf("Due() = %s for another digest, want 0", wait)
	}
	if view := l.View(nil)[key]; view.Failure != "boom" {
		t.Errorf("View() = %+v, want the failure", view)
	}
	l.Decide(nil, false, now)
	if view := l.View(nil)[key]; view.Failure != "" {
		t.Errorf("View() = %+v after it was mended, want no failure", view)
	}
}

// TestBeginRefusesWhatIsOutOfDate: a step that was planned while another one on its
// release still ran must not run after it.
func TestBeginRefusesWhatIsOutOfDate(t *testing.T) {
	l := NewLedger(func() {})
	install := step(plan.Install, "d", 0)
	if !l.Begin(install, now) {
		t.Fatal("Begin() refused the first step")
	}
	l.End("example", install, tenancy.Applied{Revision: 1, Phase: tenancy.PhaseDeployed}, nil, now.Add(time.Second))
	if l.Begin(install, now) {
		t.Error("Begin() took a step that was planned before the last one ended")
	}
	if !l.Begin(install, now.Add(2*time.Second)) {
		t.Error("Begin() refused a step that was planned after it")
	}
}

// TestOutageCountsAgainstNobody: the wait after an outage does not grow.
func TestOutageCountsAgainstNobody(t *testing.T) {
	l := NewLedger(func() {})
	install := step(plan.Install, "d", 0)
	for range 8 {
		l.Begin(install, now)
		l.End("example", install, tenancy.Applied{}, tenancy.ErrUnavailable, now)
	}
	if wait, _ := l.Due(install, now); wait > 2*firstRetry {
		t.Errorf("Due() = %s after an outage, want about %s", wait, firstRetry)
	}
}

func TestViewTellsWhatIsUnderWay(t *testing.T) {
	l := NewLedger(func() {})
	l.Begin(step(plan.Recover, "d", 1), now)
	waiting := tenancy.Key{Namespace: "a", Name: "waiting"}
	held := tenancy.Key{Namespace: "a", Name: "held"}
	l.Decide([]plan.Step{{Action: plan.Hold, Key: held, Reason: "foreign"}, {Action: plan.Install, Key: waiting}}, false, now)
	view := l.View(map[string]queue.Lane{"a": {Waiting: []queue.Entry{{ID: "waiting"}}}})
	want := map[tenancy.Key]v1alpha1.ReleasePhase{
		key: v1alpha1.ReleaseUpgrading, waiting: v1alpha1.ReleaseQueued, held: v1alpha1.ReleaseHeld,
	}
	for k, phase := range want {
		if view[k].Phase != phase {
			t.Errorf("View()[%s] = %+v, want %s", k, view[k], phase)
		}
	}
	if view[held].Reason != "foreign" {
		t.Errorf("View()[held] = %+v, want its reason", view[held])
	}
}
