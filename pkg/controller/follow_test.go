package controller

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/guardrail"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// watched is a Watch that knows some namespaces.
type watched map[string]status.Objects

func (w watched) Synced() bool                                 { return true }
func (w watched) Sync([]string)                                {}
func (w watched) ReleasesUpTo() uint64                         { return 0 }
func (w watched) Releases() []tenancy.Observed                 { return nil }
func (w watched) Look(o tenancy.Object) (tenancy.Object, bool) { return o, false }
func (w watched) Objects() map[string]status.Objects           { return w }
func (w watched) Nodes() status.Nodes                          { return nil }
func (w watched) Lives(string) bool                            { return true }
func (w watched) Guardrails(string) (guardrail.Live, bool)     { return guardrail.Live{}, true }
func (w watched) GuardrailsChange(string) uint64               { return 0 }

// found has references in one state.
type found struct {
	state   tenancy.ReferenceState
	version uint64
}

func (f *found) Lookup(tenancy.Reference, string) ([]byte, tenancy.ReferenceState) {
	return nil, f.state
}
func (f *found) Sync([]tenancy.Reference) {}
func (f *found) Version() uint64          { return f.version }

func referring() *v1alpha1.Controller {
	cr := &v1alpha1.Controller{}
	cr.Generation, cr.Status.ObservedGeneration = 2, 2
	cr.Spec.Tenancies = []v1alpha1.TenancySpec{{Namespace: "a", Charts: []v1alpha1.Chart{{
		ChartName: "web", ValuesFrom: []v1alpha1.ValuesReference{{Kind: v1alpha1.ReferenceSecret, Name: "s"}},
	}}}}
	return cr
}

func TestDesiredIsComputedAnewForReferences(t *testing.T) {
	f, charts := &found{}, &shelf{}
	d := NewDesired(charts, f, "")
	cr := referring()
	if err := d.Of(cr)[0].Releases[0].Err; !errors.Is(err, tenancy.ErrReferencePending) {
		t.Errorf("error = %v, want the reference pending", err)
	}
	f.state = tenancy.ReferenceFound
	d.Of(cr)
	if charts.found != 1 {
		t.Errorf("the spec was read %d times while nothing changed, want once", charts.found)
	}
	f.version++
	if err := d.Of(cr)[0].Releases[0].Err; err != nil {
		t.Errorf("error = %v, want none", err)
	}
}

func TestANewProcessKeepsTheStatusUntilItKnows(t *testing.T) {
	begin := time.Unix(1e9, 0)
	cases := map[string]struct {
		known  watched
		state  tenancy.ReferenceState
		edited bool
		first  bool
		after  time.Duration
		want   time.Duration
	}{
		"nothing is known":             {known: watched{}, want: resync},
		"a reference is not known":     {known: watched{"a": {}}, want: resync},
		"everything is known":          {known: watched{"a": {}}, state: tenancy.ReferenceFound},
		"a reference is missing":       {known: watched{"a": {}}, state: tenancy.ReferenceNoObject},
		"nothing, and it was edited":   {known: watched{}, edited: true, want: resync},
		"there is no status to keep":   {known: watched{}, first: true},
		"it takes too long to be told": {known: watched{}, after: resync},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := &found{state: tc.state}
			r := &Known{Watch: tc.known, Desired: NewDesired(&shelf{}, f, ""), began: begin}
			cr := referring()
			if !tc.first {
				cr.Status.Summary = &v1alpha1.Summary{}
			}
			if tc.edited {
				cr.Generation++
			}
			if got := r.unsettled(cr, begin.Add(tc.after)); got != tc.want {
				t.Errorf("unsettled() = %s, want %s", got, tc.want)
			}
		})
	}
}

// lanes is a Queue that only notes what it is given.
type lanes map[string]queue.Lane

func (l lanes) Lanes() map[string]queue.Lane { return l }
func (l lanes) Load() queue.Load             { return queue.Load{} }
func (l lanes) Replace(lane string, jobs []queue.Job) {
	l[lane] = queue.Lane{Waiting: []queue.Entry{{ID: jobs[0].ID}}}
	jobs[0].Done(jobs[0].Run(context.Background()))
}

// made notes which namespaces are made.
type made []string

func (m *made) EnsureNamespace(_ context.Context, name string) error {
	*m = append(*m, name)
	return nil
}

func TestShelter(t *testing.T) {
	missing := func(ns string) tenancy.Tenancy {
		return tenancy.Tenancy{Namespace: ns, Releases: []tenancy.Release{{Err: tenancy.ErrReference}}}
	}
	held := missing("suspended")
	held.Suspended = true
	fine := tenancy.Tenancy{Namespace: "fine", Releases: []tenancy.Release{{}}}
	unknown := tenancy.Tenancy{Namespace: "unknown", Releases: []tenancy.Release{{Err: tenancy.ErrReferencePending}}}
	want := []tenancy.Tenancy{missing("missing"), missing("installing"), missing("running"), held, fine, unknown}
	steps := []plan.Step{{Action: plan.Install, Key: tenancy.Key{Namespace: "installing", Name: "other"}}}

	var got made
	s := &Schedule{Queue: lanes{"running": {Running: &queue.Entry{}}}, Namespaces: &got}
	now := time.Now()
	s.shelter(want, steps, now)
	s.shelter(want, steps, now)
	if diff := cmp.Diff(made{"missing"}, got); diff != "" {
		t.Errorf("namespaces made (-want +got):\n%s", diff)
	}
	s.shelter(want[:1], nil, now.Add(2*resync))
	if len(got) != 2 {
		t.Errorf("namespaces made = %v, want it looked at again after a while", got)
	}
}
