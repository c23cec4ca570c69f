package admission

import (
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// removals refuses an edit that takes more releases out of the spec than maxRemovals
// lets, unless it is confirmed in the same edit, and one that gives a release another
// chart: that would be another application in its place.
func removals(f *found, before, cr *v1alpha1.Controller) {
	had, have := tenancy.Names(before.Spec), tenancy.Names(cr.Spec)
	gone := 0
	for key, chart := range had {
		now, stays := have[key]
		switch {
		case !stays:
			gone++
		case now != chart:
			f.errs = append(f.errs, field.Forbidden(field.NewPath("spec", "tenancies"), fmt.Sprintf(
				"release %s has chart %s, and a release stays with its chart; give chart %s another releaseName, or take the release out first", key, chart, now)))
		}
	}
	if most := tenancy.MaxRemovals(cr.Spec); gone > most && cr.Annotations[v1alpha1.AnnotationConfirmRemovals] != strconv.Itoa(gone) {
		f.errs = append(f.errs, field.Forbidden(field.NewPath("spec", "tenancies"), fmt.Sprintf(
			"this takes away %d releases, more than maxRemovals (%d); to go on, set the annotation %s to \"%d\" in the same edit",
			gone, most, v1alpha1.AnnotationConfirmRemovals, gone)))
	}
}
