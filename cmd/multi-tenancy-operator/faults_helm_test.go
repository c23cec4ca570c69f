package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// troubled are charts that the API server takes and that do not work, or whose
// changes it does not take.
func troubled() []fixture.Chart {
	replace := func(c fixture.Chart, old, text string) fixture.Chart {
		for name := range c.Files {
			c.Files[name] = strings.Replace(c.Files[name], old, text, 1)
		}
		return c
	}
	fixed := replace(fixture.Deployment("fixed"), "{app: {{ .Release.Name }}}", "{app: {{ .Values.app }}}")
	fixed = replace(fixed, "app: {{ .Release.Name }}\n", "app: {{ .Values.app }}\n")
	never := replace(fixture.Deployment("never"), "      containers:", "      nodeSelector: {missing: \"true\"}\n      containers:")
	old := fixture.ConfigMap("old")
	old.Files["Chart.yaml"] = "apiVersion: v2\nname: old\nversion: 0.1.0\nkubeVersion: <1.20\n"
	fails := replace(fixture.Stuck("fails", "pre-install"), "      nodeSelector: {nowhere: \"true\"}\n", "")
	fails = replace(fails, "spec:\n  template:\n", "spec:\n  backoffLimit: 0\n  template:\n"+
		"    metadata: {labels: {pod-container-running-failed.stage.kwok.x-k8s.io: \"true\"}}\n")
	leaves := replace(fixture.Stuck("leaves", "pre-delete"), "spec:\n  template:\n", "spec:\n  activeDeadlineSeconds: 3\n  template:\n")
	return []fixture.Chart{fixed, never, old, fails, leaves, fixture.ConfigMap("conf")}
}

// TestHelmFaults: what can go wrong while charts are applied and taken away,
// fault rows 38, 40, 46, 48, 52, 54, 55, 59, 60 and 61.
func TestHelmFaults(t *testing.T) {
	const name = "helm"
	px := startProxy(t)
	op := startOperatorAs(t, px.kubeconfig, fixture.Home(t, "", troubled()...), "--zap-log-level=debug")
	create(t, name,
		tenant("helm-never", install("never", "a")), tenant("helm-old", install("old", "a")), tenant("helm-fails", install("fails", "a")),
		tenant("helm-fixed", install("fixed", "a", "app", "one")), tenant("helm-leaves", install("leaves", "a")),
		tenant("helm-removed", install("conf", "a", "text", "one")), tenant("helm-gone", install("conf", "a")))
	defer op.lives()

	t.Run("46: pods that never become ready", func(t *testing.T) {
		eventually(t, patience, func() error {
			rel := find(get(t, name), "helm-never", "a")
			if rel == nil || rel.Phase != v1alpha1.ReleaseDeployed || rel.Ready || !strings.Contains(rel.Message, "0 of 1 pods ready; pod a-never-") {
				return fmt.Errorf("the release = %+v, want it deployed, not ready, and the pod named", rel)
			}
			return nil
		})
		for _, ns := range []string{"helm-fixed", "helm-leaves", "helm-removed", "helm-gone"} {
			eventually(t, patience, holds(t, name, ns, "a", 1))
		}
	})

	t.Run("60, 61: a chart for another Kubernetes", func(t *testing.T) {
		eventually(t, patience, failed(t, name, "helm-old", "a", "kubeVersion: <1.20"))
		if n := op.began("helm-old/a"); n > 2 {
			t.Errorf("%d operations began, want no loop", n)
		}
		wantRecords(t, "helm-old", map[string]string{})
	})

	t.Run("48: a hook fails", func(t *testing.T) {
		eventually(t, patience, failed(t, name, "helm-fails", "a", "failed pre-install: hook Job a-fails-hook", "BackoffLimitExceeded"))
	})

	t.Run("40: a field that cannot be changed", func(t *testing.T) {
		eventually(t, patience, holds(t, name, "helm-fixed", "a", 1))
		before := pods(t, "helm-fixed")
		set(t, name, "helm-fixed", "app", "two")
		eventually(t, patience, failed(t, name, "helm-fixed", "a", `"a-fixed"`, "Deployment", "spec.selector", "immutable"))
		if n := op.began("helm-fixed/a"); n > 3 {
			t.Errorf("%d operations began, want no storm", n)
		}
		if diff := cmp.Diff(before, pods(t, "helm-fixed")); diff != "" {
			t.Errorf("pods (-before +after):\n%s", diff)
		}
		set(t, name, "helm-fixed", "app", "one")
		eventually(t, patience, func() error {
			if rel := find(get(t, name), "helm-fixed", "a"); !rel.Ready || rel.Revision < 3 {
				return fmt.Errorf("the release = %+v, want it ready again", rel)
			}
			return nil
		})
	})

	t.Run("59: a kind the API server has no more", func(t *testing.T) {
		const psp = "\n---\napiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: gone}\n---\n"
		eventually(t, patience, holds(t, name, "helm-removed", "a", 1))
		rewrite(t, "helm-removed", "a.v1", func(manifest string) string { return psp + manifest })
		set(t, name, "helm-removed", "text", "two")
		eventually(t, patience, holds(t, name, "helm-removed", "a", 2))
		if diff := cmp.Diff(map[string]string{"a-conf": "two"}, texts(t, "helm-removed")); diff != "" {
			t.Errorf("ConfigMaps (-want +got):\n%s", diff)
		}
		rewrite(t, "helm-removed", "a.v2", func(manifest string) string { return psp + manifest })
		rechart(t, name, "helm-removed", without)
		eventually(t, patience, isEmpty(t, "helm-removed"))
	})

	t.Run("54: one request of an uninstall fails", func(t *testing.T) {
		for what, f := range map[string]fault{
			"object": {verb: "delete", path: regexp.MustCompile(`/helm-object/configmaps/a-conf`)},
			"record": {verb: "delete", path: regexp.MustCompile(`/helm-record/secrets/`)},
			"look":   {verb: "get", path: regexp.MustCompile(`/helm-look/configmaps/a-conf`)},
		} {
			ns := "helm-" + what
			add(t, name, tenant(ns, install("conf", "a")))
			eventually(t, patience, holds(t, name, ns, "a", 1))
			f.times, f.status = 1, http.StatusInternalServerError
			px.play(f)
			rechart(t, name, ns, without)
			eventually(t, patience, func() error {
				if log := op.log.String(); !strings.Contains(log, fmt.Sprintf("uninstall release %s/a: ", ns)) {
					return fmt.Errorf("nothing says that the uninstall in %s failed", ns)
				}
				return nil
			})
			nudge(t, name)
			eventually(t, patience, isEmpty(t, ns))
		}
		if n := strings.Count(op.log.String(), "a fault is played"); n < 3 {
			t.Errorf("the cause is named %d times, want it for each of them", n)
		}
	})

	t.Run("55: the release is gone already", func(t *testing.T) {
		eventually(t, patience, holds(t, name, "helm-gone", "a", 1))
		mend := px.play(fault{verb: "watch", path: regexp.MustCompile(`/api/v1/secrets`), silent: true})
		defer mend()
		kubectl(t, "", "delete", "secret", "-n", "helm-gone", "sh.helm.release.v1.a.v1")
		rechart(t, name, "helm-gone", without)
		eventually(t, patience, func() error {
			if rel := find(get(t, name), "helm-gone", "a"); rel != nil {
				return fmt.Errorf("the release = %+v, want it gone", rel)
			}
			return nil
		})
		if n := op.began("helm-gone/a"); n != 2 {
			t.Errorf("%d operations began, want the install and an uninstall", n)
		}
	})

	t.Run("38: nothing is put into another namespace", func(t *testing.T) {
		out := kubectl(t, "", "get", "configmaps,deployments,jobs,secrets", "-n", "default", "-o", "name")
		if strings.TrimSpace(out) != "configmap/kube-root-ca.crt" {
			t.Errorf("in default there is:\n%s", out)
		}
	})

	t.Run("52: a hook keeps a release from going", func(t *testing.T) {
		kubectl(t, "", "delete", "controller", name, "--wait=false")
		eventually(t, patience, failed(t, name, "helm-leaves", "a", "hook Job a-leaves-hook", "DeadlineExceeded"))
		unstick(t)
		nudge(t, name)
		eventually(t, patience, isGone(t, name))
		if left := texts(t, "helm-leaves"); len(left) > 0 {
			t.Errorf("ConfigMaps are left: %v", left)
		}
	})
}

