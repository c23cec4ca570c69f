package main

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// picky is a chart whose upgrade fails when the value selector changes: a
// Deployment's never may.
func picky() fixture.Chart {
	c := fixture.Deployment("picky")
	c.Files["values.yaml"] += "selector: one\n"
	c.Files["templates/deployment.yaml"] = strings.ReplaceAll(c.Files["templates/deployment.yaml"],
		"app: {{ .Release.Name }}", "app: {{ .Values.selector }}")
	return c
}

// crashing makes the pods of charts crash.
func crashing(charts []v1alpha1.Chart) []v1alpha1.Chart {
	for i := range charts {
		charts[i].Settings = []v1alpha1.Setting{{
			Key: `podLabels.pod-container-running-failed\.stage\.kwok\.x-k8s\.io`, Value: "true", Type: v1alpha1.SettingString,
		}}
	}
	return charts
}

// TestFailurePolicies: what follows a failure is what the release says, fault
// rows 40, 46 and 65.
func TestFailurePolicies(t *testing.T) {
	const name = "policy"
	home := fixture.Home(t, "", picky(), fixture.ConfigMap("conf"))
	op := startOperator(t, home)
	with := func(c v1alpha1.Chart, p v1alpha1.FailurePolicy) v1alpha1.Chart {
		c.OnFailure, c.TimeoutSeconds, c.Retries = p, 5, new(int32(1))
		return c
	}
	charts := func(settings ...string) []v1alpha1.Chart {
		return []v1alpha1.Chart{
			with(install("picky", "retry", settings...), v1alpha1.FailureRetry),
			with(install("picky", "back", settings...), v1alpha1.FailureRollback),
			with(install("picky", "hold", settings...), v1alpha1.FailureHold),
		}
	}
	create(t, name, tenant(name, charts()...))
	awaitReady(t, name)
	says := func(release string, phase v1alpha1.ReleasePhase, ready bool, parts ...string) func() error {
		return func() error {
			rel := find(get(t, name), name, release)
			if rel == nil || rel.Phase != phase || rel.Ready != ready {
				return fmt.Errorf("%s is %+v, want phase %s and ready=%t", release, rel, phase, ready)
			}
			for _, part := range parts {
				if !strings.Contains(rel.Message, part) {
					return fmt.Errorf("%s says %q, want %q", release, rel.Message, part)
				}
			}
			return nil
		}
	}
	stalled := func(reason string) func() error {
		return func() error {
			for _, c := range get(t, name).Status.Conditions {
				if c.Type == v1alpha1.ConditionStalled && c.Status == metav1.ConditionTrue && c.Reason == reason {
					return nil
				}
			}
			return fmt.Errorf("Stalled is not True for %s: %+v", reason, get(t, name).Status.Conditions)
		}
	}
	use := func(charts []v1alpha1.Chart) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies[0].Charts = charts })
	}

	t.Run("an upgrade that fails", func(t *testing.T) {
		use(charts("selector", "two"))
		eventually(t, patience, says("retry", v1alpha1.ReleaseFailed, false, "given up after 2 tries", "Deployment", "selector", "immutable"))
		eventually(t, patience, says("back", v1alpha1.ReleaseHeld, false, "rolled back", "selector", "immutable"))
		eventually(t, patience, says("hold", v1alpha1.ReleaseHeld, false, "selector", "immutable", v1alpha1.AnnotationResetFailures))
		eventually(t, patience, stalled(v1alpha1.ReasonRetriesExhausted))
		wantRecords(t, name, map[string]string{
			"retry.v1": "deployed", "retry.v2": "failed", "retry.v3": "failed",
			"back.v1": "superseded", "back.v2": "failed", "back.v3": "deployed",
			"hold.v1": "deployed", "hold.v2": "failed",
		})
	})
	held := records(t, name)
	op.stop()
	startOperator(t, home)
	t.Run("a restart tries nothing of it again but what was given up", func(t *testing.T) {
		eventually(t, patience, says("retry", v1alpha1.ReleaseFailed, false, "given up after 2 tries"))
		eventually(t, patience, says("back", v1alpha1.ReleaseHeld, false, "rolled back", "immutable"))
		eventually(t, patience, says("hold", v1alpha1.ReleaseHeld, false, "revision 2 failed"))
		for record, state := range records(t, name) {
			if _, was := held[record]; !was && !strings.HasPrefix(record, "retry.") {
				t.Errorf("the restart made record %s, %s", record, state)
			}
		}
	})
	t.Run("an edit mends it", func(t *testing.T) {
		use(charts())
		awaitReady(t, name)
		if got := records(t, name); got["back.v3"] != "deployed" || got["back.v4"] != "" {
			t.Errorf("records = %v, want what was rolled back to untouched: it is what is wanted", got)
		}
	})
	t.Run("pods that do not become ready", func(t *testing.T) {
		use(crashing(charts()))
		eventually(t, patience, says("retry", v1alpha1.ReleaseDeployed, false, "more than 5s after revision"))
		eventually(t, patience, says("hold", v1alpha1.ReleaseDeployed, false, "more than 5s after revision"))
		eventually(t, patience, says("back", v1alpha1.ReleaseHeld, false, "rolled back", "was not ready after 5s", "Deployment back-picky"))
		eventually(t, patience, stalled(v1alpha1.ReasonHeld))
		eventually(t, patience, func() error {
			w := find(get(t, name), name, "back").Workloads
			if len(w) != 1 || w[0].Ready != 1 || w[0].Updated != 1 {
				return fmt.Errorf("the workloads after the rollback are %+v", w)
			}
			return nil
		})
	})
	t.Run("a person asks to try again", func(t *testing.T) {
		before := find(get(t, name), name, "back").Revision
		kubectl(t, "", "annotate", "controller", name, v1alpha1.AnnotationResetFailures+"=now")
		eventually(t, patience, func() error {
			if got := find(get(t, name), name, "back").Revision; got <= before {
				return fmt.Errorf("revision %d is not tried again", got)
			}
			return nil
		})
		use(charts())
		awaitReady(t, name)
	})
}
