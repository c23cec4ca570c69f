package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Tenancy is the live state of one tenancy with all its detail, in the namespace of
// the tenancy and named like the Controller. The operator makes it, writes it and
// removes it; it has no spec. Who may view it sees nothing of other tenancies.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=tenancies,singular=tenancy
// +kubebuilder:printcolumn:name="Releases",type=string,JSONPath=`.status.display.releases`
// +kubebuilder:printcolumn:name="Workloads",type=string,JSONPath=`.status.display.workloads`
// +kubebuilder:printcolumn:name="Pods",type=string,JSONPath=`.status.display.pods`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Tenancy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// status is what runs, as last seen in the cluster.
	// +optional
	Status TenancyStatus `json:"status,omitempty"`
}

// TenancyList is a list of Tenancies.
//
// +kubebuilder:object:root=true
type TenancyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Tenancy `json:"items"`
}

// TenancyStatus is the live state of one tenancy.
type TenancyStatus struct {
	// conditions are Ready, Reconciling and Stalled, with the meaning kstatus gives them.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// phase is the state in a word.
	// +optional
	Phase TenancyPhase `json:"phase,omitempty"`

	// summary counts what the tenancy holds.
	// +optional
	Summary *TenancySummary `json:"summary,omitempty"`

	// display is the summary as text, for the columns of kubectl get.
	// +optional
	Display *Display `json:"display,omitempty"`

	// guardrails are how the guardrails of the tenancy stand; none when it has none.
	// +listType=atomic
	// +optional
	Guardrails []GuardrailStatus `json:"guardrails,omitempty"`

	// releases is the state of each release, in the order of the spec.
	// +listType=atomic
	// +optional
	Releases []ReleaseStatus `json:"releases,omitempty"`

	// omitted counts the pods left out, which happens only when
	// thousands of them would make the object too large to be stored.
	// +optional
	Omitted int32 `json:"omitted,omitempty"`
}

// TenancySummary counts the releases, workloads and pods of a tenancy.
type TenancySummary struct {
	Releases  ReleaseCount `json:"releases"`
	Workloads Count        `json:"workloads"`
	Pods      Count        `json:"pods"`
}
