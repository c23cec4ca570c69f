package v1alpha1

// DeletionPolicy says what deleting the Controller does to its releases.
//
// +kubebuilder:validation:Enum=Uninstall;Orphan
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionUninstall uninstalls every release, in reverse order, before the
	// Controller goes. Namespaces and volume claims stay.
	DeletionUninstall DeletionPolicy = "Uninstall"
	// DeletionOrphan leaves every release running.
	DeletionOrphan DeletionPolicy = "Orphan"
)

// ControllerSpec is the desired state of all tenancies.
type ControllerSpec struct {
	// suspend holds every change; what runs goes on, and the status stays live.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// deletionPolicy says what deleting this object does to its releases:
	// Uninstall (the default) removes them in reverse order, Orphan leaves them.
	// +kubebuilder:default=Uninstall
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// maxRemovals is how many releases an edit may take away. When it takes away
	// more, none of them is uninstalled, and the rest of the edit goes on, until the
	// annotation multitenancy.dev/confirm-removals equals their number.
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	MaxRemovals *int32 `json:"maxRemovals,omitempty"`

	// repositories are named chart sources. A chart that names none comes from the
	// chart home.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Repositories []Repository `json:"repositories,omitempty"`

	// tenancies are the customers, a namespace each. Teams can own their entry
	// with server-side apply.
	// +listType=map
	// +listMapKey=namespace
	// +kubebuilder:validation:MaxItems=5000
	// +optional
	Tenancies []TenancySpec `json:"tenancies,omitempty"`
}

// TenancySpec is one customer: a namespace and the charts that run in it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.charts) || !self.charts.exists(c, size(c.releaseName) == 0) || !self.charts.exists(c, c.releaseName == self.__namespace__)",message="charts: two charts have the same effective release name; a chart without releaseName uses the namespace as its release name"
// +kubebuilder:validation:XValidation:rule="!has(self.charts) || size(self.__namespace__) <= 53 || !self.charts.exists(c, size(c.releaseName) == 0)",message="charts: releaseName is required when the namespace is longer than 53 characters, the longest name a Helm release may have"
type TenancySpec struct {
	// namespace is the namespace of the tenancy; it is created when missing and
	// never deleted by the operator.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('kube-')",message="namespaces that begin with kube- belong to the cluster"
	// +required
	Namespace string `json:"namespace"`

	// suspend holds every change of this tenancy.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// charts are installed in this order and uninstalled in reverse order.
	// +listType=map
	// +listMapKey=releaseName
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Charts []Chart `json:"charts,omitempty"`
}
