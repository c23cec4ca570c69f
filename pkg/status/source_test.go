package status_test

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// TestChartThatIsFetched: a chart that is on its way is waited for; one that cannot
// be had is a failure.
func TestChartThatIsFetched(t *testing.T) {
	cases := map[string]struct {
		err        error
		want       v1alpha1.ReleasePhase
		wantTenant v1alpha1.TenancyPhase
		wantReason string
	}{
		"on its way":    {tenancy.ErrChartPending, v1alpha1.ReleaseWaiting, v1alpha1.TenancyProgressing, v1alpha1.ReasonProgressing},
		"not available": {tenancy.ErrSource, v1alpha1.ReleaseFailed, v1alpha1.TenancyDegraded, v1alpha1.ReasonReleaseFailed},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			key := tenancy.Key{Namespace: "a", Name: "web"}
			err := fmt.Errorf("release %s: %w", key, tc.err)
			got := status.Rollup(status.Facts{
				Desired: []tenancy.Tenancy{{Namespace: "a", Releases: []tenancy.Release{{Key: key, Err: err}}}},
			}).Controller(nil)
			rel := got.Tenancies[0].Releases[0]
			if rel.Phase != tc.want || rel.Message != err.Error() || got.Tenancies[0].Phase != tc.wantTenant {
				t.Errorf("the release is %s: %s, in a tenancy that is %s", rel.Phase, rel.Message, got.Tenancies[0].Phase)
			}
			if ready := meta.FindStatusCondition(got.Conditions, v1alpha1.ConditionReady); ready.Reason != tc.wantReason {
				t.Errorf("Ready is %s: %s, want %s", ready.Reason, ready.Message, tc.wantReason)
			}
			if got.Summary.Releases.Failed != 0 && tc.want == v1alpha1.ReleaseWaiting {
				t.Error("a release that waits is counted as failed")
			}
		})
	}
}
