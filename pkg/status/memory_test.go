package status_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// TestMemory lets one thing change after the other: what is remembered must never show,
// and what is not new must not be looked at again.
func TestMemory(t *testing.T) {
	const all = 6
	f := many(all)
	look := uint64(all)
	// relook is what the informers do when something changed in a namespace.
	relook := func(i int, change func(*status.Objects)) {
		ns := f.Desired[i].Namespace
		objects := f.Objects[ns]
		pods := objects.Pods
		objects.Pods = nil
		for _, p := range pods {
			objects.Pods = append(objects.Pods, p.DeepCopy())
		}
		change(&objects)
		look++
		objects.Look = look
		f.Objects[ns] = objects
	}
	key := func(i int) tenancy.Key { return f.Desired[i].Releases[0].Key }
	steps := []struct {
		name   string
		change func()
		anew   int // tenancies
	}{
		{"at first", func() {}, all},
		{"nothing", func() {}, 0},
		{"a pod is not ready", func() { relook(1, func(o *status.Objects) { notReady(o.Pods[0]) }) }, 1},
		{"it is still not ready, and time goes by", func() {}, 1},
		{"it is ready", func() {
			relook(1, func(o *status.Objects) { o.Pods[0].Status.Conditions[0].Status = corev1.ConditionTrue })
		}, 1},
		{"and stays so", func() {}, 0},
		{"guardrails cannot be put in place", func() {
			f.Work = map[tenancy.Key]status.Work{tenancy.GuardrailsKey(f.Desired[0].Namespace): {Failure: "no"}}
		}, 1},
		{"they are in place", func() { f.Work = nil }, 1},
		{"a pod restarted", func() { relook(2, func(o *status.Objects) { o.Pods[0].Status.ContainerStatuses[0].RestartCount = 3 }) }, 1},
		{"a release is queued", func() { f.Work = map[tenancy.Key]status.Work{key(3): {Phase: v1alpha1.ReleaseQueued}} }, 1},
		{"one drifted as well", func() { f.Work[key(4)] = status.Work{Drift: "Deployment web"} }, 1},
		{"work is over", func() { f.Work = nil }, 2},
		{"there is a revision more", func() { f.Observed[4].Revision++ }, 1},
		{"the spec is edited", func() {
			releases := []tenancy.Release{f.Desired[5].Releases[0], f.Desired[5].Releases[1]}
			releases[0].Digest = "other"
			f.Desired[5].Releases = releases
		}, 1},
		{"the edit is not done", func() {}, 1},
		{"a tenancy is suspended", func() { f.Desired[0].Suspended = true }, 2},
		{"a tenancy is not understood", func() { f.Desired[2].Err = cmpopts.AnyError }, 2},
		{"a tenancy is gone", func() { f.Desired = f.Desired[1:] }, 3},
		{"a node is lost", func() { f.Nodes = status.Nodes{"node": false} }, all},
	}
	var memory status.Memory
	known := map[*status.Standing]bool{}
	for _, step := range steps {
		step.change()
		got, want := memory.Rollup(f), status.Rollup(f)
		ignore := cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime")
		if diff := cmp.Diff(want.Controller(nil), got.Controller(nil), ignore); diff != "" {
			t.Errorf("%s: the status (-without a memory, +with one):\n%s", step.name, diff)
		}
		anew := 0
		for _, s := range got.Tenancies {
			if !known[s] {
				anew++
			}
			known[s] = true
		}
		if anew != step.anew {
			t.Errorf("%s: %d tenancies were looked at, want %d", step.name, anew, step.anew)
		}
	}
}
