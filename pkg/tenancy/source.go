package tenancy

import "multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"

// SourcesOf lists the repositories of a spec, and each chart that is wanted of them
// once, however many tenancies have it.
func SourcesOf(spec v1alpha1.ControllerSpec) ([]Repository, []ChartRef) {
	repositories := make([]Repository, 0, len(spec.Repositories))
	for _, r := range spec.Repositories {
		repositories = append(repositories, Repository{Name: r.Name, URL: r.URL, SecretName: r.SecretName, Insecure: r.Insecure})
	}
	var refs []ChartRef
	seen := map[ChartRef]bool{}
	plans := blueprintsOf(spec.Plans)
	for _, t := range spec.Tenancies {
		charts, err := expand(t, plans)
		if err != nil {
			continue // FromSpec tells it
		}
		for _, c := range charts {
			ref := refOf(c.Chart)
			if ref.Repository == "" || seen[ref] {
				continue
			}
			seen[ref] = true
			refs = append(refs, ref)
		}
	}
	return repositories, refs
}

func refOf(c v1alpha1.Chart) ChartRef {
	return ChartRef{Repository: c.Repository, Name: c.ChartName, Version: c.Version}
}
