package admission

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// charts finds releases whose chart does not exist, or whose values do not fit it, among
// the tenancies that are other than before.
func (v *Validator) charts(f *found, before, cr *v1alpha1.Controller) {
	spec := cr.Spec
	spec.Tenancies = edited(before, cr)
	places := map[string]*field.Path{}
	for i, t := range cr.Spec.Tenancies {
		places[t.Namespace] = field.NewPath("spec", "tenancies").Index(i)
	}
	for _, t := range tenancy.FromSpec(spec, v.Charts, v.References, nil) {
		place := places[t.Namespace]
		if t.Err != nil {
			f.errs = append(f.errs, field.Invalid(place, t.Namespace, tenancy.Message(t.Err)))
			continue
		}
		for _, rel := range t.Releases {
			v.release(f, place, rel)
		}
	}
}

// release judges one release.
func (v *Validator) release(f *found, tenancyAt *field.Path, rel tenancy.Release) {
	err := rel.Err
	if err == nil {
		err = v.Fit(rel)
	}
	switch {
	case err == nil:
	case passes(err):
		f.warnings = append(f.warnings, tenancy.Line(fmt.Sprintf("release %s cannot be checked now: %s", rel.Key, about(err, rel))))
	default:
		// What is invalid may be secret: the release is named, and not its values.
		f.errs = append(f.errs, field.Invalid(tenancyAt.Child("charts").Key(rel.Key.Name), rel.Key.String(), about(err, rel)))
	}
}

// edited are the tenancies that an edit makes other than they were; all of them when it
// changes what decides about all.
func edited(before, cr *v1alpha1.Controller) []v1alpha1.TenancySpec {
	if before == nil || !equality.Semantic.DeepEqual(before.Spec.Plans, cr.Spec.Plans) ||
		!equality.Semantic.DeepEqual(before.Spec.Repositories, cr.Spec.Repositories) {
		return cr.Spec.Tenancies
	}
	had := byNamespace(before)
	var out []v1alpha1.TenancySpec
	for _, t := range cr.Spec.Tenancies {
		if was, ok := had[t.Namespace]; !ok || !equality.Semantic.DeepEqual(was, t) {
			out = append(out, t)
		}
	}
	return out
}

func byNamespace(cr *v1alpha1.Controller) map[string]v1alpha1.TenancySpec {
	out := make(map[string]v1alpha1.TenancySpec, len(cr.Spec.Tenancies))
	for _, t := range cr.Spec.Tenancies {
		out[t.Namespace] = t
	}
	return out
}
