// Package guardrail turns the guardrails of a tenancy into objects of its namespace,
// says which of them are not in place, and puts them there.
package guardrail

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// The ClusterRoles that people are given in the namespace of a tenancy: the cluster's own
// for looking, which shows the Tenancy too, and one of the operator's beside it.
var roles = map[v1alpha1.AccessRole]string{
	v1alpha1.AccessView: "view",
	v1alpha1.AccessEdit: "multi-tenancy-edit",
}

// podSecurity begins the labels of the Pod Security Standards.
const podSecurity = "pod-security.kubernetes.io/"

// Wanted is what shall be in the namespace of a tenancy.
type Wanted struct {
	Namespace string
	// Labels and Annotations are those of the namespace.
	Labels, Annotations map[string]string
	// Objects are what lives in it, in the order in which they are made: nothing runs
	// before it is bounded, and nobody gets rights before.
	Objects []client.Object
}

// Of is what the guardrails of a tenancy ask for, in the name of a Controller; nothing
// when it has none.
func Of(t tenancy.Tenancy, controller string) Wanted {
	out := Wanted{Namespace: t.Namespace}
	g := t.Guardrails
	if g == nil {
		return out
	}
	out.Labels, out.Annotations = labels(g.Guardrails), annotations(g.Guardrails)
	add := func(o client.Object, kind schema.GroupVersionKind, name string) {
		o.GetObjectKind().SetGroupVersionKind(kind)
		o.SetNamespace(t.Namespace)
		o.SetName(name)
		o.SetLabels(map[string]string{
			v1alpha1.LabelGuardrail:        controller,
			"app.kubernetes.io/managed-by": "multi-tenancy-operator",
		})
		out.Objects = append(out.Objects, o)
	}
	if g.NetworkPolicy != nil {
		add(&networkingv1.NetworkPolicy{Spec: network(*g.NetworkPolicy, g.AllowTo)},
			networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy"), v1alpha1.GuardrailName)
	}
	if g.LimitRange != nil {
		add(&corev1.LimitRange{Spec: corev1.LimitRangeSpec{Limits: limits(g.LimitRange.Limits)}},
			corev1.SchemeGroupVersion.WithKind("LimitRange"), v1alpha1.GuardrailName)
	}
	if g.ResourceQuota != nil {
		add(&corev1.ResourceQuota{Spec: corev1.ResourceQuotaSpec{Hard: g.ResourceQuota.Hard}},
			corev1.SchemeGroupVersion.WithKind("ResourceQuota"), v1alpha1.GuardrailName)
	}
	binding := rbacv1.SchemeGroupVersion.WithKind("RoleBinding")
	if a := g.ServiceAccount; a != nil {
		add(&corev1.ServiceAccount{AutomountServiceAccountToken: new(false)},
			corev1.SchemeGroupVersion.WithKind("ServiceAccount"), a.Name)
		add(bind(a.ClusterRole, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: t.Namespace, Name: a.Name}),
			binding, accountBinding(a.Name))
	}
	people := subjects(g.Access)
	for _, role := range slices.Sorted(maps.Keys(people)) {
		add(bind(roles[role], people[role]...), binding, v1alpha1.GuardrailName+"-"+strings.ToLower(string(role)))
	}
	return out
}

// accountBinding is the name of the RoleBinding of a ServiceAccount.
func accountBinding(account string) string { return v1alpha1.GuardrailName + "-account-" + account }

// labels are those of the namespace.
func labels(g v1alpha1.Guardrails) map[string]string {
	out := map[string]string{}
	maps.Copy(out, g.Labels)
	if p := g.PodSecurity; p != nil {
		for mode, level := range map[string]v1alpha1.PodSecurityLevel{"enforce": p.Enforce, "warn": p.Warn, "audit": p.Audit} {
			if level != "" {
				out[podSecurity+mode] = string(level)
				out[podSecurity+mode+"-version"] = cmp.Or(p.Version, "latest")
			}
		}
	}
	return out
}

// annotations are those of the namespace, and which of them and of the labels are ours:
// so what is not asked for any more is known.
func annotations(g v1alpha1.Guardrails) map[string]string {
	keys := slices.Sorted(maps.Keys(labels(g)))
	keys = append(keys, slices.Sorted(maps.Keys(g.Annotations))...)
	if len(keys) == 0 {
		return nil
	}
	out := map[string]string{v1alpha1.AnnotationGuardrails: strings.Join(keys, ",")}
	maps.Copy(out, g.Annotations)
	return out
}

