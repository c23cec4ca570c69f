package controller

import (
	"context"
	"strconv"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// guard holds the removals of an edit that takes too much away, until a person has
// confirmed their number. A confirmation holds for the generation it was given
// for, and is kept on the Controller, so that the removals go on after a restart
// and the next edit needs one of its own.
func (s *Schedule) guard(ctx context.Context, cr *v1alpha1.Controller, steps []plan.Step) ([]plan.Step, error) {
	generation := strconv.FormatInt(cr.Generation, 10)
	if deleting(cr) || cr.Annotations[v1alpha1.AnnotationRemovalsConfirmed] == generation {
		return steps, nil
	}
	most, n := tenancy.MaxRemovals(cr.Spec), plan.Removals(steps)
	if n <= most || cr.Annotations[v1alpha1.AnnotationConfirmRemovals] != strconv.Itoa(n) {
		return plan.Guard(steps, most), nil
	}
	after := cr.DeepCopy()
	delete(after.Annotations, v1alpha1.AnnotationConfirmRemovals)
	after.Annotations[v1alpha1.AnnotationRemovalsConfirmed] = generation
	return steps, s.Client.Patch(ctx, after, since(cr))
}
