package plan_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

const owner = "example"

func want(name string, change ...func(*tenancy.Release)) tenancy.Release {
	rel := tenancy.Release{Key: tenancy.Key{Namespace: "a", Name: name}, Digest: "new"}
	for _, c := range change {
		c(&rel)
	}
	return rel
}

func have(name string, change ...func(*tenancy.Observed)) tenancy.Observed {
	o := tenancy.Observed{
		Key:        tenancy.Key{Namespace: "a", Name: name},
		Controller: owner, Digest: "new", Revision: 1, Phase: tenancy.PhaseDeployed,
	}
	for _, c := range change {
		c(&o)
	}
	return o
}

func in(phase tenancy.Phase) func(*tenancy.Observed) {
	return func(o *tenancy.Observed) { o.Phase = phase }
}

func changed(o *tenancy.Observed) { o.Digest = "old" }

func position(p int) func(*tenancy.Observed) { return func(o *tenancy.Observed) { o.Position = p } }

func interrupted(o *tenancy.Observed) { o.Interrupted = true }

func foreign(o *tenancy.Observed) { o.Controller = "" }

func TestMake(t *testing.T) {
	type step struct {
		Action plan.Action
		Name   string
	}
	cases := map[string]struct {
		desired   []tenancy.Release
		suspended bool
		observed  []tenancy.Observed
		ready     map[tenancy.Key]bool
		want      []step
	}{
		"what is as it should be needs no step": {
			desired:  []tenancy.Release{want("web")},
			observed: []tenancy.Observed{have("web")},
		},
		"what is missing is installed, in the order of the spec": {
			desired: []tenancy.Release{want("web"), want("db"), want("app")},
			want:    []step{{plan.Install, "web"}, {plan.Install, "db"}, {plan.Install, "app"}},
		},
		"what changed is upgraded": {
			desired:  []tenancy.Release{want("web")},
			observed: []tenancy.Observed{have("web", changed)},
			want:     []step{{plan.Upgrade, "web"}},
		},
		"what nobody wants any more is uninstalled first, last one in first": {
			desired:  []tenancy.Release{want("new")},
			observed: []tenancy.Observed{have("db", position(0)), have("web", position(1))},
			want:     []step{{plan.Uninstall, "web"}, {plan.Uninstall, "db"}, {plan.Install, "new"}},
		},
		"what somebody else upgraded or rolled back is brought back": {
			desired:  []tenancy.Release{want("web")},
			observed: []tenancy.Observed{have("web", func(o *tenancy.Observed) { o.ByHand = true })},
			want:     []step{{plan.Upgrade, "web"}},
		},
		"what failed is upgraded": {
			desired:  []tenancy.Release{want("web")},
			observed: []tenancy.Observed{have("web", in(tenancy.PhaseFailed))},
			want:     []step{{plan.Upgrade, "web"}},
		},
		"what a dead operation left pending is recovered": {
			desired: []tenancy.Release{want("web"), want("db"), want("app")},
			observed: []tenancy.Observed{
				have("web", in(tenancy.PhasePendingInstall), interrupted),
				have("db", in(tenancy.PhasePendingUpgrade), interrupted),
				have("app", in(tenancy.PhasePendingRollback), interrupted),
			},
			want: []step{{plan.Recover, "web"}, {plan.Recover, "db"}, {plan.Recover, "app"}},
		},
		"what somebody works on is waited for": {
			desired: []tenancy.Release{want("web"), want("db")},
			observed: []tenancy.Observed{
				have("web", in(tenancy.PhasePendingUpgrade)), have("db", in(tenancy.PhaseUninstalling)), have("old", in(tenancy.PhaseUninstalling)),
			},
			want: []step{{plan.Wait, "old"}, {plan.Wait, "web"}, {plan.Wait, "db"}},
		},
		"an interrupted uninstall goes on, also of what is wanted again": {
			desired:  []tenancy.Release{want("web")},
			observed: []tenancy.Observed{have("web", in(tenancy.PhaseUninstalling), interrupted), have("db", in(tenancy.PhaseUninstalling), interrupted)},
			want:     []step{{plan.Uninstall, "web"}, {plan.Uninstall, "db"}},
		},
		"what was uninstalled with its history kept is installed": {
			desired:  []tenancy.Release{want("web")},
			observed: []tenancy.Observed{have("web", in(tenancy.PhaseUninstalled))},
			want:     []step{{plan.Install, "web"}},
		},
		"a foreign release of the same name is held, whatever its state": {
			desired:  []tenancy.Release{want("web"), want("db")},
			observed: []tenancy.Observed{have("web", foreign), have("db", foreign, in(tenancy.PhaseFailed))},
			want:     []step{{plan.Hold, "web"}, {plan.Hold, "db"}},
		},
		"a foreign release that nobody wants is left alone": {
			observed: []tenancy.Observed{have("web", foreign)},
		},
		"a release whose spec is wrong is left as it runs": {
			desired:  []tenancy.Release{want("web", func(r *tenancy.Release) { r.Err = errors.New("boom") }), want("db")},
			observed: []tenancy.Observed{have("web", changed)},
			want:     []step{{plan.Install, "db"}},
		},
		"what depends on another waits until that is ready": {
			desired: []tenancy.Release{
				want("web", func(r *tenancy.Release) { r.DependsOn, r.Position = []string{"db"}, 1 }), want("db"),
				want("app", func(r *tenancy.Release) { r.DependsOn, r.Position = []string{"cache"}, 3 }),
				want("cache", func(r *tenancy.Release) { r.Position = 2 }),
			},
			observed: []tenancy.Observed{have("cache")},
			ready:    map[tenancy.Key]bool{{Namespace: "a", Name: "cache"}: true},
			want:     []step{{plan.Install, "db"}, {plan.Wait, "web"}, {plan.Install, "app"}},
		},
		"what is as it should be waits for nobody": {
			desired:  []tenancy.Release{want("web", func(r *tenancy.Release) { r.DependsOn = []string{"db"} })},
			observed: []tenancy.Observed{have("web")},
		},
		"a suspended release is left as it runs": {
			desired:  []tenancy.Release{want("web", func(r *tenancy.Release) { r.Suspended = true })},
			observed: []tenancy.Observed{have("web", changed)},
		},
		"a suspended tenancy keeps what is no longer in it": {
			desired:   []tenancy.Release{want("web")},
			suspended: true,
			observed:  []tenancy.Observed{have("web", changed), have("db")},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			desired := []tenancy.Tenancy{{Namespace: "a", Suspended: tc.suspended, Releases: tc.desired}}
			var got []step
			for _, s := range plan.Make(plan.Facts{Controller: owner, Desired: desired, Observed: tc.observed, Ready: tc.ready}) {
				if s.Reason == "" {
					t.Errorf("step %s %s has no reason", s.Action, s.Key)
				}
				got = append(got, step{s.Action, s.Key.Name})
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Make() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMakeUninstallsATenancyThatIsGone(t *testing.T) {
	observed := []tenancy.Observed{have("db", position(0)), have("web", position(1))}
	got := plan.Make(plan.Facts{Controller: owner, Observed: observed})
	if len(got) != 2 || got[0].Key.Name != "web" || got[1].Key.Name != "db" {
		t.Errorf("Make() = %v, want web and then db uninstalled", got)
	}
}

func TestGuardHoldsRemovalsAlone(t *testing.T) {
	observed := []tenancy.Observed{have("a"), have("b"), have("c"), have("d", in(tenancy.PhaseUninstalling), interrupted), have("old", changed)}
	steps := plan.Make(plan.Facts{
		Controller: owner, Observed: observed,
		Desired: []tenancy.Tenancy{{Namespace: "a", Releases: []tenancy.Release{want("old"), want("new")}}},
	})
	if n := plan.Removals(steps); n != 3 {
		t.Errorf("Removals() = %d, want 3: the uninstall of d has begun", n)
	}
	actions := func(steps []plan.Step) map[string]plan.Action {
		out := map[string]plan.Action{}
		for _, s := range steps {
			out[s.Key.Name] = s.Action
		}
		return out
	}
	free := map[string]plan.Action{
		"a": plan.Uninstall, "b": plan.Uninstall, "c": plan.Uninstall, "d": plan.Uninstall, "old": plan.Upgrade, "new": plan.Install,
	}
	if diff := cmp.Diff(free, actions(plan.Guard(steps, 3))); diff != "" {
		t.Errorf("Guard() of as many as allowed (-want +got):\n%s", diff)
	}
	held := map[string]plan.Action{
		"a": plan.Hold, "b": plan.Hold, "c": plan.Hold, "d": plan.Uninstall, "old": plan.Upgrade, "new": plan.Install,
	}
	if diff := cmp.Diff(held, actions(plan.Guard(steps, 2))); diff != "" {
		t.Errorf("Guard() of more (-want +got):\n%s", diff)
	}
}

// TestNothingIsTakenFromATenancyThatCannotBeRead: what it wants is not known, and its
// neighbours go on.
func TestNothingIsTakenFromATenancyThatCannotBeRead(t *testing.T) {
	boom := errors.New("no such plan")
	neighbour := have("old")
	neighbour.Key.Namespace = "b"
	got := plan.Make(plan.Facts{
		Controller: owner,
		Desired: []tenancy.Tenancy{
			{Namespace: "a", Err: boom, Releases: []tenancy.Release{want("web", func(r *tenancy.Release) { r.Err = boom })}},
			{Namespace: "b"},
		},
		Observed: []tenancy.Observed{have("web", changed), have("db"), have("gone", in(tenancy.PhaseUninstalling), interrupted), neighbour},
	})
	if len(got) != 1 || got[0].Action != plan.Uninstall || got[0].Key != neighbour.Key {
		t.Errorf("Make() = %+v, want the uninstall of %s alone", got, neighbour.Key)
	}
}
