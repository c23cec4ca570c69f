package guardrail_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/guardrail"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func one(name, amount string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceName(name): resource.MustParse(amount)}
}

// all is a tenancy with one guardrail of each kind.
func all() tenancy.Tenancy {
	return tenancy.Tenancy{Namespace: "a", Guardrails: &tenancy.Guardrails{
		AllowTo: []string{"b"},
		Guardrails: v1alpha1.Guardrails{
			Labels:        map[string]string{"team": "x"},
			Annotations:   map[string]string{"contact": "y"},
			PodSecurity:   &v1alpha1.PodSecurity{Enforce: "restricted"},
			ResourceQuota: &v1alpha1.ResourceQuota{Hard: one("pods", "5")},
			LimitRange: &v1alpha1.LimitRange{Limits: []corev1.LimitRangeItem{
				{Type: corev1.LimitTypeContainer, Max: one("cpu", "2"), Min: one("memory", "1Mi")},
			}},
			NetworkPolicy: &v1alpha1.NetworkPolicy{
				IngressControllers: []string{"nginx"}, AllowFrom: []string{"c"},
				Egress: []networkingv1.NetworkPolicyEgressRule{{Ports: []networkingv1.NetworkPolicyPort{{}}}},
			},
			ServiceAccount: &v1alpha1.ServiceAccount{Name: "tenant", ClusterRole: "role"},
			Access:         []v1alpha1.Access{{Role: v1alpha1.AccessEdit, People: v1alpha1.People{Users: []string{"u"}, Groups: []string{"g"}}}},
		},
	}}
}

// live is what there is once all that is wanted is in place.
func live(want guardrail.Wanted) guardrail.Live {
	out := guardrail.Live{Labels: want.Labels, Annotations: want.Annotations}
	for _, o := range want.Objects {
		o, ok := o.DeepCopyObject().(client.Object)
		if !ok {
			continue
		}
		if quota, ok := o.(*corev1.ResourceQuota); ok {
			quota.Status.Hard = quota.Spec.Hard
		}
		out.Objects = append(out.Objects, o)
	}
	return out
}

func none(string) bool { return false }

func TestOf(t *testing.T) {
	want := guardrail.Of(all(), "example")
	var names []string
	for _, o := range want.Objects {
		names = append(names, o.GetObjectKind().GroupVersionKind().Kind+" "+o.GetName())
		if o.GetNamespace() != "a" || o.GetLabels()[v1alpha1.LabelGuardrail] != "example" {
			t.Errorf("%s is in %q with labels %v", o.GetName(), o.GetNamespace(), o.GetLabels())
		}
	}
	order := []string{
		"NetworkPolicy multitenancy", "LimitRange multitenancy", "ResourceQuota multitenancy",
		"ServiceAccount tenant", "RoleBinding multitenancy-account-tenant",
		"RoleBinding multitenancy-edit", "RoleBinding multitenancy-view",
	}
	if diff := cmp.Diff(order, names); diff != "" {
		t.Errorf("the objects (-want +got):\n%s", diff)
	}
	if got := want.Labels["pod-security.kubernetes.io/enforce-version"]; got != "latest" {
		t.Errorf("the version of Pod Security is %q", got)
	}
	policy, ok := want.Objects[0].(*networkingv1.NetworkPolicy)
	if !ok || len(policy.Spec.PolicyTypes) != 2 || len(policy.Spec.Ingress) != 1 || len(policy.Spec.Ingress[0].From) != 3 || len(policy.Spec.Egress) != 3 {
		t.Errorf("the policy is %+v", policy)
	}
	// As the API server would default it, or it would never be found in place.
	limits, ok := want.Objects[1].(*corev1.LimitRange)
	if !ok || limits.Spec.Limits[0].Default.Cpu().String() != "2" || limits.Spec.Limits[0].DefaultRequest.Memory().String() != "1Mi" ||
		*policy.Spec.Egress[2].Ports[0].Protocol != corev1.ProtocolTCP {
		t.Errorf("the limits are %+v, the ports %+v", limits, policy.Spec.Egress[2].Ports)
	}
	if nothing := guardrail.Of(tenancy.Tenancy{Namespace: "a"}, "example"); len(nothing.Objects)+len(nothing.Labels)+len(nothing.Annotations) > 0 {
		t.Errorf("without guardrails %+v is wanted", nothing)
	}
}

