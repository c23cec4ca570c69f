package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// Guardrails bound what runs in the namespace of a tenancy. They are in place before the
// first chart is installed, and are put back when somebody else changes them. What is
// taken out here is removed from the namespace, unless the tenancy goes with it.
type Guardrails struct {
	// labels are put on the namespace.
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are put on the namespace.
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`

	// podSecurity is the Pod Security Standard that pods of the namespace must meet.
	// +optional
	PodSecurity *PodSecurity `json:"podSecurity,omitempty"`

	// resourceQuota bounds what the namespace uses in all.
	// +optional
	ResourceQuota *ResourceQuota `json:"resourceQuota,omitempty"`

	// limitRange bounds and defaults what a single container, pod or claim uses.
	// +optional
	LimitRange *LimitRange `json:"limitRange,omitempty"`

	// networkPolicy closes the network of the namespace. Its pods reach each other, and
	// the cluster's DNS; anything else is said here.
	// +optional
	NetworkPolicy *NetworkPolicy `json:"networkPolicy,omitempty"`

	// serviceAccount is the one as which the releases of the tenancy are applied, and what
	// it may do in this namespace.
	// +optional
	ServiceAccount *ServiceAccount `json:"serviceAccount,omitempty"`

	// access is what people may do in the namespace.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Access []Access `json:"access,omitempty"`
}

// PodSecurityLevel is a level of the Pod Security Standards.
//
// +kubebuilder:validation:Enum=privileged;baseline;restricted
type PodSecurityLevel string

// PodSecurity sets the Pod Security labels of the namespace.
type PodSecurity struct {
	// enforce is what pods must meet to be admitted.
	// +optional
	Enforce PodSecurityLevel `json:"enforce,omitempty"`

	// warn is what a person is warned about who applies less.
	// +optional
	Warn PodSecurityLevel `json:"warn,omitempty"`

	// audit is what is noted in the audit log when it is not met.
	// +optional
	Audit PodSecurityLevel `json:"audit,omitempty"`

	// version is the Kubernetes version whose standards are meant, such as v1.36, or
	// latest, which is the default.
	// +kubebuilder:validation:Pattern=`^(latest|v1\.[0-9]{1,3})$`
	// +optional
	Version string `json:"version,omitempty"`
}

// ResourceQuota is the quota of the namespace.
type ResourceQuota struct {
	// hard is the most of each resource, such as requests.cpu, limits.memory, pods or
	// count/deployments.apps.
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=64
	// +required
	Hard corev1.ResourceList `json:"hard"`
}

// LimitRange is the limits of single containers, pods and claims.
type LimitRange struct {
	// limits are those of each type: Container, Pod or PersistentVolumeClaim.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +required
	Limits []corev1.LimitRangeItem `json:"limits"`
}

// NetworkPolicy says what the pods of the namespace reach and are reached by, beside
// each other and the cluster's DNS.
type NetworkPolicy struct {
	// ingressControllers are namespaces, such as ingress-nginx, whose pods may connect.
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +optional
	IngressControllers []string `json:"ingressControllers,omitempty"`

	// allowFrom are the namespaces of tenancies whose pods may connect. Where these have a
	// networkPolicy themselves, it lets them.
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +optional
	AllowFrom []string `json:"allowFrom,omitempty"`

	// ingress are more rules for connections to the pods, as in a NetworkPolicy.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Ingress []networkingv1.NetworkPolicyIngressRule `json:"ingress,omitempty"`

	// egress are more rules for connections of the pods, as in a NetworkPolicy.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Egress []networkingv1.NetworkPolicyEgressRule `json:"egress,omitempty"`

	// allowCharts lets charts have NetworkPolicies of their own. Policies add up: one of
	// a chart can open what this one closes. Without it such a chart is refused.
	// +optional
	AllowCharts bool `json:"allowCharts,omitempty"`
}

// ServiceAccount is made in the namespace, and has the rights of a ClusterRole there and
// nowhere else.
type ServiceAccount struct {
	// name is the name of the ServiceAccount.
	// +kubebuilder:default=tenant
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	// +optional
	Name string `json:"name,omitempty"`

	// clusterRole is what it may do. The operator must be allowed to bind another one
	// than the default.
	// +kubebuilder:default=multi-tenancy-tenant
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ClusterRole string `json:"clusterRole,omitempty"`
}

// AccessRole says what somebody may do in the namespace.
//
// +kubebuilder:validation:Enum=View;Edit
type AccessRole string

// The access roles.
const (
	// AccessView sees the Tenancy and what runs in the namespace, and no Secrets.
	AccessView AccessRole = "View"
	// AccessEdit changes workloads, too: no guardrails, no rights, no Secrets.
	AccessEdit AccessRole = "Edit"
)

// Access is what people may do in the namespace.
//
// +kubebuilder:validation:XValidation:rule="has(self.users) || has(self.groups)",message="users or groups: name at least one"
type Access struct {
	// role is View or Edit.
	// +required
	Role AccessRole `json:"role"`

	People `json:",inline"`
}

// GuardrailStatus is how a guardrail of a tenancy stands.
type GuardrailStatus struct {
	// kind and name are those of the object.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// ready says that it is in place, as it is asked for.
	Ready bool `json:"ready"`
	// message says why it is not.
	// +optional
	Message string `json:"message,omitempty"`
}
