package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestOldInvalidObject: an object that was stored before the schema became stricter is
// acted on as far as it can be, and is mended by an edit; fault row 96.
func TestOldInvalidObject(t *testing.T) {
	ownSite(t)
	const name = "old"
	crd := filepath.Join(root, "deploy", "crd", "multitenancy.dev_controllers.yaml")
	strict, err := os.ReadFile(crd)
	if err != nil {
		t.Fatal(err)
	}
	// As if release names had once been of any form.
	loose := strings.ReplaceAll(string(strict), `pattern: ^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$`, "pattern: ^.*$")
	if loose == string(strict) {
		t.Fatal("the schema has no such pattern")
	}
	kubectl(t, loose, "apply", "--server-side", "--force-conflicts", "-f", "-")
	startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")))
	eventually(t, patience, func() error {
		_, err := world.cluster.Kubectl(t.Context(), `{"apiVersion":"multitenancy.dev/v1alpha1","kind":"Controller","metadata":{"name":"old"},"spec":{"tenancies":[
			{"namespace":"old-bad","charts":[{"chartName":"conf","releaseName":"No_Such_Name"},{"chartName":"conf","releaseName":"b"}]},
			{"namespace":"old-good","charts":[{"chartName":"conf","releaseName":"a"}]}]}}`, "apply", "-f", "-")
		return err
	})
	discardAfter(t, name)
	kubectl(t, string(strict), "apply", "--server-side", "--force-conflicts", "-f", "-")
	eventually(t, patience, holds(t, name, "old-good", "a", 1))
	eventually(t, patience, holds(t, name, "old-bad", "b", 1))
	eventually(t, patience, failed(t, name, "old-bad", "No_Such_Name"))
	set(t, name, "old-good", "text", "edited") // beside what is wrong
	eventually(t, patience, holds(t, name, "old-good", "a", 2))
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies[0].Charts = s.Tenancies[0].Charts[1:] })
	awaitReady(t, name)
}

// TestDeletedWhileAnOperationRuns: the operation ends, and then everything is uninstalled
// in order; fault row 97.
func TestDeletedWhileAnOperationRuns(t *testing.T) {
	const name = "deleted-midway"
	op := startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf"), fixture.Stuck("stuck", "post-install")), "--zap-log-level=debug")
	create(t, name, tenant(name, install("conf", "a"), install("stuck", "b"), install("conf", "c")))
	eventually(t, patience, recorded(t, name, "b.v1", "pending-install"))
	kubectl(t, "", "delete", "controller", name, "--wait=false")
	eventually(t, patience, func() error {
		cr := get(t, name)
		if cr.DeletionTimestamp.IsZero() || len(cr.Status.Conditions) == 0 || cr.Status.Conditions[0].Reason != v1alpha1.ReasonDeleting {
			return fmt.Errorf("the conditions are %+v, want to be told of the deletion", cr.Status.Conditions)
		}
		return nil
	})
	wantRecords(t, name, map[string]string{"a.v1": "deployed", "b.v1": "pending-install"})
	unstick(t)
	eventually(t, patience, isGone(t, name))
	wantRecords(t, name, map[string]string{})
	if n := op.began(name + "/c"); n != 0 {
		t.Errorf("%d operations on what was still to be installed", n)
	}
}

