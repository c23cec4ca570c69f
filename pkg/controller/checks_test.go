package controller

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// looks is an object as it looks.
func looks(name, mark string) tenancy.Object {
	return tenancy.Object{Version: "v1", Kind: "ConfigMap", Resource: "configmaps", Namespace: "a", Name: name, Mark: mark}
}

// world is what informers tell of objects, by name; what is not in it is not known.
type world map[string]string

func (w world) look(o tenancy.Object) (tenancy.Object, bool) {
	mark, known := w[o.Name]
	return looks(o.Name, mark), known
}

// drifts is a ledger of one release, its revision 1, of the objects a and b.
type drifts struct {
	*Ledger
	policy v1alpha1.DriftPolicy
}

func (d drifts) touched(w world, revision int, at time.Time) []string {
	var out []string
	o := tenancy.Observed{Key: key, Revision: revision, Objects: []tenancy.Object{looks("a", "1"), looks("b", "1")}}
	for _, object := range d.Touched(o, d.policy, w.look, at) {
		out = append(out, object.Name+object.Mark)
	}
	return out
}

// check ends a check of what is touched, which found drift and how the objects look.
func (d drifts) check(at time.Time, err error, objects []tenancy.Object, found ...tenancy.Drift) {
	s := plan.Step{
		Action: plan.Correct, Key: key, Revision: 1, Suspects: []tenancy.Object{looks("a", "2")},
		Release: tenancy.Release{Key: key, Drift: d.policy},
	}
	d.Begin(s, at)
	d.End("example", s, tenancy.Applied{Objects: objects, Drifts: found}, err, at)
}

func (d drifts) told() string { return d.View(nil)[key].Drift }

func newDrifts(policy v1alpha1.DriftPolicy) drifts {
	return drifts{Ledger: NewLedger(func() {}), policy: policy}
}

