package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// canaryCase is a way that the canary goes.
type canaryCase struct {
	chart v1alpha1.Chart
	// then is done when the release is ready in its first revision; nil for nothing.
	then func(t *testing.T, ns string)
	// says is what the status must tell before it is looked for.
	says []string
	// event is what an event must tell instead; empty for none.
	event string
}

// await waits until the canary has gone its way.
func (tc canaryCase) await(t *testing.T, name, ns string) {
	t.Helper()
	if tc.then != nil {
		eventually(t, patience, holds(t, name, ns, "r", 1))
		tc.then(t, ns)
	}
	eventually(t, patience, func() error {
		rel := find(get(t, name), ns, "r")
		if rel == nil {
			return fmt.Errorf("there is no release")
		}
		told := fmt.Sprint(rel.Phase, " ", rel.Message, " ", rel.Drift)
		if tc.event != "" {
			told = kubectl(t, "", "get", "events", "-n", ns, "-o", "jsonpath={.items[*].message}")
		}
		for _, want := range append(tc.says, tc.event) {
			if !strings.Contains(told, want) {
				return fmt.Errorf("it tells %q, want %q", told, want)
			}
		}
		return nil
	})
}

func canaryCases(t *testing.T, name string) map[string]canaryCase {
	t.Helper()
	full := func(chart string) v1alpha1.Chart {
		c := install(chart, "")
		c.TimeoutSeconds = 2
		c.Settings = []v1alpha1.Setting{
			{Key: "secret", Value: planted, Type: v1alpha1.SettingString},
			{Key: "pin", Value: canaryPIN, Type: v1alpha1.SettingString},
			{Key: "core", Value: canaryCore, Type: v1alpha1.SettingString},
		}
		return c
	}
	values := func(text string) v1alpha1.Chart {
		c := install("fails", "")
		c.Values = &apiextensionsv1.JSON{Raw: []byte(text)}
		return c
	}
	taken := func(kind v1alpha1.ReferenceKind, key, path string) v1alpha1.Chart {
		c := install("fails", "")
		c.ValuesFrom = []v1alpha1.ValuesReference{from(kind, "planted", key, path, false)}
		return c
	}
	sourced := func(repository string) v1alpha1.Chart {
		c := full("conf")
		c.Repository = repository
		return c
	}
	drifting := func(p v1alpha1.DriftPolicy) v1alpha1.Chart { c := full("secret"); c.Drift = p; return c }
	back := install("picky", "")
	back.OnFailure = v1alpha1.FailureRollback
	change := func(key, value string) func(t *testing.T, ns string) {
		return func(t *testing.T, ns string) { set(t, name, ns, key, value) }
	}
	remove := func(t *testing.T, ns string) { rechart(t, name, ns, without) }
	return map[string]canaryCase{
		"setting":              {chart: full("fails"), says: []string{"no good"}},
		"values":               {chart: values(fmt.Sprintf(`{"secret": %q}`, planted)), says: []string{"no good"}},
		"number":               {chart: values(`{"number": ` + canaryNumber + `}`), says: []string{"no good"}},
		"ConfigMap":            {chart: taken(v1alpha1.ReferenceConfigMap, "", ""), says: []string{"no good"}},
		"Secret":               {chart: taken(v1alpha1.ReferenceSecret, "", ""), says: []string{"no good"}},
		"targetPath":           {chart: taken(v1alpha1.ReferenceSecret, "plain", "secret"), says: []string{"no good"}},
		"no values":            {chart: taken(v1alpha1.ReferenceSecret, "plain", ""), says: []string{"is YAML that is not a map"}},
		"schema":               {chart: full("schema"), says: []string{"secret must be b"}},
		"refused":              {chart: full("refused"), says: []string{"Not found", "Duplicate value", "Invalid value"}},
		"type":                 {chart: full("type"), says: []string{"Failed"}},
		"quantity":             {chart: full("quantity"), says: []string{"quantities must match"}},
		"YAML":                 {chart: full("yaml"), says: []string{"YAML"}},
		"hook":                 {chart: full("hook"), says: []string{"Failed", "hook Job hook", "timed out"}},
		"hook refused":         {chart: full("hook-refused"), says: []string{"Failed", "hook", "Not found"}},
		"notes":                {chart: full("notes"), says: []string{"Deployed"}},
		"immutable":            {chart: install("picky", ""), then: change("selector", canaryCore), says: []string{"immutable"}},
		"rolled back":          {chart: back, then: change("selector", canaryCore), says: []string{"rolled back", "immutable"}},
		"from a canary":        {chart: install("picky", "", "selector", canaryCore), then: change("selector", "other"), says: []string{"immutable"}},
		"foreign":              {chart: full("foreign"), says: []string{"is not allowed", "is in namespace"}},
		"uninstall, refused":   {chart: full("uninstall-refused"), then: remove, says: []string{"uninstall", "Not found"}},
		"uninstall, account":   {chart: full("uninstall-account"), then: remove, says: []string{"uninstall", "service account"}},
		"account":              {chart: full("account"), says: []string{"serviceaccount", "not found"}},
		"drift told":           {chart: drifting(v1alpha1.DriftWarn), then: driftCanary, says: []string{"differs in data.secret"}},
		"drift corrected":      {chart: drifting(v1alpha1.DriftCorrect), then: driftCanary, event: "differs in data.secret"},
		"record":               {chart: full("secret"), then: func(t *testing.T, ns string) { spoilRecord(t, ns); remove(t, ns) }, says: []string{"cannot be read"}},
		"password":             {chart: sourced("password"), says: []string{"401", "look at the credentials"}},
		"token":                {chart: sourced("token"), says: []string{"401", "look at the credentials"}},
		"echoed":               {chart: sourced("echoed"), says: []string{"index"}},
		"token echoed":         {chart: sourced("token-echoed"), says: []string{"index"}},
		"half the credentials": {chart: sourced("half"), says: []string{"only one of username and password"}},
	}
}

