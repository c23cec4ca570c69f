package v1alpha1

import apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

// Chart is one Helm release of a tenancy. Options have no default in the schema: what
// is not set is the plan's, and only then the default.
type Chart struct {
	// chartName is the name of a chart in the chart home, or in the repository. It
	// may be left out where the plan of the tenancy has a chart of this releaseName.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`
	// +optional
	ChartName string `json:"chartName,omitempty"`

	// repository names one of spec.repositories. Without it the chart comes from
	// the chart home.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Repository string `json:"repository,omitempty"`

	// version is the chart's version: an exact one or a range such as
	// ">=1.2 <2". Without it the newest stable version is used. A newer version that
	// fits is rolled out when the source has it.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Version string `json:"version,omitempty"`

	// releaseName is the name of the Helm release, unique in the tenancy.
	// Without it the release is named like the namespace.
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=53
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$`
	// +optional
	ReleaseName string `json:"releaseName"`

	// settings are single values, applied in order over values.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	// +optional
	Settings []Setting `json:"settings,omitempty"`

	// values are the chart's values, in any shape.
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +optional
	Values *apiextensionsv1.JSON `json:"values,omitempty"`

	// valuesFrom takes values from ConfigMaps and Secrets in the namespace of the
	// tenancy, in order. A change of one is rolled out. values and settings lie over them.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	ValuesFrom []ValuesReference `json:"valuesFrom,omitempty"`

	// dependsOn names releases of this tenancy that must be deployed and ready before
	// this one is installed or upgraded. It is uninstalled before them.
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=53
	// +optional
	DependsOn []string `json:"dependsOn,omitempty"`

	// timeoutSeconds bounds one install, upgrade, rollback or uninstall and each of its
	// hooks, and how long the release may take to become ready after it. Default: 300.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +optional
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty"`

	// onFailure says what follows when an operation fails, or when the release is not
	// ready timeoutSeconds after it: Retry (the default) tries a failed operation again,
	// Rollback goes back to the last revision that was ready, Hold does nothing
	// until the spec changes.
	// +optional
	OnFailure FailurePolicy `json:"onFailure,omitempty"`

	// retries is how often a failed operation is tried again, with growing waits,
	// before the release is given up until the spec changes. Default: 5.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Retries *int32 `json:"retries,omitempty"`

	// drift says what follows when somebody else changes or deletes an object of the
	// release: Correct puts it back, Warn tells it, Ignore does neither. Without it
	// objects are put back, but for the replicas of workloads: who scales by hand keeps
	// what he set. What a HorizontalPodAutoscaler scales is never drift.
	// +optional
	Drift DriftPolicy `json:"drift,omitempty"`

	// crds says what is done with the chart's crds directory: Skip (the default)
	// leaves it alone, Create makes those that are missing, CreateReplace also
	// replaces those that exist. They are never deleted.
	// +optional
	CRDs CRDPolicy `json:"crds,omitempty"`

	// adopt lets the release take over a Helm release of its name, or objects, that
	// exist already and are not of this Controller. Without it they are left alone and
	// the release fails with their names.
	// +optional
	Adopt *bool `json:"adopt,omitempty"`

	// suspend holds every change of this release.
	// +optional
	Suspend *bool `json:"suspend,omitempty"`
}

// FailurePolicy says what follows a failure.
//
// +kubebuilder:validation:Enum=Retry;Rollback;Hold
type FailurePolicy string

// The failure policies.
const (
	// FailureRetry tries again, with growing waits.
	FailureRetry FailurePolicy = "Retry"
	// FailureRollback goes back to the last revision that was ready.
	FailureRollback FailurePolicy = "Rollback"
	// FailureHold does nothing until the spec changes.
	FailureHold FailurePolicy = "Hold"
)

// DriftPolicy says what follows when somebody else changes objects of a release.
//
// +kubebuilder:validation:Enum=Correct;Warn;Ignore
type DriftPolicy string

// The drift policies.
const (
	// DriftCorrect puts objects back as the chart has them.
	DriftCorrect DriftPolicy = "Correct"
	// DriftWarn tells what differs, in the status and as an event.
	DriftWarn DriftPolicy = "Warn"
	// DriftIgnore does nothing.
	DriftIgnore DriftPolicy = "Ignore"
)

// CRDPolicy says what is done with a chart's crds directory.
//
// +kubebuilder:validation:Enum=Skip;Create;CreateReplace
type CRDPolicy string

// The CRD policies.
const (
	// CRDsSkip leaves the directory alone.
	CRDsSkip CRDPolicy = "Skip"
	// CRDsCreate makes those that are missing.
	CRDsCreate CRDPolicy = "Create"
	// CRDsCreateReplace makes those that are missing and replaces the others.
	CRDsCreateReplace CRDPolicy = "CreateReplace"
)
