package main

import "multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"

// parityCase is a chart whose releases are made by helm and by the operator. Its
// values are in testdata/values: first.yaml for the first revision, second.yaml
// for the second one.
type parityCase struct {
	// settings are added to the second values, and flags say the same to helm.
	settings []v1alpha1.Setting
	flags    []string
	// generated are the keys of Secrets whose values are another with every
	// rendering. Only what kind of value they hold is compared.
	generated map[string][]string
	// kept are those of them that a revision finds in the cluster and keeps.
	kept map[string][]string
	// outlives are the objects that stay when the release is uninstalled.
	outlives []string
}

// parityCases are named by their charts, whose Chart.yaml says what they are like.
var parityCases = map[string]parityCase{
	"workloads": {
		settings: []v1alpha1.Setting{
			{Key: "image.tag", Value: "3.10", Type: v1alpha1.SettingString},
			{Key: "podAnnotations.example\\.com/a\\.b", Value: "true", Type: v1alpha1.SettingString},
			{Key: "service.ports[0].port", Value: "8080"},
			{Key: "service.ports[0].name", Value: "http"},
			{Key: "tolerations", Value: `[{"key": "a", "operator": "Exists"}]`, Type: v1alpha1.SettingJSON},
		},
		flags: []string{
			"--set-string", "image.tag=3.10",
			"--set-string", `podAnnotations.example\.com/a\.b=true`,
			"--set", "service.ports[0].port=8080,service.ports[0].name=http",
			"--set-json", `tolerations=[{"key": "a", "operator": "Exists"}]`,
		},
	},
	"subcharts": {
		settings: []v1alpha1.Setting{{Key: "mails.workers", Value: "3"}, {Key: "global.database.user", Value: "root"}},
		flags:    []string{"--set", "mails.workers=3,global.database.user=root"},
	},
	"whole":   {},
	"library": {},
	"hooks":   {},
	"crds":    {},
	"generated": {
		generated: map[string][]string{
			"rel-password": {"password", "every-time"},
			"rel-tls":      {"ca.crt", "tls.crt", "tls.key"},
			"rel-keys":     {"ssh", "self", "htpasswd", "uuid"},
		},
		kept: map[string][]string{"rel-password": {"password"}},
	},
	"tpl": {
		settings: []v1alpha1.Setting{{Key: "annotations.set", Value: "{{ .Release.Name }}, {a,b}=c"}},
		flags:    []string{"--set-literal", "annotations.set={{ .Release.Name }}, {a,b}=c"},
	},
	"notes":        {},
	"keep":         {outlives: []string{"persistentvolumeclaim/rel", "secret/rel-kept"}},
	"files":        {},
	"schema":       {},
	"capabilities": {},
	"documents":    {},
	"nulls": {
		settings: []v1alpha1.Setting{
			{Key: "limits.cpu", Value: "null", Type: v1alpha1.SettingJSON},
			{Key: "zero", Value: "null", Type: v1alpha1.SettingJSON},
		},
		flags: []string{"--set-json", "limits.cpu=null,zero=null"},
	},
	"numbers": {
		settings: []v1alpha1.Setting{
			{Key: "int", Value: "1000000"},
			{Key: "int64", Value: "9223372036854775807"},
			{Key: "mode", Value: "0755"},
			{Key: "exponent", Value: "1e6"},
			{Key: "version", Value: "1.10", Type: v1alpha1.SettingString},
			{Key: "json", Value: `[1, 1.5, 1e6, 12345678901234567, null, "1"]`, Type: v1alpha1.SettingJSON},
			{Key: "true", Value: "true"},
			{Key: "yes", Value: "yes"},
			// On purpose a number as in YAML, which --set takes for a text, and a text,
			// which --set takes for the removal of a default: see decision 004.
			{Key: "half", Value: "0.25"},
			{Key: "null", Value: "null"},
		},
		flags: []string{
			"--set", "int=1000000,int64=9223372036854775807,mode=0755,exponent=1e6,true=true,yes=yes",
			"--set-string", "version=1.10,null=null",
			"--set-json", `json=[1, 1.5, 1e6, 12345678901234567, null, "1"]`,
			"--set-json", "half=0.25",
		},
	},
	"unicode": {
		settings: []v1alpha1.Setting{{Key: "sett\u00edng", Value: "w\u00e9rt \u2603"}},
		flags:    []string{"--set", "sett\u00edng=w\u00e9rt \u2603"},
	},
	"legacy":  {},
	"cluster": {},
}
