package status_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func TestReadinessIsTheTruth(t *testing.T) {
	key := tenancy.Key{Namespace: "a", Name: "web"}
	fine := func() status.Objects {
		return status.Objects{
			Deployments: []*appsv1.Deployment{deployment("web", "web", 1)},
			Pods:        []*corev1.Pod{owned("web-1", "web")},
		}
	}
	cases := map[string]struct {
		facts func() status.Facts
		phase v1alpha1.TenancyPhase
		ready bool
		says  string
	}{
		"everything runs": {
			facts: func() status.Facts { return facts(fine(), "web") },
			phase: v1alpha1.TenancyReady, ready: true,
		},
		"the namespace is not watched yet": {
			facts: func() status.Facts { f := facts(fine(), "web"); f.Objects = nil; return f },
			phase: v1alpha1.TenancyProgressing, says: "not watched yet",
		},
		"what the values are taken from is not known yet": {
			facts: func() status.Facts {
				f := facts(fine(), "web")
				f.Desired[0].Releases[0].Err = tenancy.ErrReferencePending
				return f
			},
			phase: v1alpha1.TenancyProgressing, says: "valuesFrom is being read",
		},
		"what the values are taken from is missing": {
			facts: func() status.Facts {
				f := facts(fine(), "web")
				f.Desired[0].Releases[0].Err = tenancy.ErrReference
				return f
			},
			phase: v1alpha1.TenancyDegraded, says: "valuesFrom cannot be read",
		},
		"pods are starting": {
			facts: func() status.Facts {
				o := fine()
				o.Deployments[0].Status.ReadyReplicas, o.Deployments[0].Status.AvailableReplicas = 0, 0
				notReady(o.Pods[0])
				return facts(o, "web")
			},
			phase: v1alpha1.TenancyProgressing, says: "Deployment web has 0 of 1 pods ready",
		},
		"the controller-manager has not seen the change": {
			facts: func() status.Facts {
				o := fine()
				o.Deployments[0].Generation = 3
				return facts(o, "web")
			},
			phase: v1alpha1.TenancyProgressing,
		},
		"the informer has not seen the change": {
			facts: func() status.Facts {
				f := facts(fine(), "web")
				f.Observed[0].Objects = []tenancy.Object{{Group: "apps", Kind: "Deployment", Namespace: "a", Name: "web", At: 3}}
				return f
			},
			phase: v1alpha1.TenancyProgressing, says: "Deployment web is being updated",
		},
		"a workload was deleted": {
			facts: func() status.Facts {
				f := facts(fine(), "web")
				f.Observed[0].Objects = []tenancy.Object{{Group: "apps", Kind: "StatefulSet", Namespace: "a", Name: "db", At: 1}}
				return f
			},
			phase: v1alpha1.TenancyDegraded, says: "StatefulSet db is missing",
		},
		"old pods are still there": {
			facts: func() status.Facts {
				o := fine()
				o.Deployments[0].Status.Replicas = 2
				return facts(o, "web")
			},
			phase: v1alpha1.TenancyProgressing,
		},
		"what was ready broke": {
			facts: func() status.Facts {
				o := fine()
				o.Deployments[0].Status.AvailableReplicas = 0
				o.Deployments[0].Status.Conditions[0].Reason = "NewReplicaSetAvailable"
				notReady(o.Pods[0])
				return facts(o, "web")
			},
			phase: v1alpha1.TenancyDegraded,
		},
		"a pod crashes": {
			facts: func() status.Facts {
				o := fine()
				o.Deployments[0].Status.AvailableReplicas = 0
				crashing(o.Pods[0])
				return facts(o, "web")
			},
			phase: v1alpha1.TenancyDegraded, says: "pod web-1: CrashLoopBackOff, 4 restarts",
		},
		"its pods are refused": {
			facts: func() status.Facts {
				o := fine()
				o.Pods = nil
				o.Deployments[0].Status.AvailableReplicas = 0
				o.Deployments[0].Status.Conditions = append(o.Deployments[0].Status.Conditions, appsv1.DeploymentCondition{
					Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
					Message: `pods "web-f57b-x7k2p" is forbidden: exceeded quota: none`,
				})
				return facts(o, "web")
			},
			phase: v1alpha1.TenancyDegraded, says: "0 of 1 pods ready; pods are forbidden: exceeded quota: none",
		},
		"a node is gone": {
			facts: func() status.Facts { f := facts(fine(), "web"); f.Nodes = status.Nodes{"other": true}; return f },
			phase: v1alpha1.TenancyDegraded, says: "pod web-1: NodeLost",
		},
		"a node is not ready": {
			facts: func() status.Facts { f := facts(fine(), "web"); f.Nodes = status.Nodes{"node": false}; return f },
			phase: v1alpha1.TenancyDegraded, says: "NodeNotReady",
		},
		"another release's trouble is not this one's": {
			facts: func() status.Facts {
				o := fine()
				o.Deployments = append(o.Deployments, deployment("web-2", "web-2", 1, func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 0 }))
				o.Pods = append(o.Pods, owned("web-2-1", "web-2", crashing))
				return facts(o, "web")
			},
			phase: v1alpha1.TenancyReady, ready: true,
		},
		"the digest is another": {
			facts: func() status.Facts { f := facts(fine(), "web"); f.Observed[0].Digest = "old"; return f },
			phase: v1alpha1.TenancyProgressing, says: "Queued",
		},
		"an operation failed": {
			facts: func() status.Facts {
				f := facts(fine(), "web")
				f.Observed[0].Phase = tenancy.PhaseFailed
				f.Work[key] = status.Work{Failure: "upgrade release a/web: boom"}
				return f
			},
			phase: v1alpha1.TenancyDegraded, says: "boom",
		},
		"nothing is wanted": {
			facts: func() status.Facts { return facts(fine()) },
			phase: v1alpha1.TenancyReady, ready: true,
		},
		"a release is going": {
			facts: func() status.Facts { f := facts(fine(), "web"); f.Desired[0].Releases = nil; return f },
			phase: v1alpha1.TenancyProgressing, says: "to be uninstalled",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := status.Rollup(tc.facts()).Controller(nil)
			tn := got.Tenancies[0]
			ready := meta.FindStatusCondition(got.Conditions, v1alpha1.ConditionReady)
			if tn.Phase != tc.phase || (ready.Status == metav1.ConditionTrue) != tc.ready || ready.ObservedGeneration != 7 {
				t.Errorf("phase %s, Ready %+v; want %s, %t", tn.Phase, ready, tc.phase, tc.ready)
			}
			if !strings.Contains(ready.Message, tc.says) {
				t.Errorf("Ready says %q, want %q in it", ready.Message, tc.says)
			}
		})
	}
}

