package status_test

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// TestATenancyThatCannotBeReadIsTold: also when not one of its releases is known.
func TestATenancyThatCannotBeReadIsTold(t *testing.T) {
	boom := errors.New("plan cannot be used: no such plan")
	cases := map[string]struct {
		releases []tenancy.Release
		observed []tenancy.Observed
		phases   map[string]v1alpha1.ReleasePhase
	}{
		"nothing is known": {},
		"what runs is kept": {
			nil,
			[]tenancy.Observed{{Key: tenancy.Key{Namespace: "a", Name: "web"}, Phase: tenancy.PhaseDeployed, Revision: 3}},
			map[string]v1alpha1.ReleasePhase{"web": v1alpha1.ReleaseHeld},
		},
		"what is known fails": {
			[]tenancy.Release{{Key: tenancy.Key{Namespace: "a", Name: "new"}, Err: boom}},
			[]tenancy.Observed{{Key: tenancy.Key{Namespace: "a", Name: "web"}, Phase: tenancy.PhaseDeployed, Revision: 3}},
			map[string]v1alpha1.ReleasePhase{"new": v1alpha1.ReleaseFailed, "web": v1alpha1.ReleaseHeld},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := status.Rollup(status.Facts{
				Desired: []tenancy.Tenancy{{Namespace: "a", Err: boom, Releases: tc.releases}}, Observed: tc.observed,
			}).Controller(nil)
			entry := got.Tenancies[0]
			if entry.Phase != v1alpha1.TenancyDegraded || entry.Message != boom.Error() || got.Summary.Tenancies.Ready != 0 {
				t.Errorf("tenancy = %+v with %d ready, want it degraded for %q", entry, got.Summary.Tenancies.Ready, boom)
			}
			if len(entry.Releases) != len(tc.phases) {
				t.Errorf("%d releases, want %d", len(entry.Releases), len(tc.phases))
			}
			for _, rel := range entry.Releases {
				if rel.Phase != tc.phases[rel.Name] || rel.Ready {
					t.Errorf("release = %+v, want it %s", rel, tc.phases[rel.Name])
				}
			}
			ready := meta.FindStatusCondition(got.Conditions, v1alpha1.ConditionReady)
			if ready.Reason != v1alpha1.ReasonReleaseFailed || !strings.Contains(ready.Message, boom.Error()) {
				t.Errorf("Ready = %+v, want ReleaseFailed with %q", ready, boom)
			}
			if meta.IsStatusConditionTrue(got.Conditions, v1alpha1.ConditionReconciling) {
				t.Error("Reconciling is True, though nothing is under way")
			}
		})
	}
}