// TestPrivilegedPods: a guardrail keeps them from being admitted, and the release says
// so; fault row 116.
func TestPrivilegedPods(t *testing.T) {
	const name = "privileged"
	home := fixture.Home(t, "")
	namespaces := map[string]string{
		"priv-privileged": "containers: [{name: main, image: pause, securityContext: {privileged: true}}]",
		"priv-hostpath":   "containers: [{name: main, image: pause}], volumes: [{name: host, hostPath: {path: /}}]",
		"priv-hostnet":    "containers: [{name: main, image: pause}], hostNetwork: true, hostPID: true",
	}
	var tenancies []v1alpha1.TenancySpec
	for ns, pod := range namespaces {
		fixture.Chart{Name: ns, Files: map[string]string{"templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: bad}
spec:
  selector: {matchLabels: {app: bad}}
  template:
    metadata: {labels: {app: bad}}
    spec: {` + pod + "}\n"}}.Write(t, home)
		tenancies = append(tenancies, tenant(ns, install(ns, "a")))
	}
	startOperator(t, home)
	createGuarded(t, name, &v1alpha1.Guardrails{PodSecurity: &v1alpha1.PodSecurity{Enforce: "baseline"}}, tenancies...)
	for ns := range namespaces {
		eventually(t, patience, func() error {
			rel := find(get(t, name), ns, "a")
			if rel == nil || rel.Ready || !strings.Contains(rel.Message, `violates PodSecurity "baseline:latest"`) {
				return fmt.Errorf("the release = %+v, want its pods refused", rel)
			}
			return nil
		})
		if out := kubectl(t, "", "get", "pods", "-n", ns, "-o", "name"); out != "" {
			t.Errorf("there are pods in %s: %s", ns, out)
		}
	}
}

// TestProtectedEndpoints: with --metrics-secure nobody reads the metrics who may not, and
// nobody sees profiles; fault row 133.
func TestProtectedEndpoints(t *testing.T) {
	account := serviceAccount(t)
	t.Setenv("POD_NAMESPACE", "multi-tenancy")
	address := freePort(t)
	startOperatorAs(t, account, fixture.Home(t, "", fixture.ConfigMap("conf")), "--metrics-bind-address="+address, "--metrics-secure")
	token := func(name string) string {
		kubectl(t, "", "create", "serviceaccount", name, "-n", "default")
		return strings.TrimSpace(kubectl(t, "", "create", "token", name, "-n", "default"))
	}
	may, mayNot := token("reads-metrics"), token("reads-nothing")
	kubectl(t, "", "create", "clusterrolebinding", "reads-metrics", "--clusterrole=multi-tenancy-operator-metrics", "--serviceaccount=default:reads-metrics")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // it has made its certificate itself
	for _, tc := range []struct {
		path, token string
		want        int
	}{
		{"/metrics", "", http.StatusUnauthorized},
		{"/metrics", mayNot, http.StatusForbidden},
		{"/metrics", may, http.StatusOK},
		{"/debug/pprof/", may, http.StatusNotFound},
	} {
		eventually(t, patience, func() error {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tc.token != "" {
				req.Header.Set("Authorization", "Bearer "+tc.token)
			}
			answer, err := client.Do(req)
			if err != nil {
				return err
			}
			if err := answer.Body.Close(); err != nil {
				return err
			}
			if answer.StatusCode != tc.want {
				return fmt.Errorf("%s answers %s, want %d", tc.path, answer.Status, tc.want)
			}
			return nil
		})
	}
}

// TestReadOnly: without a home, and with nowhere to write, the operator does its job;
// fault row 138.
func TestReadOnly(t *testing.T) {
	const name = "readonly"
	nowhere := filepath.Join(t.TempDir(), "missing", "directory")
	for _, variable := range []string{"HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HELM_CACHE_HOME"} {
		t.Setenv(variable, "")
	}
	t.Setenv("TMPDIR", nowhere)
	home := fixture.Home(t, "", fixture.ConfigMap("conf"))
	op := startOperator(t, home)
	create(t, name, tenant(name, install("conf", "a", "text", "{{ written }}")))
	awaitReady(t, name)
	op.lives()
	if _, err := os.Stat(nowhere); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was written to %s: %v", nowhere, err)
	}
}

// TestWithoutTheCRD: the operator waits a while for its kinds, ends with a message that
// says what to do, and runs once they are there; fault row 139.
func TestWithoutTheCRD(t *testing.T) {
	ownSite(t)
	const name = "late"
	kubectl(t, "", "delete", "crd", "controllers.multitenancy.dev", "tenancies.multitenancy.dev")
	home := fixture.Home(t, "", fixture.ConfigMap("conf"))
	op := startOperator(t, home)
	eventually(t, patience, func() error {
		select {
		case <-op.ended:
			return nil
		default:
			return errors.New("the operator goes on")
		}
	})
	if log := op.log.String(); op.err == nil || !strings.Contains(log, "apply deploy/crd") || bytes.Contains([]byte(log), []byte("panic")) {
		t.Errorf("it ended with %v and says\n%s", op.err, log)
	}
	late := startOperator(t, home)
	kubectl(t, "", "apply", "-f", filepath.Join(root, "deploy", "crd"))
	eventually(t, patience, func() error { return world.client.Create(t.Context(), controllerOf(name)) })
	discardAfter(t, name)
	add(t, name, tenant(name, install("conf", "a")))
	awaitReady(t, name)
	late.lives()
}
