package main

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// chaosForeign is a namespace that no tenancy has.
const chaosForeign = chaosPrefix + "foreign"

// foreignState is what chaosState sees when there is no release of the operator's.
var foreignState = map[string]string{
	"chaos-3/release theirs":        "deployed, chart , digest ",
	"chaos-3/ConfigMap theirs-conf": `theirs, labels map[app.kubernetes.io/managed-by:Helm from:chart], data map[text:default]`,
}

// objectOf is how chaosState calls the object of a chart.
func objectOf(tn v1alpha1.TenancySpec, c v1alpha1.Chart) string {
	kind := "ConfigMap"
	if c.ChartName == "web" {
		kind = "Deployment"
	}
	return fmt.Sprintf("%s/%s %s-%s", tn.Namespace, kind, c.ReleaseName, c.ChartName)
}

// chaosState is every release in the namespaces, as its latest record has it, and
// every object of any release, whether or not that is there.
func chaosState(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	var secrets corev1.SecretList
	var configs corev1.ConfigMapList
	var deployments appsv1.DeploymentList
	listAll(t, &secrets, client.MatchingLabels{"owner": "helm"})
	listAll(t, &configs)
	listAll(t, &deployments)
	latest := map[string]int{}
	for _, s := range secrets.Items {
		key := fmt.Sprintf("%s/release %s", s.Namespace, s.Labels["name"])
		var revision int
		if _, err := fmt.Sscan(s.Labels["version"], &revision); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(s.Namespace, chaosPrefix) && revision > latest[key] {
			latest[key] = revision
			out[key] = fmt.Sprintf("%s, chart %s, digest %s", s.Labels["status"], s.Labels[v1alpha1.LabelChart], s.Labels[v1alpha1.LabelDigest])
		}
	}
	note := func(kind string, object metav1.ObjectMeta, what string) {
		if release := object.Annotations["meta.helm.sh/release-name"]; release != "" && strings.HasPrefix(object.Namespace, chaosPrefix) {
			out[fmt.Sprintf("%s/%s %s", object.Namespace, kind, object.Name)] = fmt.Sprintf("%s, labels %v, %s", release, object.Labels, what)
		}
	}
	for _, cm := range configs.Items {
		note("ConfigMap", cm.ObjectMeta, fmt.Sprintf("data %v", cm.Data))
	}
	for _, d := range deployments.Items {
		note("Deployment", d.ObjectMeta, fmt.Sprintf("%d replicas", *d.Spec.Replicas))
	}
	return out
}

func listAll(t *testing.T, list client.ObjectList, opts ...client.ListOption) {
	t.Helper()
	if err := world.client.List(t.Context(), list, opts...); err != nil {
		t.Fatal(err)
	}
}

// plantForeign makes the namespaces, and in each of them things that are not the
// operator's; and the values that charts may take.
func plantForeign(t *testing.T, home string) {
	t.Helper()
	namespaces := []string{chaosForeign}
	for i := range chaosTenants {
		namespaces = append(namespaces, chaosNamespace(i))
	}
	for _, ns := range namespaces {
		foreign := metav1.ObjectMeta{Namespace: ns, Name: "foreign"}
		for _, object := range []client.Object{
			&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}},
			&corev1.ConfigMap{ObjectMeta: foreign, Data: map[string]string{"text": "theirs"}},
			&corev1.Secret{ObjectMeta: foreign, StringData: map[string]string{"text": "theirs"}},
			&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: chaosValues}, Data: map[string]string{"values.yaml": "from: first"}},
			deploymentOf(foreign),
		} {
			if err := world.client.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
		}
	}
	helm(t, "install", "theirs", home+"/conf", "-n", chaosNamespace(3))
	for _, ns := range namespaces {
		kubectl(t, "", "rollout", "status", "deployment/foreign", "-n", ns)
	}
}

// deploymentOf is a Deployment of one pod.
func deploymentOf(meta metav1.ObjectMeta) *appsv1.Deployment {
	labels := map[string]string{"app": meta.Name}
	return &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "registry.k8s.io/pause:3.10"}}},
		},
	}}
}

// foreignObjects are the versions of what is not the operator's. The version of a
// workload changes with its status, which may: of it the generation counts.
func foreignObjects(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	var namespaces corev1.NamespaceList
	var secrets corev1.SecretList
	var configs corev1.ConfigMapList
	var deployments appsv1.DeploymentList
	for _, list := range []client.ObjectList{&namespaces, &secrets, &configs, &deployments} {
		listAll(t, list)
	}
	note := func(kind string, object metav1.ObjectMeta, version string) {
		out[fmt.Sprintf("%s %s/%s", kind, object.Namespace, object.Name)] = fmt.Sprint(object.UID, " ", version)
	}
	for _, ns := range namespaces.Items {
		if strings.HasPrefix(ns.Name, chaosPrefix) {
			note("Namespace", ns.ObjectMeta, ns.ResourceVersion)
		}
	}
	theirs := func(object metav1.ObjectMeta) bool {
		return strings.HasPrefix(object.Namespace, chaosPrefix) && (object.Name == "foreign" || strings.Contains(object.Name, "theirs"))
	}
	for _, s := range secrets.Items {
		if theirs(s.ObjectMeta) {
			note("Secret", s.ObjectMeta, s.ResourceVersion)
		}
	}
	for _, cm := range configs.Items {
		if theirs(cm.ObjectMeta) {
			note("ConfigMap", cm.ObjectMeta, cm.ResourceVersion)
		}
	}
	for _, d := range deployments.Items {
		if theirs(d.ObjectMeta) {
			note("Deployment", d.ObjectMeta, fmt.Sprintf("generation %d, %v %v", d.Generation, d.Labels, d.Annotations))
		}
	}
	return out
}
