package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

func parityNamespace(chart string) string { return "parity-" + chart }

// valuesFile is testdata/values/<chart>/<revision>.yaml.
func valuesFile(chart, revision string) string {
	return filepath.Join("testdata", "values", chart, revision+".yaml")
}

// eachParity runs a step for every chart, as many at a time as there are processors.
func eachParity(t *testing.T, step string, do func(t *testing.T, chart string)) {
	t.Helper()
	t.Run(step, func(t *testing.T) {
		// The longest one first.
		rest := maps.Clone(parityCases)
		delete(rest, "hooks")
		for _, chart := range append([]string{"hooks"}, slices.Sorted(maps.Keys(rest))...) {
			t.Run(chart, func(t *testing.T) {
				t.Parallel()
				do(t, chart)
			})
		}
	})
}

// byHelm makes the releases with helm, and removes them.
func byHelm(t *testing.T, home string) map[string]history {
	t.Helper()
	out := map[string]*history{}
	for chart := range parityCases {
		out[chart] = &history{}
	}
	eachParity(t, "helm", func(t *testing.T, chart string) {
		ns, h := parityNamespace(chart), out[chart]
		path, err := filepath.Glob(filepath.Join(home, chart+"*"))
		if err != nil || len(path) != 1 {
			t.Fatalf("chart %s is at %v, %v", chart, path, err)
		}
		spec := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}
		if _, err := world.kube.CoreV1().Namespaces().Create(t.Context(), spec, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		helm(t, "install", "rel", path[0], "-n", ns, "--timeout=60s", "-f", valuesFile(chart, "first"))
		h.Installed = stored(t, ns)
		helm(t, slices.Concat([]string{"upgrade", "rel", path[0], "-n", ns, "--timeout=60s", "--reset-values", "-f", valuesFile(chart, "second")},
			parityCases[chart].flags)...)
		h.Upgraded = stored(t, ns)
		h.RolledBack = rollBack(t, ns)
		helm(t, "uninstall", "rel", "-n", ns, "--wait")
		if err := world.kube.CoreV1().Namespaces().Delete(t.Context(), ns, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	found := map[string]history{}
	for chart, h := range out {
		found[chart] = *h
		eventually(t, patience, func() error {
			_, err := world.kube.CoreV1().Namespaces().Get(t.Context(), parityNamespace(chart), metav1.GetOptions{})
			if err == nil {
				return fmt.Errorf("namespace %s is still there", parityNamespace(chart))
			}
			return client.IgnoreNotFound(err)
		})
	}
	return found
}

// rollBack lets helm go back to the first revision.
func rollBack(t *testing.T, ns string) map[string]record {
	t.Helper()
	helm(t, "rollback", "rel", "1", "-n", ns)
	return stored(t, ns)
}

// byOperator makes the releases with one Controller, and removes them with it.
func byOperator(t *testing.T, home string) map[string]history {
	t.Helper()
	const name = "parity"
	charts := slices.Sorted(maps.Keys(parityCases))
	startOperator(t, home)
	discardAfter(t, name)
	applyParity(t, name, "first", charts)
	awaitReady(t, name)
	out := map[string]*history{}
	for _, chart := range charts {
		out[chart] = &history{Installed: stored(t, parityNamespace(chart))}
	}
	applyParity(t, name, "second", charts)
	awaitReady(t, name)
	for _, chart := range charts {
		out[chart].Upgraded = stored(t, parityNamespace(chart))
	}

	// What helm changes now is not taken back.
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Suspend = true })
	awaitReady(t, name)
	eachParity(t, "rollback", func(t *testing.T, chart string) {
		out[chart].RolledBack = rollBack(t, parityNamespace(chart))
	})
	wantHelmKnows(t, parityNamespace("subcharts"))
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Suspend = false })
	kubectl(t, "", "delete", "controller", name, "--wait=false")
	eventually(t, patience, isGone(t, name))

	found := map[string]history{}
	for chart, h := range out {
		found[chart] = *h
		ns := parityNamespace(chart)
		if left := records(t, ns); len(left) > 0 {
			t.Errorf("records in %s after the Controller: %v", ns, left)
		}
		for _, object := range parityCases[chart].outlives {
			kubectl(t, "", "get", "-n", ns, object)
		}
	}
	return found
}

// applyParity writes the Controller as a person does who wants null to remove a
// default: kubectl drops every null when it applies without --server-side, and the
// API server drops those in a merge patch, before the operator sees them.
func applyParity(t *testing.T, name, revision string, charts []string) {
	t.Helper()
	var tenancies []v1alpha1.TenancySpec
	for _, chart := range charts {
		c := install(chart, "rel")
		c.CRDs = v1alpha1.CRDsCreate // as helm does
		c.Values = parityValues(t, chart, revision)
		if revision == "second" {
			c.Settings = parityCases[chart].settings
		}
		tenancies = append(tenancies, tenant(parityNamespace(chart), c))
	}
	cr, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "Controller",
		"metadata": map[string]any{"name": name},
		"spec":     v1alpha1.ControllerSpec{Tenancies: tenancies, AllowedClusterKinds: parityKinds},
	})
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, string(cr), "apply", "--server-side", "-f", "-")
}

// parityKinds are the cluster-scoped kinds that the charts contain or look up: helm
// has no limits.
var parityKinds = []v1alpha1.ClusterKind{
	{Kind: "Node"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"},
	{Group: "networking.k8s.io", Kind: "IngressClass"},
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"},
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"},
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"},
}

// parityValues reads values as kubectl reads those in a Controller.
func parityValues(t *testing.T, chart, revision string) *apiextensionsv1.JSON {
	t.Helper()
	text, err := os.ReadFile(valuesFile(chart, revision))
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return nil
	}
	raw, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	return &apiextensionsv1.JSON{Raw: raw}
}
