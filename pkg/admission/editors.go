package admission

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// verbManage is the right to change every tenancy, whoever its editors are.
const verbManage = "manage"

// Reviews makes a test of whether somebody has the verb manage for Controllers.
func Reviews(c authorizationclient.SubjectAccessReviewInterface) func(context.Context, authenticationv1.UserInfo) (bool, error) {
	return func(ctx context.Context, user authenticationv1.UserInfo) (bool, error) {
		extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
		for key, value := range user.Extra {
			extra[key] = authorizationv1.ExtraValue(value)
		}
		review, err := c.Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Group: v1alpha1.GroupVersion.Group, Resource: "controllers", Verb: verbManage,
			},
		}}, metav1.CreateOptions{})
		if err != nil {
			return false, fmt.Errorf("ask whether %s may %s controllers: %w", user.Username, verbManage, err)
		}
		return review.Status.Allowed, nil
	}
}

// mayEdit refuses an edit of a tenancy by somebody who is none of its editors. While no
// tenancy has editors, RBAC alone decides.
func (v *Validator) mayEdit(ctx context.Context, user authenticationv1.UserInfo, before, cr *v1alpha1.Controller) error {
	if !ruled(before) && !ruled(cr) {
		return nil
	}
	beyond := trespasses(user, before, cr)
	if beyond == "" {
		return nil
	}
	manages, err := v.Manages(ctx, user)
	switch {
	case err != nil:
		return apierrors.NewInternalError(err)
	case manages:
		return nil
	}
	return apierrors.NewForbidden(v1alpha1.GroupVersion.WithResource("controllers").GroupResource(), cr.Name, fmt.Errorf(
		"%s may not change %s; ask one of its editors, or somebody with the verb %s for controllers.%s", user.Username, beyond, verbManage, v1alpha1.GroupVersion.Group))
}

// ruled says that a tenancy has editors.
func ruled(cr *v1alpha1.Controller) bool {
	return slices.ContainsFunc(cr.Spec.Tenancies, func(t v1alpha1.TenancySpec) bool { return t.Editors != nil })
}

// trespasses names something that an edit changes and that somebody may not change as an
// editor; empty for nothing.
func trespasses(user authenticationv1.UserInfo, before, cr *v1alpha1.Controller) string {
	if !equality.Semantic.DeepEqual(platform(before), platform(cr)) {
		return "what is of all tenancies"
	}
	had, have := byNamespace(before), byNamespace(cr)
	for ns, was := range had {
		now, stays := have[ns]
		switch {
		case !stays:
			return fmt.Sprintf("whether there is a tenancy %s", ns)
		case equality.Semantic.DeepEqual(was, now):
		case !edits(user, was.Editors):
			return "tenancy " + ns
		case !equality.Semantic.DeepEqual(bounds(was), bounds(now)):
			return fmt.Sprintf("what bounds tenancy %s", ns)
		}
	}
	for ns := range have {
		if _, was := had[ns]; !was {
			return fmt.Sprintf("whether there is a tenancy %s", ns)
		}
	}
	return ""
}

// platform is what of a Controller is of no single tenancy.
func platform(cr *v1alpha1.Controller) any {
	spec := cr.Spec
	spec.Tenancies = nil
	// The annotations that ask the operator to do something do so for all tenancies.
	asks := map[string]string{}
	for name, value := range cr.Annotations {
		if strings.HasPrefix(name, v1alpha1.GroupVersion.Group+"/") {
			asks[name] = value
		}
	}
	return [2]any{spec, asks}
}

// bounds is what of a tenancy its editors do not change.
func bounds(t v1alpha1.TenancySpec) v1alpha1.TenancySpec {
	t.Suspend, t.Plan, t.Params, t.Charts = false, "", nil, nil
	return t
}

// edits says that somebody is among the editors.
func edits(user authenticationv1.UserInfo, editors *v1alpha1.People) bool {
	if editors == nil {
		return false
	}
	return slices.Contains(editors.Users, user.Username) ||
		slices.ContainsFunc(user.Groups, func(g string) bool { return slices.Contains(editors.Groups, g) })
}
