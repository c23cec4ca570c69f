package guardrail

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Live is what there is in a namespace.
type Live struct {
	// Labels and Annotations are those of the namespace.
	Labels, Annotations map[string]string
	// Objects are those that carry the label of a guardrail.
	Objects []client.Object
}

// Verdict is how the guardrails of a tenancy stand.
type Verdict struct {
	// Each is how each of them stands.
	Each []v1alpha1.GuardrailStatus
	// Surplus are objects that are not asked for any more.
	Surplus []client.Object
	// Apply says that there is something to be put in place, or taken away.
	Apply bool
}

// Why says what is not in place; empty when everything is.
func (v Verdict) Why() string {
	var lines []string
	for _, s := range v.Each {
		if !s.Ready {
			lines = append(lines, fmt.Sprintf("%s %s %s", s.Kind, s.Name, s.Message))
		}
	}
	return tenancy.Line(strings.Join(lines, "; "))
}

// What is said of a guardrail that is not in place.
const (
	missing = "is missing"
	other   = "is not as the guardrails of the tenancy ask for"
	pending = "is not enforced yet"
)

// Check compares what is wanted with what there is. uses tells as which ServiceAccounts
// releases were made that are still there: those keep their rights.
func Check(want Wanted, live Live, uses func(account string) bool) Verdict {
	var out Verdict
	say := func(kind, name, message string) {
		out.Each = append(out.Each, v1alpha1.GuardrailStatus{Kind: kind, Name: name, Ready: message == "", Message: message})
		out.Apply = out.Apply || message != "" && message != pending
	}
	is := live.Annotations[v1alpha1.AnnotationGuardrails]
	if shall := want.Annotations[v1alpha1.AnnotationGuardrails]; shall != "" || is != "" {
		message := ""
		if shall != is || !within(want.Labels, live.Labels) || !within(want.Annotations, live.Annotations) {
			message = other
		}
		say("Namespace", want.Namespace, message)
	}
	for _, o := range want.Objects {
		say(o.GetObjectKind().GroupVersionKind().Kind, o.GetName(), judge(o, live.find(o)))
	}
	for _, o := range live.Objects {
		if !slices.ContainsFunc(want.Objects, func(w client.Object) bool { return same(w, o) }) && !inUse(o, uses) {
			out.Surplus = append(out.Surplus, o)
			out.Apply = true
		}
	}
	return out
}

// within says that a map has all of another one.
func within(want, have map[string]string) bool {
	for key, value := range want {
		if got, has := have[key]; !has || got != value {
			return false
		}
	}
	return true
}

// find looks for an object of that kind and name; nil when there is none.
func (l Live) find(want client.Object) client.Object {
	for _, o := range l.Objects {
		if same(want, o) {
			return o
		}
	}
	return nil
}

// same says that two are of one kind and name. What informers give does not tell its kind.
func same(a, b client.Object) bool {
	return a.GetName() == b.GetName() && fmt.Sprintf("%T", a) == fmt.Sprintf("%T", b)
}

// judge says what is wrong with an object; empty for nothing.
func judge(want, have client.Object) string {
	switch {
	case have == nil:
		return missing
	case !within(want.GetLabels(), have.GetLabels()) || !alike(want, have):
		return other
	}
	quota, ok := have.(*corev1.ResourceQuota)
	if ok && !equality.Semantic.DeepEqual(quota.Spec.Hard, quota.Status.Hard) {
		return pending // nothing is counted against it before that
	}
	return ""
}

// alike says that two of one kind ask for the same: no less, and no more.
func alike(want, have client.Object) bool {
	return equality.Semantic.DeepEqual(asks(want), asks(have))
}

// asks is what an object asks for; nil for a kind that is no guardrail.
func asks(o client.Object) any {
	switch o := o.(type) {
	case *networkingv1.NetworkPolicy:
		return o.Spec
	case *corev1.LimitRange:
		return o.Spec
	case *corev1.ResourceQuota:
		return o.Spec
	case *corev1.ServiceAccount:
		return o.AutomountServiceAccountToken
	case *rbacv1.RoleBinding:
		return []any{o.RoleRef, o.Subjects}
	}
	return nil
}

// inUse says that a release which is still there was made as the account, or with the
// rights, that an object is.
func inUse(o client.Object, uses func(account string) bool) bool {
	switch o.(type) {
	case *corev1.ServiceAccount:
		return uses(o.GetName())
	case *rbacv1.RoleBinding:
		account, of := strings.CutPrefix(o.GetName(), accountBinding(""))
		return of && uses(account)
	}
	return false
}
