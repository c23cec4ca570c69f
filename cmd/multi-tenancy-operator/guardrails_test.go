package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// list is amounts of resources, given as name and amount in turn.
func list(amounts ...string) corev1.ResourceList {
	out := corev1.ResourceList{}
	for i := 0; i+1 < len(amounts); i += 2 {
		out[corev1.ResourceName(amounts[i])] = resource.MustParse(amounts[i+1])
	}
	return out
}

// allGuardrails are one of each.
func allGuardrails() *v1alpha1.Guardrails {
	return &v1alpha1.Guardrails{
		Labels:        map[string]string{"cost-center": "schools"},
		Annotations:   map[string]string{"example.com/contact": "platform"},
		PodSecurity:   &v1alpha1.PodSecurity{Enforce: "baseline", Warn: "restricted"},
		ResourceQuota: &v1alpha1.ResourceQuota{Hard: list("requests.cpu", "2", "limits.memory", "4Gi", "pods", "20")},
		LimitRange: &v1alpha1.LimitRange{Limits: []corev1.LimitRangeItem{{
			Type: corev1.LimitTypeContainer, DefaultRequest: list("cpu", "50m"), Max: list("memory", "256Mi"),
		}}},
		NetworkPolicy:  &v1alpha1.NetworkPolicy{IngressControllers: []string{"ingress-nginx"}},
		ServiceAccount: &v1alpha1.ServiceAccount{},
		Access: []v1alpha1.Access{
			{Role: v1alpha1.AccessView, People: v1alpha1.People{Users: []string{"system:serviceaccount:default:viewer"}}},
			{Role: v1alpha1.AccessEdit, People: v1alpha1.People{Groups: []string{"editors"}}},
		},
	}
}

// guarded says which guardrail of a tenancy is not in place.
func guarded(t *testing.T, name, namespace string) func() error {
	return func() error {
		var got v1alpha1.Tenancy
		if err := world.client.Get(t.Context(), types.NamespacedName{Namespace: namespace, Name: name}, &got); err != nil {
			return err
		}
		if len(got.Status.Guardrails) == 0 {
			return errors.New("the Tenancy tells of no guardrail")
		}
		for _, g := range got.Status.Guardrails {
			if !g.Ready {
				return fmt.Errorf("guardrail %s %s %s", g.Kind, g.Name, g.Message)
			}
		}
		return nil
	}
}