// isEmpty says that records or ConfigMaps are left in a namespace.
func isEmpty(t testing.TB, namespace string) func() error {
	return func() error {
		if got, left := records(t, namespace), texts(t, namespace); len(got)+len(left) > 0 {
			return fmt.Errorf("%s is left with the records %v and the ConfigMaps %v", namespace, got, left)
		}
		return nil
	}
}

// pods are those of a namespace that run, by UID.
func pods(t testing.TB, namespace string) map[string]bool {
	t.Helper()
	list, err := world.kube.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) == 0 {
		t.Fatalf("no pods in %s: %v", namespace, err)
	}
	out := map[string]bool{}
	for _, p := range list.Items {
		out[string(p.UID)] = p.DeletionTimestamp == nil && p.Status.Phase == "Running"
	}
	return out
}

// rewrite changes the manifest in a record.
func rewrite(t testing.TB, namespace, name string, change func(string) string) {
	t.Helper()
	secret := recordOf(t, namespace, name)
	packed, err := base64.StdEncoding.DecodeString(string(secret.Data["release"]))
	if err != nil {
		t.Fatal(err)
	}
	unpack, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unpack)
	if err != nil {
		t.Fatal(err)
	}
	var rel map[string]any
	if err := json.Unmarshal(text, &rel); err != nil {
		t.Fatal(err)
	}
	rel["manifest"] = change(fmt.Sprint(rel["manifest"]))
	if text, err = json.Marshal(rel); err != nil {
		t.Fatal(err)
	}
	secret.Data["release"] = []byte(base64.StdEncoding.EncodeToString(text))
	if _, err := world.kube.CoreV1().Secrets(namespace).Update(t.Context(), secret, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}