func TestCheck(t *testing.T) {
	at := func(l *guardrail.Live, kind client.Object) client.Object {
		i := slices.IndexFunc(l.Objects, func(o client.Object) bool { return cmp.Diff(o, kind) != "" && sameType(o, kind) })
		return l.Objects[i]
	}
	cases := map[string]struct {
		change  func(*guardrail.Live)
		why     string
		apply   bool
		surplus int
	}{
		"everything is in place": {change: func(*guardrail.Live) {}},
		"one is missing":         {func(l *guardrail.Live) { l.Objects = l.Objects[1:] }, "NetworkPolicy multitenancy is missing", true, 0},
		"a rule more": {func(l *guardrail.Live) {
			p, _ := at(l, &networkingv1.NetworkPolicy{}).(*networkingv1.NetworkPolicy)
			p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{})
		}, "NetworkPolicy multitenancy is not as the guardrails of the tenancy ask for", true, 0},
		"another quota, enforced": {func(l *guardrail.Live) {
			q, _ := at(l, &corev1.ResourceQuota{}).(*corev1.ResourceQuota)
			q.Spec.Hard, q.Status.Hard = one("pods", "500"), one("pods", "500")
		}, "ResourceQuota multitenancy is not as the guardrails of the tenancy ask for", true, 0},
		"the quota is not enforced": {func(l *guardrail.Live) {
			q, _ := at(l, &corev1.ResourceQuota{}).(*corev1.ResourceQuota)
			q.Status.Hard = nil
		}, "ResourceQuota multitenancy is not enforced yet", false, 0},
		"other rights": {func(l *guardrail.Live) {
			b, _ := at(l, &rbacv1.RoleBinding{}).(*rbacv1.RoleBinding)
			b.RoleRef.Name = "cluster-admin"
		}, "RoleBinding multitenancy-account-tenant is not as the guardrails of the tenancy ask for", true, 0},
		"other labels": {func(l *guardrail.Live) { l.Labels = map[string]string{"team": "x"} }, "Namespace a is not as the guardrails of the tenancy ask for", true, 0},
		"one that is no longer asked for": {func(l *guardrail.Live) {
			l.Objects = append(l.Objects, &corev1.LimitRange{})
		}, "", true, 1},
		"an account that is still used": {func(l *guardrail.Live) {
			old := &corev1.ServiceAccount{}
			old.Name = "used"
			binding := &rbacv1.RoleBinding{}
			binding.Name = "multitenancy-account-used"
			l.Objects = append(l.Objects, old, binding)
		}, "", false, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			want := guardrail.Of(all(), "example")
			l := live(want)
			tc.change(&l)
			got := guardrail.Check(want, l, func(account string) bool { return account == "used" })
			if got.Why() != tc.why || got.Apply != tc.apply || len(got.Surplus) != tc.surplus {
				t.Errorf("Check() = %q, apply %v, %d surplus; want %q, %v, %d", got.Why(), got.Apply, len(got.Surplus), tc.why, tc.apply, tc.surplus)
			}
		})
	}
	// What was put on a namespace is taken off when nothing is asked for any more.
	gone := guardrail.Check(guardrail.Of(tenancy.Tenancy{Namespace: "a"}, "example"), live(guardrail.Of(all(), "example")), none)
	if !gone.Apply || len(gone.Surplus) != 7 || gone.Why() == "" {
		t.Errorf("Check() without guardrails = %+v", gone)
	}
}

func sameType(a, b client.Object) bool {
	switch a.(type) {
	case *networkingv1.NetworkPolicy:
		_, ok := b.(*networkingv1.NetworkPolicy)
		return ok
	case *corev1.ResourceQuota:
		_, ok := b.(*corev1.ResourceQuota)
		return ok
	case *rbacv1.RoleBinding:
		_, ok := b.(*rbacv1.RoleBinding)
		return ok
	}
	return false
}
