package main

import (
	"fmt"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestTamperedRecord: who may write Secrets in a tenancy does not choose what a rollback
// brings back, nor what a test runs; and a record that nobody touched is gone back to.
func TestTamperedRecord(t *testing.T) {
	operatorNamespace(t)
	t.Setenv("POD_NAMESPACE", "multi-tenancy")
	const name, theirs, ours = "seal", "seal-theirs", "seal-ours"
	startOperator(t, fixture.Home(t, "", picky()))
	back := install("picky", "a")
	back.OnFailure, back.TimeoutSeconds = v1alpha1.FailureRollback, 5
	create(t, name, tenant(theirs, back), tenant(ours, back))
	awaitReady(t, name)
	const planted = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: planted\n"
	rewrite(t, theirs, "a.v1", func(manifest string) string { return manifest + planted })

	kubectl(t, "", "annotate", "controller", name, v1alpha1.AnnotationTest+"="+theirs+"/a now")
	eventually(t, patience, func() error {
		if reasons := kubectl(t, "", "get", "events", "-n", theirs, "-o", "jsonpath={.items[*].reason}"); !strings.Contains(reasons, "TestFailed") {
			return fmt.Errorf("the events are %s", reasons)
		}
		return nil
	})
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		for i := range s.Tenancies {
			s.Tenancies[i].Charts[0].Settings = []v1alpha1.Setting{{Key: "selector", Value: "two"}}
		}
	})
	eventually(t, patience, recorded(t, ours, "a.v3", "deployed"))
	eventually(t, patience, failed(t, name, theirs, "a", "revision 1 of release "+theirs+"/a, in Secret sh.helm.release.v1.a.v1, is not as the operator wrote it"))
	if out := kubectl(t, "", "get", "configmaps", "-n", theirs, "-o", "name"); strings.Contains(out, "planted") {
		t.Errorf("the rollback brought back what somebody planted: %s", out)
	}
	if got := records(t, theirs); got["a.v3"] != "" {
		t.Errorf("the records are %v, want no revision made from what somebody changed", got)
	}
	// The next revision is made from the spec, and sealed again.
	set(t, name, theirs, "selector", "one")
	rechart(t, name, ours, func(charts []v1alpha1.Chart) []v1alpha1.Chart { charts[0].Settings = nil; return charts })
	awaitReady(t, name)
	if recordOf(t, theirs, "a.v3").Annotations[v1alpha1.AnnotationSeal] == "" {
		t.Error("the new record has no seal")
	}
}
