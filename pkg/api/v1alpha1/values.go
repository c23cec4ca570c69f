package v1alpha1

// ReferenceKind is the kind of object values are taken from.
//
// +kubebuilder:validation:Enum=ConfigMap;Secret
type ReferenceKind string

// The kinds values are taken from.
const (
	ReferenceConfigMap ReferenceKind = "ConfigMap"
	ReferenceSecret    ReferenceKind = "Secret"
)

// ValuesReference names values in a ConfigMap or a Secret.
type ValuesReference struct {
	// kind is ConfigMap or Secret.
	// +required
	Kind ReferenceKind `json:"kind"`

	// name of the object, in the namespace of the tenancy.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`

	// key of the data in the object.
	// +kubebuilder:default=values.yaml
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Key string `json:"key,omitempty"`

	// targetPath puts the data at this path, as text; written like the key of a
	// setting. Without it the data is YAML with values.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	TargetPath string `json:"targetPath,omitempty"`

	// optional lets the object or the key be missing.
	// +optional
	Optional bool `json:"optional,omitempty"`
}

// SettingType says how the value of a setting is read.
//
// +kubebuilder:validation:Enum=string;json
type SettingType string

// The setting types. Without one, a value is typed as YAML types it.
const (
	// SettingString takes the value as text, whatever it looks like.
	SettingString SettingType = "string"
	// SettingJSON reads the value as JSON; null removes a default of the chart.
	SettingJSON SettingType = "json"
)

// Setting sets one value of a chart.
type Setting struct {
	// key is the path of the value: names joined by dots, list items as [0],
	// a dot inside a name as \. — for example service.ports[0].name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Key string `json:"key"`

	// value is one scalar, typed as YAML types it: 2, true, 1.5 or text. Commas
	// and braces are text. Do not put secrets here: whoever may read this object
	// reads them.
	// +kubebuilder:validation:MaxLength=16384
	// +optional
	Value string `json:"value"`

	// type forces how value is read: string for text, json for JSON.
	// +optional
	Type SettingType `json:"type,omitempty"`
}
