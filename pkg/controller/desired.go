package controller

import (
	"cmp"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Charts is what both reconcilers need from chart sources.
type Charts interface {
	tenancy.Charts
	// Sync sets what is wanted of chart repositories. It does not wait.
	Sync(repositories []tenancy.Repository, refs []tenancy.ChartRef)
	// Version changes whenever Find may answer differently.
	Version() uint64
}

// References is what both reconcilers need from the objects values are taken from.
type References interface {
	tenancy.References
	// Sync sets which objects are followed.
	Sync(objects []tenancy.Reference)
	// Version changes whenever Lookup may answer differently.
	Version() uint64
}

// Desired turns specs into desired tenancies, once for each spec and state of the
// charts and of the objects values are taken from: a thousand tenancies are looked
// at for every pod that changes. What it returns is shared and must not be changed.
type Desired struct {
	charts     Charts
	references References
	// account is the ServiceAccount of tenancies for which the spec names none.
	account string

	mu        sync.Mutex
	synced    string
	of        string
	tenancies []tenancy.Tenancy

	// spec is what they were made of, in that state of charts and references.
	spec  v1alpha1.ControllerSpec
	state string
}

// NewDesired makes one that finds charts in charts, and what valuesFrom names in
// references. account is the ServiceAccount of tenancies for which the spec names none;
// empty for the operator itself.
func NewDesired(charts Charts, references References, account string) *Desired {
	return &Desired{charts: charts, references: references, account: account}
}

// Of is what shall run for a Controller. While it is being deleted, nothing shall.
func (d *Desired) Of(cr *v1alpha1.Controller) []tenancy.Tenancy {
	d.mu.Lock()
	defer d.mu.Unlock()
	if deleting(cr) {
		d.sync("", v1alpha1.ControllerSpec{})
		return nil
	}
	d.sync(fmt.Sprintf("%s %d", cr.UID, cr.Generation), cr.Spec)
	state := fmt.Sprintf("%s %d %d", cr.UID, d.charts.Version(), d.references.Version())
	of := fmt.Sprintf("%s %d", state, cr.Generation)
	if of != d.of {
		spec := cr.Spec
		spec.ServiceAccountName = cmp.Or(spec.ServiceAccountName, d.account)
		d.tenancies = tenancy.FromSpec(spec, d.charts, d.references, d.known(cr.Spec, state))
		d.of, d.state, d.spec = of, state, cr.Spec
	}
	return d.tenancies
}

// known finds what was made of the same tenancy before: an edit of one tenancy of a
// thousand costs a comparison of the others. It is nil when all must be made anew.
func (d *Desired) known(spec v1alpha1.ControllerSpec, state string) func(v1alpha1.TenancySpec) (tenancy.Tenancy, bool) {
	if state != d.state || !equality.Semantic.DeepEqual(forAll(spec), forAll(d.spec)) {
		return nil
	}
	places := make(map[string]int, len(d.spec.Tenancies))
	for i, t := range d.spec.Tenancies {
		places[t.Namespace] = i
	}
	return func(t v1alpha1.TenancySpec) (tenancy.Tenancy, bool) {
		i, ok := places[t.Namespace]
		if !ok || !equality.Semantic.DeepEqual(t, d.spec.Tenancies[i]) {
			return tenancy.Tenancy{}, false
		}
		return d.tenancies[i], true
	}
}

// forAll is what of a spec decides about every tenancy.
func forAll(spec v1alpha1.ControllerSpec) v1alpha1.ControllerSpec {
	spec.Tenancies, spec.Repositories, spec.MaxRemovals, spec.DeletionPolicy = nil, nil, nil, ""
	return spec
}

// sync tells the sources of a spec what is wanted of them, once.
func (d *Desired) sync(of string, spec v1alpha1.ControllerSpec) {
	if of == d.synced {
		return
	}
	d.charts.Sync(tenancy.SourcesOf(spec))
	d.synced = of
}
