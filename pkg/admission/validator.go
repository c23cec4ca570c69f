// Package admission answers the API server whether a Controller may be stored as it is,
// where the schema of the resource cannot tell. It changes nothing but defaults that it
// makes visible.
package admission

import (
	"context"
	"errors"
	"fmt"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Validator refuses Controllers, and edits of them, that cannot be what is meant.
type Validator struct {
	// Reader lists Controllers as they are stored.
	Reader     client.Reader
	Charts     tenancy.Charts
	References tenancy.References
	// Fit says whether the values of a release fit its chart.
	Fit func(tenancy.Release) error
	// Manages says whether somebody may change every tenancy.
	Manages func(context.Context, authenticationv1.UserInfo) (bool, error)
	// Self is the name of the operator's own user.
	Self string
}

var _ admission.Validator[*v1alpha1.Controller] = (*Validator)(nil)

// found are problems, and what is worth a warning.
type found struct {
	errs     field.ErrorList
	warnings admission.Warnings
}

// ValidateCreate refuses a second Controller, and one that does not fit its charts.
func (v *Validator) ValidateCreate(ctx context.Context, cr *v1alpha1.Controller) (admission.Warnings, error) {
	var all v1alpha1.ControllerList
	if err := v.Reader.List(ctx, &all); err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("list Controllers: %w", err))
	}
	if active := other(all.Items, cr.Name); active != "" {
		return nil, apierrors.NewForbidden(v1alpha1.GroupVersion.WithResource("controllers").GroupResource(), cr.Name,
			fmt.Errorf("Controller %s is the active one and there is one per cluster; add the tenancies to %s", active, active)) //nolint:staticcheck // the kind is a name
	}
	var f found
	v.charts(&f, nil, cr)
	return f.answer(cr)
}

// ValidateUpdate refuses an edit that the editor may not make, that takes away more than
// maxRemovals lets, that gives a release another chart, or does not fit its charts.
// Nobody is kept from removing what is wrong: only what the edit touches is looked at.
func (v *Validator) ValidateUpdate(ctx context.Context, before, cr *v1alpha1.Controller) (admission.Warnings, error) {
	if !cr.DeletionTimestamp.IsZero() {
		return nil, nil // it goes
	}
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	if err := v.mayEdit(ctx, req.UserInfo, before, cr); err != nil {
		return nil, err
	}
	var f found
	if req.UserInfo.Username != v.Self {
		marks(&f, before, cr)
	}
	removals(&f, before, cr)
	v.charts(&f, before, cr)
	return f.answer(cr)
}

// ValidateDelete refuses nothing: what a deletion does is up to deletionPolicy.
func (v *Validator) ValidateDelete(context.Context, *v1alpha1.Controller) (admission.Warnings, error) {
	return nil, nil
}

// namedAtMost is how many problems an answer names.
const namedAtMost = 5

// answer refuses with all that was found, as far as it is short.
func (f *found) answer(cr *v1alpha1.Controller) (admission.Warnings, error) {
	if more := len(f.warnings) - namedAtMost; more > 0 {
		f.warnings = append(f.warnings[:namedAtMost], fmt.Sprintf("and %d more warnings", more))
	}
	if len(f.errs) == 0 {
		return f.warnings, nil
	}
	errs := f.errs
	if more := len(errs) - namedAtMost; more > 0 {
		errs = append(errs[:namedAtMost:namedAtMost], field.Forbidden(field.NewPath("spec"), fmt.Sprintf("and %d more problems", more)))
	}
	return f.warnings, apierrors.NewInvalid(v1alpha1.GroupVersion.WithKind("Controller").GroupKind(), cr.Name, errs)
}

// other is the Controller that is active before one of that name is; empty for none.
func other(all []v1alpha1.Controller, name string) string {
	var active *v1alpha1.Controller
	for i := range all {
		cr := &all[i]
		if cr.Name != name && (active == nil || cr.CreationTimestamp.Before(&active.CreationTimestamp)) {
			active = cr
		}
	}
	if active == nil {
		return ""
	}
	return active.Name
}

// marks refuses to touch what the operator alone writes on a Controller.
func marks(f *found, before, cr *v1alpha1.Controller) {
	name := v1alpha1.AnnotationRemovalsConfirmed
	if now := cr.Annotations[name]; now != "" && now != before.Annotations[name] {
		f.errs = append(f.errs, field.Forbidden(field.NewPath("metadata", "annotations").Key(name),
			"the operator alone writes it; to confirm removals, set "+v1alpha1.AnnotationConfirmRemovals))
	}
}

// about is an error as one sentence without what it is about.
func about(err error, rel tenancy.Release) string {
	return tenancy.Line(strings.TrimPrefix(tenancy.Redact(err.Error(), rel), fmt.Sprintf("release %s: ", rel.Key)))
}

// passes says that an error is none of the spec's: what is needed may come, or come back.
func passes(err error) bool {
	return tenancy.Pending(err) || tenancy.Passing(err) || errors.Is(err, tenancy.ErrSource) || errors.Is(err, tenancy.ErrReference)
}