// TestGuardrails: they are there before the first pod, are told of, put back when
// somebody changes them, and go when they are not asked for any more.
func TestGuardrails(t *testing.T) {
	read := withAudit(t)
	const name, one, two = "guarded", "guarded-one", "guarded-two"
	account := accountWith(t, "impersonation/rbac.yaml")
	t.Setenv("POD_NAMESPACE", "multi-tenancy")
	op := startOperatorAs(t, account, fixture.Home(t, charts))
	small := tenant(two, install("deployment-example", "web"))
	small.Guardrails = &v1alpha1.Guardrails{
		ResourceQuota: &v1alpha1.ResourceQuota{Hard: list("pods", "5")},
		NetworkPolicy: &v1alpha1.NetworkPolicy{AllowFrom: []string{one}},
		Access:        []v1alpha1.Access{{Role: v1alpha1.AccessView, People: v1alpha1.People{Users: []string{"another"}}}},
	}
	createGuarded(t, name, allGuardrails(), tenant(one, install("deployment-example", "web"), install("statefulset-example", "store")), small)
	awaitReady(t, name)
	for _, ns := range []string{one, two} {
		eventually(t, patience, guarded(t, name, ns))
		boundedBeforePods(t, read(), ns)
	}

	t.Run("what is in the namespace", func(t *testing.T) {
		ns, err := world.kube.CoreV1().Namespaces().Get(t.Context(), one, metav1.GetOptions{})
		if err != nil || ns.Labels["cost-center"] != "schools" || ns.Labels["pod-security.kubernetes.io/enforce"] != "baseline" {
			t.Errorf("the namespace has the labels %v: %v", ns.Labels, err)
		}
		for namespace, pods := range map[string]string{one: "20", two: "5"} {
			quota, err := world.kube.CoreV1().ResourceQuotas(namespace).Get(t.Context(), v1alpha1.GuardrailName, metav1.GetOptions{})
			if err != nil || quota.Status.Hard.Pods().String() != pods {
				t.Errorf("the quota of %s is %v: %v, want %s pods", namespace, quota.Status.Hard, err, pods)
			}
		}
		to, err := world.kube.NetworkingV1().NetworkPolicies(one).Get(t.Context(), v1alpha1.GuardrailName, metav1.GetOptions{})
		if err != nil || len(to.Spec.Egress[0].To) != 2 || to.Spec.Egress[0].To[1].NamespaceSelector.MatchLabels[corev1.LabelMetadataName] != two {
			t.Errorf("the policy of %s is %+v: %v, want to let its pods connect to %s", one, to.Spec.Egress, err, two)
		}
	})
	t.Run("people", func(t *testing.T) { seesHisOwn(t, name, one, two) })
	t.Run("drift", func(t *testing.T) {
		for _, change := range [][]string{
			{"delete", "networkpolicy", v1alpha1.GuardrailName, "-n", one},
			{"patch", "resourcequota", v1alpha1.GuardrailName, "-n", one, "--type=merge", "-p", `{"spec":{"hard":{"pods":"500"}}}`},
			{"patch", "networkpolicy", v1alpha1.GuardrailName, "-n", two, "--type=json", "-p", `[{"op":"add","path":"/spec/ingress/-","value":{}}]`},
			{"label", "limitrange", v1alpha1.GuardrailName, "-n", one, v1alpha1.LabelGuardrail + "-"},
			{"label", "namespace", two, "--overwrite", "pod-security.kubernetes.io/enforce=privileged"},
			{"annotate", "namespace", two, "example.com/contact-"},
			{"patch", "rolebinding", "multitenancy-view", "-n", one, "--type=merge", "-p", `{"subjects":[]}`},
			{"delete", "serviceaccount", "tenant", "-n", one},
		} {
			before := fingerprint(t, one, two)
			kubectl(t, "", change...)
			eventually(t, patience, func() error {
				if diff := cmp.Diff(before, fingerprint(t, one, two)); diff != "" {
					return fmt.Errorf("after kubectl %s (-before +now):\n%s", strings.Join(change, " "), diff)
				}
				return nil
			})
		}
	})
	t.Run("not asked for any more", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			s.Guardrails.LimitRange, s.Guardrails.Labels, s.Guardrails.Access = nil, nil, nil
			s.Guardrails.ResourceQuota.Hard = list("pods", "30")
		})
		eventually(t, patience, func() error {
			ns, err := world.kube.CoreV1().Namespaces().Get(t.Context(), one, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = world.kube.CoreV1().LimitRanges(one).Get(t.Context(), v1alpha1.GuardrailName, metav1.GetOptions{})
			bindings, errB := world.kube.RbacV1().RoleBindings(one).List(t.Context(), metav1.ListOptions{LabelSelector: v1alpha1.LabelGuardrail})
			if ns.Labels["cost-center"] != "" || !apierrors.IsNotFound(err) || errB != nil || len(bindings.Items) != 1 {
				return fmt.Errorf("left are labels %v, the LimitRange (%w) and %d bindings", ns.Labels, err, len(bindings.Items))
			}
			return nil
		})
		edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Guardrails, s.Tenancies[1].Guardrails = nil, nil })
		eventually(t, patience, func() error {
			for _, resource := range []string{"networkpolicies", "resourcequotas", "limitranges"} {
				if out := kubectl(t, "", "get", resource, "-A", "-o", "name", "-l", v1alpha1.LabelGuardrail); out != "" {
					return fmt.Errorf("left is %s", out)
				}
			}
			return nil
		})
		// As this account releases were made that are still there.
		kubectl(t, "", "get", "serviceaccount", "tenant", "-n", one)
	})
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies = nil })
	eventually(t, patience, func() error {
		if n := len(records(t, one)) + len(records(t, two)); n > 0 {
			return fmt.Errorf("%d records are left", n)
		}
		return nil
	})
	if log := op.log.String(); strings.Contains(strings.ToLower(log), "forbidden") {
		t.Errorf("something was forbidden; the log:\n%s", log)
	}
}

// fingerprint is what the guardrails of namespaces look like.
func fingerprint(t *testing.T, namespaces ...string) []string {
	t.Helper()
	var out []string
	for _, ns := range namespaces {
		out = append(out, kubectl(t, "", "get", "namespace", ns, "-o", "jsonpath={.metadata.labels} {.metadata.annotations}"))
		for _, kind := range []string{"networkpolicy", "resourcequota", "limitrange", "serviceaccount", "rolebinding"} {
			out = append(out, kubectl(t, "", "get", kind, "-n", ns, "-l", v1alpha1.LabelGuardrail,
				"-o", `jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.labels} {.spec} {.subjects} {.roleRef}{"\n"}{end}`))
		}
	}
	return out
}