// driftCanary changes the data of a Secret to what a person hides there.
func driftCanary(t *testing.T, ns string) {
	t.Helper()
	patch := fmt.Sprintf(`{"data":{"secret":%q}}`, base64.StdEncoding.EncodeToString([]byte("new "+planted)))
	if _, err := world.kube.CoreV1().Secrets(ns).Patch(t.Context(), "r-secret", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// spoilRecord makes a record useless that can be read for the most part.
func spoilRecord(t *testing.T, ns string) {
	t.Helper()
	record := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"name": "r", "version": "%s", "config": {"secret": %q}}`, canaryCore, planted))
	patch := fmt.Sprintf(`{"data":{"release":%q}}`, base64.StdEncoding.EncodeToString([]byte(record)))
	if _, err := world.kube.CoreV1().Secrets(ns).Patch(t.Context(), "sh.helm.release.v1.r.v1", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// canaryRepositories are sources whose credentials are the canary: one that does
// not take them, and one that shows them.
func canaryRepositories(t *testing.T) []v1alpha1.Repository {
	t.Helper()
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "who is "+r.Header.Get("Authorization")+"?", http.StatusUnauthorized)
	}))
	t.Cleanup(refuses.Close)
	echoes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		_, _ = fmt.Fprintf(w, "apiVersion: v1\nentries: %s %s %s %q: [\n", user, password, r.Header.Get("Authorization"), password)
	}))
	t.Cleanup(echoes.Close)
	basic, token := map[string]string{"username": canaryCore, "password": planted}, map[string]string{"token": canaryCore}
	var out []v1alpha1.Repository
	for name, source := range map[string]struct {
		url  string
		data map[string]string
	}{
		"password": {refuses.URL, basic}, "token": {refuses.URL, token},
		"echoed": {echoes.URL, basic}, "token-echoed": {echoes.URL, token},
		"half": {refuses.URL, map[string]string{"password": planted}},
	} {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "multi-tenancy", Name: "canary-" + name}, StringData: source.data}
		if err := client.IgnoreAlreadyExists(world.client.Create(t.Context(), secret)); err != nil {
			t.Fatal(err)
		}
		out = append(out, v1alpha1.Repository{Name: name, URL: source.url, SecretName: secret.Name})
	}
	return out
}
