package controller

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// shelf has every chart, and counts what it is told.
type shelf struct {
	synced, found int
	refs          []tenancy.ChartRef
}

func (s *shelf) Version() uint64 { return 1 }

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
	d := NewDesired(charts, &found{})
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
