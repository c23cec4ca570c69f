package plan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func onFailure(p v1alpha1.FailurePolicy) func(*tenancy.Release) {
	return func(r *tenancy.Release) { r.OnFailure = p }
}

func underDrift(p v1alpha1.DriftPolicy) func(*tenancy.Release) {
	return func(r *tenancy.Release) { r.Drift = p }
}

func adopting(r *tenancy.Release) { r.Adopt = true }

func wrong(r *tenancy.Release) { r.Err = errors.New("boom") }

func paused(r *tenancy.Release) { r.Suspended = true }

func failed(o *tenancy.Observed) { o.Phase = tenancy.PhaseFailed }

func good(o *tenancy.Observed) { o.Good = 7 }

func verified(o *tenancy.Observed) { o.Verified = true }

func byHand(o *tenancy.Observed) { o.ByHand = true }

// back is a revision that was rolled back to, from what is wanted.
func back(o *tenancy.Observed) { o.Digest, o.FailedDigest, o.Cause = "old", "new", "it broke" }

func tested(o *tenancy.Observed) { o.Test = tenancy.Test{Request: "now", Revision: 1} }

func TestVerdict(t *testing.T) {
	key := tenancy.Key{Namespace: "a", Name: "web"}
	rollback, hold := onFailure(v1alpha1.FailureRollback), onFailure(v1alpha1.FailureHold)
	conf := tenancy.Object{Kind: "ConfigMap", Name: "conf", Mark: "2"}
	touched := func(f *plan.Facts) { f.Touched = map[tenancy.Key][]tenancy.Object{key: {conf}} }
	late := func(f *plan.Facts) { f.Late = map[tenancy.Key]string{key: "not ready after 5m"} }
	ready := func(f *plan.Facts) { f.Ready = map[tenancy.Key]bool{key: true} }
	reset := func(f *plan.Facts) { f.Reset = map[tenancy.Key]bool{key: true} }
	failure := func(f *plan.Facts) { f.Failures = map[tenancy.Key]string{key: "hook failed"} }
	waiting := func(f *plan.Facts) { f.Waiting = map[tenancy.Key]bool{key: true} }
	ask := func(f *plan.Facts) { f.Tests = func(tenancy.Key) string { return "now" } }
	all := func(changes ...func(*plan.Facts)) func(*plan.Facts) {
		return func(f *plan.Facts) {
			for _, c := range changes {
				c(f)
			}
		}
	}
	type verdict struct {
		Action plan.Action
		// Says is what is in the reason.
		Says string
		To   int
		Held bool
	}
	cases := map[string]struct {
		desired  tenancy.Release
		observed tenancy.Observed
		facts    func(*plan.Facts)
		want     verdict
	}{
		"a foreign release is adopted":                     {want("web", adopting), have("web", foreign), nil, verdict{Action: plan.Upgrade, Says: "adopted"}},
		"a foreign release somebody works on is not":       {want("web", adopting), have("web", foreign, in(tenancy.PhasePendingUpgrade)), nil, verdict{Action: plan.Wait, Says: "another Helm operation"}},
		"a foreign release is not put back":                {want("web"), have("web", foreign), touched, verdict{Action: plan.Hold, Says: "adopt: true"}},
		"what failed is tried again":                       {want("web", onFailure(v1alpha1.FailureRetry)), have("web", failed, good), failure, verdict{Action: plan.Upgrade, Says: "failed"}},
		"what failed is held":                              {want("web", hold), have("web", failed, good), failure, verdict{Action: plan.Hold, Says: "hook failed; change the spec"}},
		"what failed before this process is held":          {want("web", hold), have("web", failed), nil, verdict{Action: plan.Hold, Says: "revision 1 failed"}},
		"what failed is rolled back":                       {want("web", rollback), have("web", failed, good), failure, verdict{Action: plan.Rollback, Says: "hook failed", To: 7}},
		"what failed with nothing to go back to is held":   {want("web", rollback), have("web", failed), failure, verdict{Action: plan.Hold, Says: "hook failed"}},
		"what failed as it was before is replaced":         {want("web", hold), have("web", failed, changed), nil, verdict{Action: plan.Upgrade, Says: "failed"}},
		"what failed is tried again when asked":            {want("web", hold), have("web", failed), reset, verdict{Action: plan.Upgrade, Says: "asked"}},
		"what was rolled back is held":                     {want("web", rollback), have("web", back, good), nil, verdict{Action: plan.Hold, Says: "rolled back: it broke"}},
		"what was rolled back is held whatever the policy": {want("web"), have("web", back, good), nil, verdict{Action: plan.Hold, Says: "rolled back"}},
		"what was rolled back is not late":                 {want("web", rollback), have("web", back, good), late, verdict{Action: plan.Hold, Says: "rolled back"}},
		"what was rolled back is tried again when asked":   {want("web", rollback), have("web", back, good), reset, verdict{Action: plan.Upgrade, Says: "asked"}},
		"what was rolled back is replaced by another":      {want("web", rollback, func(r *tenancy.Release) { r.Digest = "newer" }), have("web", back, good), nil, verdict{Action: plan.Upgrade, Says: "changed"}},
		"what was rolled back is wanted again":             {want("web", rollback, func(r *tenancy.Release) { r.Digest = "old" }), have("web", back, good), nil, verdict{}},
		"what was rolled back and changed by hand":         {want("web", rollback), have("web", back, byHand), nil, verdict{Action: plan.Upgrade, Says: "somebody else"}},
		"a rollback that failed":                           {want("web", rollback), have("web", back, good, failed), nil, verdict{Action: plan.Rollback, Says: "it broke", To: 7}},
		"a rollback that failed, and nothing is left":      {want("web", rollback), have("web", back, failed), nil, verdict{Action: plan.Hold, Says: "rolled back"}},
		"a rollback that was interrupted":                  {want("web", rollback), have("web", back, good, in(tenancy.PhasePendingRollback), interrupted), nil, verdict{Action: plan.Rollback, Says: "it broke", To: 7}},
		"a rollback that was interrupted, another wanted":  {want("web", func(r *tenancy.Release) { r.Digest = "newer" }), have("web", back, good, in(tenancy.PhasePendingRollback), interrupted), nil, verdict{Action: plan.Recover, Says: "interrupted"}},
		"what is late is rolled back":                      {want("web", rollback), have("web", good), late, verdict{Action: plan.Rollback, Says: "not ready after 5m", To: 7}},
		"what is late with nothing to go back to":          {want("web", rollback), have("web"), late, verdict{}},
		"what was ready before is never late":              {want("web", rollback), have("web", good, verified), late, verdict{}},
		"what is late under another policy":                {want("web", hold), have("web", good), late, verdict{}},
		"what became ready is noted":                       {want("web", rollback), have("web", good), ready, verdict{Action: plan.Verify, Says: "ready"}},
		"what became ready is noted once":                  {want("web", rollback), have("web", verified), ready, verdict{}},
		"what is ready under another policy":               {want("web"), have("web"), ready, verdict{}},
		"the same state again after it was rolled back":    {want("web", rollback), have("web", good, func(o *tenancy.Observed) { o.FailedDigest = "new" }), all(late, ready), verdict{}},
		"a test that is asked for":                         {want("web"), have("web"), ask, verdict{Action: plan.Test, Says: "asked for"}},
		"a test that was answered":                         {want("web"), have("web", tested), ask, verdict{}},
		"a test of what is to be changed":                  {want("web"), have("web", changed), ask, verdict{Action: plan.Upgrade, Says: "changed"}},
		"a test of what is suspended":                      {want("web", paused), have("web"), ask, verdict{}},
		"what was touched":                                 {want("web"), have("web"), touched, verdict{Action: plan.Correct, Says: "touched"}},
		"what was touched and is to be told":               {want("web", underDrift(v1alpha1.DriftWarn)), have("web"), touched, verdict{Action: plan.Correct, Says: "touched"}},
		"what was touched and is to be left":               {want("web", underDrift(v1alpha1.DriftIgnore)), have("web"), touched, verdict{}},
		"what was touched while it is held":                {want("web"), have("web", back), touched, verdict{Action: plan.Correct, Says: "touched", Held: true}},
		"what was touched while the spec is wrong":         {want("web", wrong), have("web"), touched, verdict{Action: plan.Correct, Says: "touched"}},
		"what was touched while it is suspended":           {want("web", paused), have("web"), touched, verdict{}},
		"what was touched, before it is tested":            {want("web"), have("web"), all(touched, ask), verdict{Action: plan.Correct, Says: "touched"}},
		"what was touched while its upgrade must wait":     {want("web"), have("web", changed), all(touched, waiting), verdict{Action: plan.Correct, Says: "touched"}},
		"what was touched while it waits for another": {
			want("web", func(r *tenancy.Release) { r.DependsOn = []string{"db"} }), have("web", changed), touched, verdict{Action: plan.Correct, Says: "touched"},
		},
		"what was touched and failed":           {want("web", hold), have("web", failed), touched, verdict{Action: plan.Hold, Says: "failed"}},
		"what was touched and changed by hand":  {want("web", wrong), have("web", byHand), touched, verdict{}},
		"what was touched and is to be changed": {want("web"), have("web", changed), touched, verdict{Action: plan.Upgrade, Says: "changed"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			facts := plan.Facts{
				Controller: owner, Observed: []tenancy.Observed{tc.observed},
				Desired: []tenancy.Tenancy{{Namespace: "a", Releases: []tenancy.Release{tc.desired}}},
			}
			if tc.facts != nil {
				tc.facts(&facts)
			}
			var got verdict
			steps := plan.Make(facts)
			if len(steps) > 1 {
				t.Fatalf("Make() = %+v, want one step at most", steps)
			}
			for _, s := range steps {
				got = verdict{Action: s.Action, Says: s.Reason, To: s.To, Held: s.Held != ""}
				if strings.Contains(s.Reason, tc.want.Says) {
					got.Says = tc.want.Says
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Make() (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStepHasWhatItsActionNeeds: the revision a step makes, or works on, and what
// it is about.
func TestStepHasWhatItsActionNeeds(t *testing.T) {
	key := tenancy.Key{Namespace: "a", Name: "web"}
	facts := func(o tenancy.Observed) plan.Facts {
		return plan.Facts{
			Controller: owner, Observed: []tenancy.Observed{o},
			Desired: []tenancy.Tenancy{{Namespace: "a", Releases: []tenancy.Release{want("web")}}},
			Touched: map[tenancy.Key][]tenancy.Object{key: {{Name: "conf"}}},
		}
	}
	correct := plan.Make(facts(have("web", tested)))[0]
	if correct.Revision != 1 || correct.Release.Revision != 1 || len(correct.Suspects) != 1 {
		t.Errorf("a correction is %+v, want it of revision 1 with its suspect", correct)
	}
	upgrade := plan.Make(facts(have("web", changed, tested)))[0]
	if upgrade.Revision != 1 || upgrade.Release.Revision != 2 || upgrade.Release.Test.Request != "now" || len(upgrade.Suspects) != 0 {
		t.Errorf("an upgrade is %+v, want it to make revision 2 that keeps the last test", upgrade)
	}
	f := facts(have("web"))
	f.Touched, f.Tests = nil, func(tenancy.Key) string { return "now" }
	if test := plan.Make(f)[0]; test.Request != "now" || test.Release.Revision != 1 {
		t.Errorf("a test is %+v, want what asked for it", test)
	}
}
