package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// What must show nowhere. The core of the canary is the same however its text is
// escaped; the PIN is too short to be looked for in a message, so that it must not
// come into one; the number is written in more ways than one.
const (
	canaryCore   = "c4naryk7f3e"
	planted      = `p" <` + canaryCore + `>&/%`
	canaryPIN    = "Qx7z"
	canaryNumber = "7318553927"
)

// TestCanary: no value of a release and no credential comes into what the operator
// tells: status, events, log, metrics, and the labels and annotations of records.
func TestCanary(t *testing.T) {
	const name, reporter = "canary", "multi-tenancy-operator" // what Kubernetes itself tells of is not the operator's
	operatorNamespace(t)
	t.Setenv("POD_NAMESPACE", "multi-tenancy")
	address := freePort(t)
	home := fixture.Home(t, "", canaryCharts()...)
	op := startOperator(t, home, "--zap-log-level=debug", "--metrics-bind-address="+address,
		"--chart-cache=", "--allowed-source-networks=127.0.0.0/8", "--concurrent=8")
	cases := canaryCases(t, name)
	var tenancies []v1alpha1.TenancySpec
	for which, tc := range cases {
		plantCanary(t, canaryNamespace(which))
		tc.chart.ReleaseName = "r"
		tenancies = append(tenancies, tenant(canaryNamespace(which), tc.chart))
	}
	create(t, name, tenancies...)
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Repositories = canaryRepositories(t) })

	t.Run("paths", func(t *testing.T) {
		for which, tc := range cases {
			t.Run(which, func(t *testing.T) {
				t.Parallel()
				tc.await(t, name, canaryNamespace(which))
			})
		}
	})

	status, err := json.Marshal(get(t, name).Status)
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{
		"status":                     string(status),
		"events":                     kubectl(t, "", "get", "events", "-A", "--field-selector=reportingComponent="+reporter, "-o", "yaml"),
		"events.k8s.io":              kubectl(t, "", "get", "events.events.k8s.io", "-A", "--field-selector=reportingController="+reporter, "-o", "yaml"),
		"log":                        op.log.String(),
		"metrics":                    metricsOf(t, address),
		"metadata of Helm's records": recordMetadata(t),
	} {
		for line := range strings.Lines(text) {
			if form := leaked(line); form != "" {
				t.Errorf("%s is in the %s: %s", form, where, line)
			}
		}
	}
	spec, err := json.Marshal(get(t, name).Spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(spec), base64.StdEncoding.EncodeToString([]byte("user:" + planted)), `"` + canaryPIN} {
		if leaked(text) == "" {
			t.Errorf("nothing is found in %s, where it was planted", text)
		}
	}
}

// leaked names what is in a text that must not be; empty for nothing.
func leaked(text string) string {
	forms := map[string]string{
		"the canary": canaryCore, "the PIN": canaryPIN, "the number": canaryNumber,
		"the number with an exponent": "7.318553927e+09",
	}
	// In base64 a text looks in one of three ways, as it begins.
	for i, before := range []string{"", "x", "xx"} {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(before + canaryCore))
		forms[fmt.Sprint("the canary in base64, at ", i)] = encoded[(i*8+5)/6 : len(encoded)-1]
	}
	for name, form := range forms {
		if strings.Contains(text, form) {
			return name
		}
	}
	return ""
}

func canaryNamespace(which string) string {
	return "canary-" + strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(which), " ", "-"), ",", "")
}

// plantCanary makes a namespace with a ConfigMap and a Secret that values can be
// taken from.
func plantCanary(t *testing.T, ns string) {
	t.Helper()
	data := map[string]string{"plain": planted, "values.yaml": fmt.Sprintf("secret: %q\npin: %s\n", planted, canaryPIN)}
	meta := metav1.ObjectMeta{Namespace: ns, Name: "planted"}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}
	if err := world.client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	if err := world.client.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: meta, Data: data}); err != nil {
		t.Fatal(err)
	}
	if err := world.client.Create(t.Context(), &corev1.Secret{ObjectMeta: meta, StringData: data}); err != nil {
		t.Fatal(err)
	}
}

// recordMetadata is what is legible on Helm's records.
func recordMetadata(t *testing.T) string {
	t.Helper()
	var list corev1.SecretList
	listAll(t, &list)
	var out strings.Builder
	for _, s := range slices.DeleteFunc(list.Items, func(s corev1.Secret) bool { return s.Type != "helm.sh/release.v1" }) {
		fmt.Fprintln(&out, s.Namespace, s.Name, s.Labels, s.Annotations)
	}
	return out.String()
}
