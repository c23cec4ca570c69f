package main

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestRemovalGuard: an edit that takes too much away waits for a person, and
// holds nothing else up.
func TestRemovalGuard(t *testing.T) {
	const name = "guard"
	op := startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")))
	var tenancies []v1alpha1.TenancySpec
	for i := range 4 {
		tenancies = append(tenancies, tenant(fmt.Sprintf("guard-%d", i), install("conf", "a"), install("conf", "b")))
	}
	create(t, name, tenancies...)
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.MaxRemovals = new(int32(3)) })
	awaitReady(t, name)
	held := func(n int) func() error {
		return func() error {
			cr := get(t, name)
			ready := meta.FindStatusCondition(cr.Status.Conditions, v1alpha1.ConditionReady)
			if ready == nil || ready.Reason != v1alpha1.ReasonRemovalHeld || !strings.Contains(ready.Message, fmt.Sprintf("confirm-removals to \"%d\"", n)) {
				return fmt.Errorf("Ready = %+v, want RemovalHeld with the number %d", ready, n)
			}
			return nil
		}
	}
	there := func(want int) func() error {
		return func() error {
			n := 0
			for _, tn := range tenancies {
				n += len(records(t, tn.Namespace))
			}
			if n != want {
				return fmt.Errorf("%d releases are there, want %d", n, want)
			}
			return nil
		}
	}

	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies = []v1alpha1.TenancySpec{tenant("guard-0", install("conf", "a"), install("conf", "b"), install("conf", "c"))}
	})
	eventually(t, patience, held(6))
	eventually(t, patience, there(9))
	if rel := find(get(t, name), "guard-1", "a"); rel == nil || rel.Phase != v1alpha1.ReleaseHeld {
		t.Errorf("a removal that is held = %+v", rel)
	}
	kubectl(t, "", "annotate", "controller", name, v1alpha1.AnnotationConfirmRemovals+"=5")
	op.stop()
	startOperator(t, op.home)
	eventually(t, patience, held(6))
	eventually(t, patience, there(9))
	kubectl(t, "", "annotate", "--overwrite", "controller", name, v1alpha1.AnnotationConfirmRemovals+"=6")
	eventually(t, patience, there(3))
	awaitReady(t, name)
	if left, ok := get(t, name).Annotations[v1alpha1.AnnotationConfirmRemovals]; ok {
		t.Errorf("the confirmation %q is left for the next edit", left)
	}

	t.Run("the next edit needs one of its own", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			s.MaxRemovals = new(int32(0))
			s.Tenancies[0].Charts = s.Tenancies[0].Charts[:2]
		})
		eventually(t, patience, held(1))
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			s.Tenancies[0].Charts = append(s.Tenancies[0].Charts, install("conf", "c"))
		})
		awaitReady(t, name)
		eventually(t, patience, there(3))
	})
	t.Run("deletion is no edit", func(t *testing.T) {
		kubectl(t, "", "delete", "controller", name)
		eventually(t, patience, there(0))
	})
}

// TestAskedToTryAgain: an annotation ends the wait after a failure.
func TestAskedToTryAgain(t *testing.T) {
	const name = "asked"
	kubectl(t, "", "create", "namespace", name)
	kubectl(t, "", "create", "configmap", "-n", name, "asked-conf")
	startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")))
	create(t, name, tenant(name, install("conf", "")))
	eventually(t, patience, failed(t, name, name, name))
	kubectl(t, "", "delete", "configmap", "-n", name, "asked-conf")
	kubectl(t, "", "annotate", "controller", name, v1alpha1.AnnotationReconcileAt+"=now")
	if took := eventually(t, patience, isReady(t, name)); took > firstWait/2 {
		t.Errorf("it was tried again after %s, want at once", took)
	}
}