// seesHisOwn: people see the state of their tenancy and nothing of another one.
func seesHisOwn(t *testing.T, name, mine, other string) {
	t.Helper()
	kubectl(t, "", "create", "serviceaccount", "viewer", "-n", "default")
	viewer := "--kubeconfig=" + kubeconfigOf(t, "default", "viewer")
	can := func(who, verb, what, namespace string) bool {
		out, _ := world.cluster.Kubectl(t.Context(), "", append([]string{"auth", "can-i", verb, what, "-n", namespace}, strings.Fields(who)...)...)
		return strings.TrimSpace(out) == "yes"
	}
	const editor = "--as=somebody --as-group=editors"
	for _, tc := range []struct {
		who, verb, what, namespace string
		want                       bool
	}{
		{viewer, "get", "tenancies.multitenancy.dev", mine, true},
		{viewer, "list", "pods", mine, true},
		{viewer, "get", "tenancies.multitenancy.dev", other, false},
		{viewer, "list", "pods", other, false},
		{viewer, "get", "secrets", mine, false},
		{viewer, "patch", "deployments.apps", mine, false},
		{viewer, "get", "controllers.multitenancy.dev", mine, false},
		{editor, "get", "tenancies.multitenancy.dev", mine, true},
		{editor, "patch", "deployments.apps", mine, true},
		{editor, "patch", "deployments.apps", other, false},
		{editor, "get", "secrets", mine, false},
		{editor, "patch", "resourcequotas", mine, false},
		{editor, "create", "networkpolicies.networking.k8s.io", mine, false},
		{editor, "create", "rolebindings.rbac.authorization.k8s.io", mine, false},
		{editor, "update", "tenancies.multitenancy.dev", mine, false},
		{editor, "patch", "namespaces", mine, false},
	} {
		if got := can(tc.who, tc.verb, tc.what, tc.namespace); got != tc.want {
			t.Errorf("kubectl auth can-i %s %s -n %s %s: %v, want %v", tc.verb, tc.what, tc.namespace, tc.who, got, tc.want)
		}
	}
	if out := kubectl(t, "", "get", "tenancy", name, "-n", mine, "-o", "name", viewer); !strings.Contains(out, name) {
		t.Errorf("the viewer sees %q", out)
	}
	for _, refused := range [][]string{
		{"get", "tenancies", "-A", viewer},
		{"get", "tenancies", "-n", other, viewer},
		{"get", "pods", "-n", other, viewer},
		{"get", "secrets", "-n", mine, viewer},
		{"get", "controllers", viewer},
		{"get", "namespaces", viewer},
		{"delete", "resourcequota", v1alpha1.GuardrailName, "-n", mine, "--as=somebody", "--as-group=editors"},
	} {
		if out, err := world.cluster.Kubectl(t.Context(), "", refused...); err == nil || !strings.Contains(err.Error(), "forbidden") {
			t.Errorf("kubectl %s: %q, %v, want it forbidden", strings.Join(refused, " "), out, err)
		}
	}
}

// TestGuardrailsThatFail: what cannot be put in place is told, and nothing is installed.
func TestGuardrailsThatFail(t *testing.T) {
	const name, foreign, bad, fine, open = "rails", "rails-foreign", "rails-bad", "rails-fine", "rails-open"
	home := fixture.Home(t, "", fixture.ConfigMap("conf"), fixture.Chart{Name: "opens", Files: map[string]string{
		"templates/policy.yaml": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: opens}\nspec: {podSelector: {}, ingress: [{}]}\n",
	}})
	kubectl(t, "", "create", "namespace", foreign)
	policy := &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.GuardrailName, Namespace: foreign},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}},
	}
	if err := world.client.Create(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	startOperator(t, home)
	wrong := tenant(bad, install("conf", "a"))
	wrong.Guardrails = &v1alpha1.Guardrails{ResourceQuota: &v1alpha1.ResourceQuota{Hard: list("no-such-resource", "1")}}
	createGuarded(t, name, &v1alpha1.Guardrails{NetworkPolicy: &v1alpha1.NetworkPolicy{}},
		tenant(foreign, install("conf", "a")), wrong, tenant(fine, install("conf", "a")), tenant(open, install("opens", "a")))
	eventually(t, patience, holds(t, name, fine, "a", 1))
	eventually(t, patience, failed(t, name, open, "a", "NetworkPolicy opens could open what the networkPolicy of tenancy "+open+" closes", "networkPolicy.allowCharts"))
	degraded := func(namespace string, says ...string) func() error {
		return func() error {
			tenancies := get(t, name).Status.Tenancies
			i := slices.IndexFunc(tenancies, func(e v1alpha1.TenancyEntry) bool { return e.Namespace == namespace })
			if i < 0 || tenancies[i].Phase != v1alpha1.TenancyDegraded {
				return fmt.Errorf("the tenancies are %+v, want %s degraded", tenancies, namespace)
			}
			for _, want := range says {
				if !strings.Contains(tenancies[i].Message, want) {
					return fmt.Errorf("tenancy %s says %q, want %q in it", namespace, tenancies[i].Message, want)
				}
			}
			return nil
		}
	}
	eventually(t, patience, degraded(foreign, "NetworkPolicy multitenancy of tenancy "+foreign, "is not the operator's", "rename it"))
	eventually(t, patience, degraded(bad, "ResourceQuota multitenancy of tenancy "+bad, "no-such-resource"))
	wantRecords(t, foreign, map[string]string{})
	wantRecords(t, bad, map[string]string{})
	if rel := find(get(t, name), bad, "a"); rel == nil || rel.Phase != v1alpha1.ReleaseWaiting || !strings.Contains(rel.Message, "guardrails") {
		t.Errorf("the release = %+v, want it to wait for the guardrails", rel)
	}

	// Both are mended.
	if err := world.client.Delete(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies[1].Guardrails.ResourceQuota.Hard = list("pods", "1")
		s.Guardrails.NetworkPolicy.AllowCharts = true
	})
	awaitReady(t, name)
}
