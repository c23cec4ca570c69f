package controller

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func TestOutcomeOf(t *testing.T) {
	type event struct{ Kind, Reason, Note string }
	const normal, warning = corev1.EventTypeNormal, corev1.EventTypeWarning
	changed := tenancy.Drift{Object: looks("conf", "2"), Fields: []string{"data.x", "data.y"}}
	mended := tenancy.Drift{Object: looks("gone", "2"), Missing: true, Corrected: true}
	foreign := tenancy.Drift{Object: looks("theirs", "2"), Foreign: true}
	cases := map[string]struct {
		action  plan.Action
		applied tenancy.Applied
		err     error
		want    event
	}{
		"an install":        {action: plan.Install, applied: tenancy.Applied{Revision: 1}, want: event{normal, "Installed", "release a/web has revision 1 of chart web 1.0.0: why"}},
		"an upgrade":        {action: plan.Upgrade, applied: tenancy.Applied{Revision: 2}, want: event{normal, "Upgraded", "release a/web has revision 2 of chart web 1.0.0: why"}},
		"a recovery":        {action: plan.Recover, applied: tenancy.Applied{Revision: 2}, want: event{normal, "Recovered", "release a/web has revision 2 of chart web 1.0.0: why"}},
		"a rollback":        {action: plan.Rollback, applied: tenancy.Applied{Revision: 4}, want: event{warning, "RolledBack", "release a/web has revision 4, which is like revision 2: why"}},
		"an uninstall":      {action: plan.Uninstall, want: event{normal, "Uninstalled", "release a/web is uninstalled: why"}},
		"what was verified": {action: plan.Verify},
		"a test": {
			action: plan.Test, applied: tenancy.Applied{Test: tenancy.Test{Phase: v1alpha1.TestSucceeded, Revision: 3}},
			want: event{normal, "Tested", "the tests of release a/web succeeded in revision 3"},
		},
		"a test that failed": {
			action: plan.Test, applied: tenancy.Applied{Test: tenancy.Test{Phase: v1alpha1.TestFailed, Message: "no"}},
			want: event{warning, "TestFailed", "no"},
		},
		"a check that found nothing": {action: plan.Correct},
		"what was put back": {
			action: plan.Correct, applied: tenancy.Applied{Drifts: []tenancy.Drift{mended}},
			want: event{normal, "DriftCorrected", "release a/web: ConfigMap gone is missing"},
		},
		"what was put back, and what was not": {
			action: plan.Correct, applied: tenancy.Applied{Drifts: []tenancy.Drift{mended, changed, foreign}},
			want: event{warning, "DriftDetected", "release a/web: ConfigMap gone is missing; ConfigMap conf differs in data.x, data.y; " +
				"ConfigMap theirs was replaced by one that is not of this release"},
		},
	}
	for action, names := range reasons {
		cases["a failure to "+string(action)] = struct {
			action  plan.Action
			applied tenancy.Applied
			err     error
			want    event
		}{action: action, err: errBoom, want: event{warning, names.failed, "boom"}}
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := step(tc.action, "d", 3)
			s.Reason, s.To = "why", 2
			s.Release.Chart = tenancy.Chart{Name: "web", Version: "1.0.0"}
			kind, reason, note := outcomeOf(s, tc.applied, tc.err)
			if diff := cmp.Diff(tc.want, event{kind, reason, note}); diff != "" {
				t.Errorf("outcomeOf() (-want +got):\n%s", diff)
			}
		})
	}
}
