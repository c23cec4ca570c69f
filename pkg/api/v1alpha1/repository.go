package v1alpha1

// Repository is a named chart source.
type Repository struct {
	// name is what charts call the repository by.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	// +required
	Name string `json:"name"`

	// url is that of a Helm repository (https://charts.example.com; its index.yaml lies
	// there) or of an OCI registry (oci://registry.example.com/charts; the chart's name
	// is the last part of the path). Credentials do not belong here.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^(https?|oci)://[^/?#@\s]+(/[^?#@\s]*)?$`
	// +required
	URL string `json:"url"`

	// secretName names a Secret in the operator's namespace with the credentials:
	// username and password, or token, or .dockerconfigjson; tls.crt and tls.key for a
	// client certificate; ca.crt to trust.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	SecretName string `json:"secretName,omitempty"`

	// insecure talks plain HTTP to an oci:// registry. Without it the operator never
	// falls back to plain HTTP.
	// +optional
	Insecure bool `json:"insecure,omitempty"`
}
