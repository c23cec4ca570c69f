package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Controller lists the tenancies of a cluster and the Helm charts each of them
// runs. There is one per cluster; a surplus one is deleted with a Warning event
// that names the active one.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,path=controllers,singular=controller
// +kubebuilder:printcolumn:name="Tenancies",type=integer,JSONPath=`.status.summary.tenancies.total`
// +kubebuilder:printcolumn:name="Releases",type=string,JSONPath=`.status.display.releases`
// +kubebuilder:printcolumn:name="Workloads",type=string,JSONPath=`.status.display.workloads`
// +kubebuilder:printcolumn:name="Pods",type=string,JSONPath=`.status.display.pods`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="metadata.name must be at most 63 characters: it is the value of a label on every release"
type Controller struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what shall run: tenancies and their charts.
	// +optional
	Spec ControllerSpec `json:"spec,omitempty"`

	// status is what runs, as last seen in the cluster. Only the operator writes it.
	// +optional
	Status ControllerStatus `json:"status,omitempty"`
}

// ControllerList is a list of Controllers.
//
// +kubebuilder:object:root=true
type ControllerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Controller `json:"items"`
}
