package main

import (
	"fmt"

	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// try is a chart of a tenant who wants what is not his, and what his release then
// says. Beside what it tries, it holds a ConfigMap, of which nothing is to be seen
// when the chart is refused.
type try struct {
	chart fixture.Chart
	says  string
}

// tries are charts that a Controller without any allowance refuses.
func tries(canary string) []try {
	in := func(name, says, template string) try { return try{holding(name, "templates/try.yaml", template), says} }
	return []try{
		in("foreign", "ConfigMap taken is in namespace victim", object("v1", "ConfigMap", "taken", "namespace: victim")),
		in("system", "ConfigMap taken is in namespace kube-system", object("v1", "ConfigMap", "taken", "namespace: kube-system")),
		in("second", "Secret taken is in namespace victim",
			object("v1", "ConfigMap", "harmless")+"---\n"+object("v1", "Secret", "taken", "namespace: victim")),
		in("listed", "ConfigMap taken is in namespace victim",
			"apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: taken, namespace: victim}\n"),
		in("pre", "ConfigMap taken is in namespace victim", object("v1", "ConfigMap", "taken", "namespace: victim", hooked("pre-install"))),
		in("post", "ConfigMap taken is in namespace victim", object("v1", "ConfigMap", "taken", "namespace: victim", hooked("post-install"))),
		in("last", "ConfigMap taken is in namespace victim", object("v1", "ConfigMap", "taken", "namespace: victim", hooked("post-delete"))),
		in("tested", "ConfigMap taken is in namespace victim", object("v1", "ConfigMap", "taken", "namespace: victim", hooked("test"))),
		in("sub", "ConfigMap taken is in namespace victim", `{{ include "sub.try" . }}`).with("templates/_try.tpl",
			`{{ define "sub.try" }}`+object("v1", "ConfigMap", "taken", "namespace: victim")+"{{ end }}"),

		in("binding", "ClusterRoleBinding taken is cluster-scoped", object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "taken")+
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"+
			"subjects: [{kind: ServiceAccount, name: default, namespace: mallory}]\n"),
		in("role", "ClusterRole taken is cluster-scoped", object("rbac.authorization.k8s.io/v1", "ClusterRole", "taken")),
		in("rolehook", "ClusterRole taken is cluster-scoped", object("rbac.authorization.k8s.io/v1", "ClusterRole", "taken", hooked("pre-install"))),
		in("home", "Namespace mallory is cluster-scoped", object("v1", "Namespace", "mallory")),
		in("abroad", "Namespace taken is cluster-scoped", object("v1", "Namespace", "taken")),
		in("volume", "PersistentVolume taken is cluster-scoped", object("v1", "PersistentVolume", "taken")),
		in("priority", "PriorityClass taken is cluster-scoped", object("scheduling.k8s.io/v1", "PriorityClass", "taken")+"value: 1000000\n"),
		in("webhook", "MutatingWebhookConfiguration taken is cluster-scoped", object("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "taken")),
		in("policy", "ValidatingAdmissionPolicy taken is cluster-scoped", object("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "taken")),
		in("apiservice", "APIService v1.taken is cluster-scoped", object("apiregistration.k8s.io/v1", "APIService", "v1.taken")),
		in("controller", "Controller taken: nobody but the platform", object("multitenancy.dev/v1alpha1", "Controller", "taken")),
		in("mirror", "Tenancy taken: nobody but the platform", object("multitenancy.dev/v1alpha1", "Tenancy", "taken")),

		in("record", "Secret sh.helm.release.v1.taken.v1 is a release record",
			object("v1", "Secret", "sh.helm.release.v1.taken.v1")+"type: helm.sh/release.v1\n"),
		in("labelled", "Secret taken is a release record", object("v1", "Secret", "taken", "labels: {owner: helm, name: x, status: deployed}")),
		in("taken", "exists and cannot be imported", object("v1", "ConfigMap", "kube-root-ca.crt")),

		in("lookone", "lookup of secrets in namespace victim", looks("v1", "Secret", "victim", "canary")),
		in("looklist", "lookup of secrets in namespace victim", looks("v1", "Secret", "victim", "")),
		in("lookall", "lookup of secrets in the whole cluster", looks("v1", "Secret", "", "")),
		in("lookspec", "lookup of controllers in the whole cluster", looks("multitenancy.dev/v1alpha1", "Controller", "", "")),
		in("lookothers", "lookup of namespaces in the whole cluster", looks("v1", "Namespace", "", "")),
		in("lookmirror", "lookup of tenancies in namespace victim", looks("multitenancy.dev/v1alpha1", "Tenancy", "victim", "")),

		{holding("schemafile", "values.schema.json", `{"$ref": "file:///etc/passwd"}`), "not followed"},
		{holding("schemahttp", "values.schema.json", fmt.Sprintf(`{"$ref": %q}`, canary+"/schema.json")), "not followed"},
	}
}

func (t try) with(path, text string) try {
	t.chart.Files[path] = text
	return t
}

// holding is a chart of one ConfigMap and another file.
func holding(name, path, text string) fixture.Chart {
	c := fixture.ConfigMap(name)
	c.Files[path] = text
	return c
}

// object is a manifest whose metadata holds more lines.
func object(apiVersion, kind, name string, metadata ...string) string {
	text := fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n", apiVersion, kind, name)
	for _, line := range metadata {
		text += "  " + line + "\n"
	}
	return text
}

func hooked(event string) string { return "annotations: {helm.sh/hook: " + event + "}" }

// looks is a template that writes down what it is told of an object.
func looks(apiVersion, kind, namespace, name string) string {
	return object("v1", "ConfigMap", "{{ .Release.Name }}-found") +
		fmt.Sprintf("data:\n  found: {{ lookup %q %q %q %q | toJson | quote }}\n", apiVersion, kind, namespace, name)
}
