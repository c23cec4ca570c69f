package controller

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// shelf has every chart, and counts what it is told.
type shelf struct {
	synced, found int
	version       uint64
	refs          []tenancy.ChartRef
}

func (s *shelf) Version() uint64 { return s.version }

func (s *shelf) Find(ref tenancy.ChartRef) (tenancy.Chart, error) {
	s.found++
	return tenancy.Chart{Name: ref.Name, Digest: "1"}, nil
}

func (s *shelf) Sync(_ []tenancy.Repository, refs []tenancy.ChartRef) {
	s.synced++
	s.refs = refs
}

// TestDesiredSyncsTheSourcesOnce: the sources are told once for each spec, and that
// nothing is wanted when everything goes.
func TestDesiredSyncsTheSourcesOnce(t *testing.T) {
	charts := &shelf{}
	d := NewDesired(charts, &found{}, "")
	cr := &v1alpha1.Controller{ObjectMeta: metav1.ObjectMeta{UID: "1", Generation: 1}, Spec: v1alpha1.ControllerSpec{
		Repositories: []v1alpha1.Repository{{Name: "shop", URL: "https://charts.example.com"}},
		Tenancies:    []v1alpha1.TenancySpec{{Namespace: "a", Charts: []v1alpha1.Chart{{ChartName: "web", Repository: "shop"}}}},
	}}
	for range 3 {
		d.Of(cr)
	}
	if charts.synced != 1 || charts.found != 1 || len(charts.refs) != 1 {
		t.Errorf("the sources were told %d times of %v, and asked %d times", charts.synced, charts.refs, charts.found)
	}
	cr.Generation = 2
	d.Of(cr)
	if charts.synced != 2 {
		t.Errorf("the sources were told %d times, want twice", charts.synced)
	}
	cr.DeletionTimestamp = &metav1.Time{}
	cr.DeletionTimestamp.Time = metav1.Now().Time
	for range 2 {
		if got := d.Of(cr); got != nil || charts.synced != 3 || charts.refs != nil {
			t.Errorf("Of() = %v while it is deleted, and the sources were told %d times of %v", got, charts.synced, charts.refs)
		}
	}
}

// TestAnEditMakesOnlyWhatItTouchesAnew: the others are as they were.
func TestAnEditMakesOnlyWhatItTouchesAnew(t *testing.T) {
	spec := func(values ...string) *v1alpha1.Controller {
		cr := &v1alpha1.Controller{}
		for i, value := range values {
			cr.Spec.Tenancies = append(cr.Spec.Tenancies, v1alpha1.TenancySpec{
				Namespace: string(rune('a' + i)),
				Charts:    []v1alpha1.Chart{{ChartName: "web", Settings: []v1alpha1.Setting{{Key: "x", Value: value}}}},
			})
		}
		return cr
	}
	cases := map[string]struct {
		edit func(*v1alpha1.Controller, *shelf, *found)
		want []bool // whether each was made anew
	}{
		"one tenancy": {edit: func(cr *v1alpha1.Controller, _ *shelf, _ *found) {
			cr.Spec.Tenancies[1].Charts[0].Settings[0].Value = "9"
		}, want: []bool{false, true, false}},
		"another order": {edit: func(cr *v1alpha1.Controller, _ *shelf, _ *found) {
			cr.Spec.Tenancies[0], cr.Spec.Tenancies[2] = cr.Spec.Tenancies[2], cr.Spec.Tenancies[0]
		}, want: []bool{false, false, false}},
		"one is new":      {edit: func(cr *v1alpha1.Controller, _ *shelf, _ *found) { cr.Spec.Tenancies[1].Namespace = "new" }, want: []bool{false, true, false}},
		"everything":      {edit: func(cr *v1alpha1.Controller, _ *shelf, _ *found) { cr.Spec.Suspend = true }, want: []bool{true, true, true}},
		"the plans":       {edit: func(cr *v1alpha1.Controller, _ *shelf, _ *found) { cr.Spec.Plans = []v1alpha1.Plan{{Name: "p"}} }, want: []bool{true, true, true}},
		"the charts":      {edit: func(_ *v1alpha1.Controller, s *shelf, _ *found) { s.version++ }, want: []bool{true, true, true}},
		"referenced data": {edit: func(_ *v1alpha1.Controller, _ *shelf, f *found) { f.version++ }, want: []bool{true, true, true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			charts, references := &shelf{}, &found{}
			d := NewDesired(charts, references, "")
			cr := spec("1", "2", "3")
			before := map[string]*tenancy.Release{}
			for _, tn := range d.Of(cr) {
				before[tn.Namespace] = &tn.Releases[0]
			}
			next := cr.DeepCopy()
			next.Generation++
			tc.edit(next, charts, references)
			var got []bool
			for i, tn := range d.Of(next) {
				if tn.Namespace != next.Spec.Tenancies[i].Namespace {
					t.Errorf("tenancy %d is %s, want %s", i, tn.Namespace, next.Spec.Tenancies[i].Namespace)
				}
				got = append(got, before[tn.Namespace] != &tn.Releases[0])
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("made anew (-want +got):\n%s", diff)
			}
		})
	}
}
