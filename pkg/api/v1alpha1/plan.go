package v1alpha1

import apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

// Plan is a list of charts that is written once and used by many tenancies.
type Plan struct {
	// name is what a tenancy names the plan by.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +required
	Name string `json:"name"`

	// guardrails are those of every tenancy of the plan: each one in place of that of
	// spec.guardrails.
	// +optional
	Guardrails *Guardrails `json:"guardrails,omitempty"`

	// charts run in every tenancy of the plan, installed in this order.
	// +listType=map
	// +listMapKey=releaseName
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Charts []PlanChart `json:"charts,omitempty"`
}

// PlanChart is a chart of a plan. Its fields are those of a Chart; in its texts
// $(name) stands for a parameter of the tenancy and $(namespace) for its
// namespace, and $$( is a literal $(. Names of values, the keys of settings and
// targetPath are taken as they are written.
type PlanChart struct {
	// chartName is the name of a chart in the chart home, or in the repository.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	ChartName string `json:"chartName"`

	// repository names one of spec.repositories. Without it the chart comes from
	// the chart home.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Repository string `json:"repository,omitempty"`

	// version is the chart's version: an exact one or a range.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Version string `json:"version,omitempty"`

	// releaseName is the name of the Helm release. Without it the release is named
	// like the namespace.
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=253
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

	// valuesFrom takes values from ConfigMaps and Secrets in the namespace of each
	// tenancy, in order.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	ValuesFrom []ValuesReference `json:"valuesFrom,omitempty"`

	// dependsOn names releases of the tenancy that must be deployed and ready before
	// this one is installed or upgraded.
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=253
	// +optional
	DependsOn []string `json:"dependsOn,omitempty"`

	// timeoutSeconds bounds one operation and each of its hooks, and how long the
	// release may take to become ready after it. Default: 300.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +optional
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty"`

	// onFailure says what follows a failure: Retry (the default), Rollback or Hold.
	// +optional
	OnFailure FailurePolicy `json:"onFailure,omitempty"`

	// retries is how often a failed operation is tried again. Default: 5.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Retries *int32 `json:"retries,omitempty"`

	// drift says what follows when somebody else changes objects of the release:
	// Correct, Warn or Ignore.
	// +optional
	Drift DriftPolicy `json:"drift,omitempty"`

	// crds says what is done with the chart's crds directory: Skip (the default),
	// Create or CreateReplace.
	// +optional
	CRDs CRDPolicy `json:"crds,omitempty"`

	// adopt lets the release take over what exists already and is not of this Controller.
	// +optional
	Adopt *bool `json:"adopt,omitempty"`

	// suspend holds every change of the release in every tenancy.
	// +optional
	Suspend *bool `json:"suspend,omitempty"`
}

// Parameter is the value of a parameter of a plan.
//
// +kubebuilder:validation:MaxLength=4096
type Parameter string