func TestRollupCountsAndIsStable(t *testing.T) {
	objects := status.Objects{
		Deployments: []*appsv1.Deployment{deployment("web", "web", 2), deployment("other", "other", 1)},
		Pods:        []*corev1.Pod{owned("web-2", "web"), owned("web-1", "web"), owned("other-1", "other", crashing)},
	}
	objects.Deployments[1].Status.AvailableReplicas = 0
	first := status.Rollup(facts(objects, "web", "other")).Controller(nil)
	want := v1alpha1.Summary{
		Tenancies: v1alpha1.Count{Total: 1},
		Releases:  v1alpha1.ReleaseCount{Total: 2, Ready: 1},
		Workloads: v1alpha1.Count{Total: 2, Ready: 1},
		Pods:      v1alpha1.Count{Total: 3, Ready: 2},
	}
	if diff := cmp.Diff(want, *first.Summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	objects.Deployments[0], objects.Deployments[1] = objects.Deployments[1], objects.Deployments[0]
	objects.Pods[0], objects.Pods[2] = objects.Pods[2], objects.Pods[0]
	second := status.Rollup(facts(objects, "web", "other")).Controller(first.Conditions)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the same facts in another order (-first +second):\n%s", diff)
	}
}

func TestMessagesAreShort(t *testing.T) {
	f := facts(status.Objects{}, "web")
	f.Observed[0].Phase = tenancy.PhaseFailed
	f.Work[tenancy.Key{Namespace: "a", Name: "web"}] = status.Work{Failure: strings.Repeat("long ", 100_000)}
	got := status.Rollup(f).Controller(nil)
	for what, text := range map[string]string{
		"condition": meta.FindStatusCondition(got.Conditions, v1alpha1.ConditionReady).Message,
		"tenancy":   got.Tenancies[0].Message,
		"release":   got.Tenancies[0].Releases[0].Message,
	} {
		if len(text) > 1024 {
			t.Errorf("the message of the %s has %d bytes", what, len(text))
		}
	}
}

func ExampleRollup() {
	out := status.Rollup(facts(status.Objects{}, "web")).Controller(nil)
	fmt.Println(out.Tenancies[0].Releases[0].Phase, out.Display.Releases)
	// Output: Deployed 1/1
}
