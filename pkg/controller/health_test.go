package controller

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// still is a watch and a queue in which nothing happens.
type still struct {
	Watch
	Queue
	objects map[string]status.Objects
}

func (s still) Objects() map[string]status.Objects { return s.objects }
func (s still) Nodes() status.Nodes                { return nil }
func (s still) Lanes() map[string]queue.Lane       { return nil }
func (s still) Load() queue.Load                   { return queue.Load{} }

func TestHealth(t *testing.T) {
	starting := map[string]status.Objects{"a": {Deployments: []*appsv1.Deployment{{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "a", Annotations: map[string]string{"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "a"}},
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}},
	}}}}
	empty := map[string]status.Objects{"a": {}}
	type found struct {
		Ready, Late, Probation bool
		Next                   time.Duration
	}
	cases := map[string]struct {
		change  func(*tenancy.Release, *tenancy.Observed)
		after   time.Duration
		objects map[string]status.Objects
		want    found
	}{
		"it is starting, in time":   {objects: starting, after: 20 * time.Second, want: found{Probation: true, Next: 40 * time.Second}},
		"it is starting, too long":  {objects: starting, after: time.Minute, want: found{Probation: true, Late: true}},
		"it is ready, also late":    {objects: empty, after: time.Hour, want: found{Ready: true}},
		"nobody has looked, so far": {after: time.Hour, want: found{Probation: true}},
		"it was ready before": {
			objects: starting, after: time.Hour,
			change: func(_ *tenancy.Release, o *tenancy.Observed) { o.Verified = true },
		},
		"it was rolled back": {
			objects: starting, after: time.Hour,
			change: func(_ *tenancy.Release, o *tenancy.Observed) { o.FailedDigest = "d" },
		},
		"it is not rolled back when it fails": {
			objects: starting, after: time.Hour,
			change: func(rel *tenancy.Release, _ *tenancy.Observed) { rel.OnFailure = v1alpha1.FailureRetry },
		},
		"another revision is wanted": {
			objects: starting, after: time.Hour,
			change: func(_ *tenancy.Release, o *tenancy.Observed) { o.Digest = "old" },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rel := tenancy.Release{Key: key, Digest: "d", Timeout: time.Minute, OnFailure: v1alpha1.FailureRollback}
			o := tenancy.Observed{Key: key, Digest: "d", Revision: 2, Phase: tenancy.PhaseDeployed, Settled: now, Good: 1}
			if tc.change != nil {
				tc.change(&rel, &o)
			}
			s := &Schedule{Ledger: NewLedger(func() {}), Queue: still{}, Watch: still{objects: tc.objects}}
			got := s.health([]tenancy.Tenancy{{Namespace: "a", Releases: []tenancy.Release{rel}}}, []tenancy.Observed{o}, now.Add(tc.after))
			if diff := cmp.Diff(tc.want, found{got.ready[key], got.late[key] != "", got.probation, got.next}); diff != "" {
				t.Errorf("health() (-want +got):\n%s", diff)
			}
			if late := got.late[key]; late != "" && !strings.Contains(late, "revision 2 was not ready after 1m0s: Deployment web has 0 of 1 pods ready") {
				t.Errorf("late = %q", late)
			}
		})
	}
}

func TestTestsAreAskedFor(t *testing.T) {
	for request, want := range map[string]bool{
		"": false, "* 1": true, "a 1": true, "a/web": true, "b 1": false, "a/we 1": false, "1 a": false,
	} {
		ask := tests(request)
		if got := ask != nil && ask(key) == request; got != want {
			t.Errorf("tests(%q) asks: %t, want %t", request, got, want)
		}
	}
}