func TestTouched(t *testing.T) {
	warned := tenancy.Drift{Object: looks("a", "2"), Fields: []string{"data.x"}}
	cases := map[string]struct {
		check  func(*drifts)
		seen   world
		after  time.Duration
		rev    int
		want   []string
		policy v1alpha1.DriftPolicy
	}{
		"what looks as it was left":        {seen: world{"a": "1", "b": "1"}},
		"what looks different, or is gone": {seen: world{"a": "2", "b": ""}, want: []string{"a2", "b"}},
		"what is not known":                {seen: world{"b": "1"}},
		"what was looked at": {
			check: func(d *drifts) { d.check(now, nil, []tenancy.Object{looks("a", "2")}) },
			seen:  world{"a": "2", "b": "1"},
		},
		"what changed after it was looked at": {
			check: func(d *drifts) { d.check(now, nil, []tenancy.Object{looks("a", "2")}) },
			seen:  world{"a": "3", "b": "1"}, want: []string{"a3"},
		},
		"what is no longer the chart's": {
			check: func(d *drifts) { d.check(now, nil, nil) }, seen: world{"a": "2", "b": "1"},
		},
		"what was looked at in another revision": {
			check: func(d *drifts) { d.check(now, nil, []tenancy.Object{looks("a", "2")}) },
			seen:  world{"a": "2", "b": "1"}, rev: 2, want: []string{"a2"},
		},
		"what could not be looked at": {
			check: func(d *drifts) { d.check(now, errBoom, nil) }, seen: world{"a": "2", "b": "1"}, want: []string{"a2"},
		},
		"what was told, and is to be put back now": {
			check: func(d *drifts) { d.check(now, nil, []tenancy.Object{looks("a", "2")}, warned); d.policy = "" },
			seen:  world{"a": "2", "b": "1"}, want: []string{"a2"}, policy: v1alpha1.DriftWarn,
		},
		"what was told": {
			check: func(d *drifts) { d.check(now, nil, []tenancy.Object{looks("a", "2")}, warned) },
			seen:  world{"a": "2", "b": "1"}, policy: v1alpha1.DriftWarn,
		},
		"what was told long ago is looked at again": {
			check: func(d *drifts) { d.check(now, nil, []tenancy.Object{looks("a", "2")}, warned) },
			seen:  world{"a": "2", "b": "1"}, after: correctionsIn + time.Second, want: []string{"a2"}, policy: v1alpha1.DriftWarn,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDrifts(tc.policy)
			if tc.check != nil {
				tc.check(&d)
			}
			if diff := cmp.Diff(tc.want, d.touched(tc.seen, max(tc.rev, 1), now.Add(tc.after))); diff != "" {
				t.Errorf("Touched() (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFightEnds: who changes an object back again and again wins, for a while.
func TestFightEnds(t *testing.T) {
	d := newDrifts("")
	rel := tenancy.Release{Key: key}
	put := tenancy.Drift{Object: looks("a", "2"), Fields: []string{"data.x"}, Corrected: true}
	for i := range mostCorrections {
		if !d.MayCorrect(rel, looks("a", ""), now) {
			t.Fatalf("MayCorrect() = false after %d corrections", i)
		}
		d.check(now, nil, []tenancy.Object{looks("a", "2")}, put)
		if got := d.told(); got != "" {
			t.Errorf("drift %q is told of what was put back", got)
		}
	}
	if d.MayCorrect(rel, looks("a", ""), now) || !d.MayCorrect(rel, looks("b", ""), now) {
		t.Error("MayCorrect() is not false for the object that is fought for, alone")
	}
	left := put
	left.Corrected = false
	d.check(now, nil, []tenancy.Object{looks("a", "3")}, left)
	if got := d.told(); !strings.Contains(got, "ConfigMap a differs in data.x (put back 5 times") {
		t.Errorf("drift = %q, want the fight in it", got)
	}
	seen := world{"a": "3", "b": "1"}
	if got := d.touched(seen, 1, now); got != nil {
		t.Errorf("Touched() = %v, want what is given up left alone", got)
	}
	later := now.Add(correctionsIn + time.Second)
	if got := d.touched(seen, 1, later); len(got) != 1 || !d.MayCorrect(rel, looks("a", ""), later) {
		t.Errorf("Touched() = %v after the time is over, want the object put back", got)
	}
	d.check(later, nil, []tenancy.Object{looks("a", "4")}, put)
	if got := d.told(); got != "" {
		t.Errorf("drift %q is told after the fight ended", got)
	}

	upgrade := step(plan.Upgrade, "d", 1)
	d.check(later, nil, []tenancy.Object{looks("a", "5")}, left)
	d.End("example", upgrade, tenancy.Applied{Revision: 2, Phase: tenancy.PhaseDeployed}, nil, later)
	if d.told() != "" || !d.MayCorrect(rel, looks("a", ""), later) {
		t.Error("a new revision does not forget what was found in the one before")
	}
}

func TestMayCorrectFollowsThePolicy(t *testing.T) {
	d := newDrifts("")
	for policy, want := range map[v1alpha1.DriftPolicy]bool{
		"": true, v1alpha1.DriftCorrect: true, v1alpha1.DriftWarn: false, v1alpha1.DriftIgnore: false,
	} {
		if got := d.MayCorrect(tenancy.Release{Key: key, Drift: policy}, looks("a", ""), now); got != want {
			t.Errorf("MayCorrect() under %q = %t, want %t", policy, got, want)
		}
	}
}

// TestCheckThatFailedInPart: what was put back beside an object that could not be
// counts, and the other one is tried again.
func TestCheckThatFailedInPart(t *testing.T) {
	d := newDrifts("")
	put := tenancy.Drift{Object: looks("b", "3"), Missing: true, Corrected: true}
	for range mostCorrections {
		d.check(now, errBoom, []tenancy.Object{looks("b", "3")}, put)
	}
	if diff := cmp.Diff([]string{"a2"}, d.touched(world{"a": "2", "b": "3"}, 1, now)); diff != "" {
		t.Errorf("Touched() (-want +got):\n%s", diff)
	}
	if d.MayCorrect(tenancy.Release{Key: key}, looks("b", ""), now) {
		t.Error("corrections beside a failure do not count")
	}
	if got := d.told(); got != "boom" {
		t.Errorf("drift = %q, want the failure", got)
	}
}