// bind gives subjects the rights of a ClusterRole.
func bind(role string, to ...rbacv1.Subject) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects: to,
	}
}

// subjects are the people who have each role; whoever edits looks, too.
func subjects(access []v1alpha1.Access) map[v1alpha1.AccessRole][]rbacv1.Subject {
	out := map[v1alpha1.AccessRole][]rbacv1.Subject{}
	give := func(role v1alpha1.AccessRole, kind, name string) {
		s := rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
		if !slices.Contains(out[role], s) {
			out[role] = append(out[role], s)
		}
	}
	for _, a := range access {
		for _, role := range slices.Compact([]v1alpha1.AccessRole{v1alpha1.AccessView, a.Role}) {
			for _, name := range a.Users {
				give(role, rbacv1.UserKind, name)
			}
			for _, name := range a.Groups {
				give(role, rbacv1.GroupKind, name)
			}
		}
	}
	return out
}

// network closes the namespace but for what is said.
func network(n v1alpha1.NetworkPolicy, allowTo []string) networkingv1.NetworkPolicySpec {
	within := networkingv1.NetworkPolicyPeer{PodSelector: &metav1.LabelSelector{}}
	in := append([]networkingv1.NetworkPolicyPeer{within}, namespaces(slices.Concat(n.IngressControllers, n.AllowFrom))...)
	out := append([]networkingv1.NetworkPolicyPeer{within}, namespaces(allowTo)...)
	dns := namespaces([]string{metav1.NamespaceSystem})[0]
	dns.PodSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"k8s-app": "kube-dns"}}
	return defaulted(networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		Ingress:     append([]networkingv1.NetworkPolicyIngressRule{{From: in}}, n.Ingress...),
		Egress: append([]networkingv1.NetworkPolicyEgressRule{
			{To: out},
			{To: []networkingv1.NetworkPolicyPeer{dns}, Ports: []networkingv1.NetworkPolicyPort{
				port(corev1.ProtocolUDP, 53), port(corev1.ProtocolTCP, 53),
			}},
		}, n.Egress...),
	})
}

func port(protocol corev1.Protocol, number int32) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: new(intstr.FromInt32(number))}
}

// namespaces are all pods of namespaces, each by its name.
func namespaces(names []string) []networkingv1.NetworkPolicyPeer {
	var out []networkingv1.NetworkPolicyPeer
	for _, name := range names {
		out = append(out, networkingv1.NetworkPolicyPeer{NamespaceSelector: &metav1.LabelSelector{
			MatchLabels: map[string]string{corev1.LabelMetadataName: name},
		}})
	}
	return out
}

// defaulted has the defaults that the API server would set: ports are of TCP.
func defaulted(spec networkingv1.NetworkPolicySpec) networkingv1.NetworkPolicySpec {
	out := *spec.DeepCopy() // of what is the spec's
	var all [][]networkingv1.NetworkPolicyPort
	for _, rule := range out.Ingress {
		all = append(all, rule.Ports)
	}
	for _, rule := range out.Egress {
		all = append(all, rule.Ports)
	}
	for _, ports := range all {
		for i := range ports {
			if ports[i].Protocol == nil {
				ports[i].Protocol = new(corev1.ProtocolTCP)
			}
		}
	}
	return out
}

// limits are items with the defaults that the API server would set: of a container the
// limit is the maximum, and the request is the limit, or else the minimum.
func limits(items []corev1.LimitRangeItem) []corev1.LimitRangeItem {
	var out []corev1.LimitRangeItem
	for i := range items {
		item := items[i].DeepCopy()
		if item.Type == corev1.LimitTypeContainer {
			item.Default = fill(item.Default, item.Max)
			item.DefaultRequest = fill(fill(item.DefaultRequest, item.Default), item.Min)
		}
		out = append(out, *item)
	}
	return out
}

// fill adds what is missing.
func fill(to, from corev1.ResourceList) corev1.ResourceList {
	out := maps.Clone(from)
	if out == nil {
		out = corev1.ResourceList{}
	}
	maps.Copy(out, to)
	return out
}
