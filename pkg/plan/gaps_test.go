package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// TestGaps: where guardrails are missing nothing is made, and what is there may go.
func TestGaps(t *testing.T) {
	guardrails := &tenancy.Guardrails{}
	touched := map[tenancy.Key][]tenancy.Object{{Namespace: "a", Name: "touched"}: {{Kind: "Deployment", Name: "web"}}}
	cases := map[string]struct {
		gap       plan.Gap
		suspended bool
		want      []string
	}{
		"in place": {want: []string{"uninstall old", "install new", "upgrade stale", "correct touched"}},
		"missing": {gap: plan.Gap{Why: "NetworkPolicy x is missing", Apply: true}, want: []string{
			"protect (guardrails)", "uninstall old", "wait new", "wait stale", "wait touched",
		}},
		"not enforced yet": {gap: plan.Gap{Why: "ResourceQuota x is not enforced yet"}, want: []string{
			"uninstall old", "wait new", "wait stale", "wait touched",
		}},
		"more than are wanted": {gap: plan.Gap{Apply: true}, want: []string{
			"protect (guardrails)", "uninstall old", "install new", "upgrade stale", "correct touched",
		}},
		"suspended": {gap: plan.Gap{Why: "NetworkPolicy x is missing", Apply: true}, suspended: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := plan.Facts{
				Controller: owner,
				Desired: []tenancy.Tenancy{{
					Namespace: "a", Suspended: tc.suspended, Guardrails: guardrails,
					Releases: []tenancy.Release{want("new"), want("stale"), want("touched"), want("fine")},
				}},
				Observed: []tenancy.Observed{have("old"), have("stale", changed), have("touched"), have("fine")},
				Touched:  touched,
				Gaps:     map[string]plan.Gap{"a": tc.gap},
			}
			var got []string
			for _, s := range plan.Make(f) {
				got = append(got, string(s.Action)+" "+s.Key.Name)
				if s.Action == plan.Protect && (s.Guardrails != guardrails || s.Reason == "") {
					t.Errorf("the step is %+v", s)
				}
				if s.Action == plan.Wait && !strings.Contains(s.Reason, tc.gap.Why) {
					t.Errorf("%s waits for %q", s.Key, s.Reason)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("the steps (-want +got):\n%s", diff)
			}
		})
	}
}
