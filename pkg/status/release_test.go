package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func TestWhatFollowsAFailure(t *testing.T) {
	key := tenancy.Key{Namespace: "a", Name: "web"}
	starting := func() status.Objects {
		return status.Objects{Deployments: []*appsv1.Deployment{deployment("web", "web", 1, func(d *appsv1.Deployment) {
			d.Status.ReadyReplicas, d.Status.AvailableReplicas = 0, 0
		})}}
	}
	settled := time.Unix(1e9, 0)
	at := func(f status.Facts, after time.Duration) status.Facts {
		f.Desired[0].Releases[0].Timeout, f.Observed[0].Settled, f.Now = time.Minute, settled, settled.Add(after)
		return f
	}
	failing := func(work status.Work) status.Facts {
		f := facts(status.Objects{}, "web")
		f.Observed[0].Phase = tenancy.PhaseFailed
		f.Work[key] = work
		return f
	}
	type verdict struct {
		Tenancy v1alpha1.TenancyPhase
		Release v1alpha1.ReleasePhase
		Says    string
		Stalled string // the reason; empty when it is not
		Busy    bool
	}
	cases := map[string]struct {
		facts status.Facts
		want  verdict
	}{
		"it is tried again": {
			facts: failing(status.Work{Failure: "boom", Tries: 1}),
			want:  verdict{v1alpha1.TenancyDegraded, v1alpha1.ReleaseFailed, "boom", "", true},
		},
		"it is given up": {
			facts: failing(status.Work{Failure: "boom", Tries: 4, GivenUp: true}),
			want:  verdict{v1alpha1.TenancyDegraded, v1alpha1.ReleaseFailed, "given up after 4 tries", v1alpha1.ReasonRetriesExhausted, false},
		},
		"it is held": {
			facts: failing(status.Work{Failure: "boom", GivenUp: true, Phase: v1alpha1.ReleaseHeld, Reason: "rolled back: boom"}),
			want:  verdict{v1alpha1.TenancyDegraded, v1alpha1.ReleaseHeld, "rolled back: boom", v1alpha1.ReasonHeld, false},
		},
		"it is rolled back": {
			facts: failing(status.Work{Phase: v1alpha1.ReleaseRollingBack}),
			want:  verdict{v1alpha1.TenancyProgressing, v1alpha1.ReleaseRollingBack, "", "", true},
		},
		"it starts, in time": {
			facts: at(facts(starting(), "web"), time.Second),
			want:  verdict{v1alpha1.TenancyProgressing, v1alpha1.ReleaseDeployed, "Deployment web has 0 of 1 pods ready", "", true},
		},
		"it starts, and its time is up": {
			facts: at(facts(starting(), "web"), time.Minute),
			want:  verdict{v1alpha1.TenancyDegraded, v1alpha1.ReleaseDeployed, "Deployment web has 0 of 1 pods ready (more than 1m0s after revision 3)", "", false},
		},
		"it was ready in this revision, and starts anew": {
			facts: func() status.Facts {
				f := at(facts(starting(), "web"), time.Hour)
				f.WasReady = map[tenancy.Key]int32{f.Observed[0].Key: int32(f.Observed[0].Revision)}
				return f
			}(),
			want: verdict{v1alpha1.TenancyProgressing, v1alpha1.ReleaseDeployed, "Deployment web has 0 of 1 pods ready", "", true},
		},
		"its time is up, and nobody has looked": {
			facts: func() status.Facts { f := at(facts(starting(), "web"), time.Hour); f.Objects = nil; return f }(),
			want:  verdict{v1alpha1.TenancyProgressing, v1alpha1.ReleaseDeployed, "its namespace is not watched yet", "", true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			out := status.Rollup(tc.facts).Controller(nil)
			stalled := meta.FindStatusCondition(out.Conditions, v1alpha1.ConditionStalled)
			rel := out.Tenancies[0].Releases[0]
			got := verdict{Tenancy: out.Tenancies[0].Phase, Release: rel.Phase, Says: rel.Message}
			got.Busy = meta.IsStatusConditionTrue(out.Conditions, v1alpha1.ConditionReconciling)
			if stalled.Status == metav1.ConditionTrue {
				got.Stalled = stalled.Reason
			}
			if strings.Contains(got.Says, tc.want.Says) {
				got.Says = tc.want.Says
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Rollup() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTestsAreTold(t *testing.T) {
	finished := time.Unix(1e9, 0)
	last := tenancy.Test{Request: "*", Phase: v1alpha1.TestFailed, Revision: 3, Message: "no", Finished: finished}
	cases := map[string]struct {
		last tenancy.Test
		work status.Work
		want *v1alpha1.TestStatus
	}{
		"none was asked for": {},
		"one runs":           {last: last, work: status.Work{Testing: true}, want: &v1alpha1.TestStatus{Phase: v1alpha1.TestRunning}},
		"one ended": {last: last, want: &v1alpha1.TestStatus{
			Phase: v1alpha1.TestFailed, Revision: 3, Message: "no", Finished: &metav1.Time{Time: finished},
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := facts(status.Objects{}, "web")
			f.Observed[0].Test = tc.last
			f.Work[tenancy.Key{Namespace: "a", Name: "web"}] = tc.work
			if diff := cmp.Diff(tc.want, status.Rollup(f).Controller(nil).Tenancies[0].Releases[0].Test); diff != "" {
				t.Errorf("test (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDriftIsToldUnlessItIsIgnored(t *testing.T) {
	for policy, want := range map[v1alpha1.DriftPolicy]string{"": "it differs", v1alpha1.DriftWarn: "it differs", v1alpha1.DriftIgnore: ""} {
		f := facts(status.Objects{}, "web")
		f.Desired[0].Releases[0].Drift = policy
		f.Work[tenancy.Key{Namespace: "a", Name: "web"}] = status.Work{Drift: "it differs"}
		if got := status.Rollup(f).Controller(nil).Tenancies[0].Releases[0].Drift; got != want {
			t.Errorf("drift under %q = %q, want %q", policy, got, want)
		}
	}
}
