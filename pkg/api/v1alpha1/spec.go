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

	// serviceAccountName is the ServiceAccount, in the namespace of each tenancy, as which
	// Helm applies, looks up and removes what charts contain, so that they can do no more
	// than it may. Without it, it is the one of the
	// operator's flag --default-service-account, and without that the operator itself.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// allowedClusterKinds are cluster-scoped kinds that the charts of every tenancy may
	// contain, hooks and the crds directory included. Without one of these or of the
	// tenancy's own, a chart that contains such an object is refused.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	// +optional
	AllowedClusterKinds []ClusterKind `json:"allowedClusterKinds,omitempty"`

	// guardrails are those of every tenancy. A plan, and a tenancy, can have others in
	// place of each of them.
	// +optional
	Guardrails *Guardrails `json:"guardrails,omitempty"`

	// repositories are named chart sources. A chart that names none comes from the
	// chart home.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Repositories []Repository `json:"repositories,omitempty"`

	// plans are lists of charts that are written once and used by many tenancies.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Plans []Plan `json:"plans,omitempty"`

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
// +kubebuilder:validation:XValidation:rule="has(self.plan) || !has(self.charts) || self.charts.all(c, has(c.chartName))",reason=FieldValueRequired,fieldPath=".charts",message="chartName is required in every chart of a tenancy without a plan"
// +kubebuilder:validation:XValidation:rule="has(self.plan) || !has(self.params)",message="params: they are put into the charts of a plan, and the tenancy names no plan"
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

	// plan names one of spec.plans, whose charts run in this tenancy.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Plan string `json:"plan,omitempty"`

	// params are put into the texts of the plan's charts where these say $(name). Do not
	// put secrets here: whoever may read this object reads them.
	// +mapType=atomic
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="!('namespace' in self)",message="namespace is always the namespace of the tenancy"
	// +kubebuilder:validation:XValidation:rule="self.all(name, size(name) <= 63 && name.matches('^[A-Za-z_][-A-Za-z0-9_.]*$'))",message="the name of a parameter begins with a letter or _, goes on with letters, digits, _, - and dots, and has at most 63 characters"
	// +optional
	Params map[string]Parameter `json:"params,omitempty"`

	// serviceAccountName is the ServiceAccount, in the namespace of the tenancy, as which
	// Helm applies, looks up and removes what charts contain, so that they can do no more
	// than it may. Without it, it is spec.serviceAccountName.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// allowedClusterKinds are cluster-scoped kinds that the charts of this tenancy may
	// contain, beside those of spec.allowedClusterKinds. What they make can reach every
	// tenancy.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	// +optional
	AllowedClusterKinds []ClusterKind `json:"allowedClusterKinds,omitempty"`

	// editors are those who may change this tenancy. As soon as one tenancy has editors,
	// who lacks the verb manage for controllers.multitenancy.dev changes the plan, params,
	// charts and suspend of tenancies that name him, and nothing else. It takes the
	// operator's webhook to hold this.
	// +optional
	Editors *People `json:"editors,omitempty"`

	// guardrails are those of this tenancy: each one in place of that of its plan, or of
	// spec.guardrails.
	// +optional
	Guardrails *Guardrails `json:"guardrails,omitempty"`

	// charts are installed in this order and uninstalled in reverse order. With a plan
	// they come after the plan's; one that has the release name of a chart of
	// the plan is laid over it: options replace, settings are added after, values are merged.
	// +listType=map
	// +listMapKey=releaseName
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Charts []Chart `json:"charts,omitempty"`
}

// People are users and groups of users.
type People struct {
	// users are names as the API server knows them.
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +optional
	Users []string `json:"users,omitempty"`

	// groups are groups of users as the API server knows them.
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +optional
	Groups []string `json:"groups,omitempty"`
}

// ClusterKind names a cluster-scoped kind.
type ClusterKind struct {
	// group is the API group of the kind, without a version; empty for the core group.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Group string `json:"group,omitempty"`

	// kind is the kind as manifests write it, such as ClusterRole.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Kind string `json:"kind"`
}
