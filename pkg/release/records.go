package release

import (
	"maps"

	helmrelease "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// records is Helm's storage, which notes what was really written: Helm returns
// a release for what it could not store, too.
type records struct {
	driver.Driver
	secrets *secrets
	// labels are put on a revision that Helm would give those of another one; nil
	// for none.
	labels map[string]string
	// admit is asked before a revision is made, which is before any of it is applied.
	admit    func(*helmrelease.Release) error
	revision int
	phase    tenancy.Phase
}

// Create implements driver.Driver.
func (r *records) Create(key string, rel *helmrelease.Release) error {
	if err := r.admit(rel); err != nil {
		return err
	}
	maps.Copy(rel.Labels, r.labels)
	return r.note(rel, r.Driver.Create(key, rel))
}

// Update implements driver.Driver.
func (r *records) Update(key string, rel *helmrelease.Release) error {
	return r.note(rel, r.Driver.Update(key, rel))
}

func (r *records) note(rel *helmrelease.Release, err error) error {
	if err == nil && rel.Version >= r.revision {
		r.revision, r.phase = rel.Version, tenancy.Phase(rel.Info.Status)
	}
	return err
}
