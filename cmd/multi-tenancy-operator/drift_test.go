package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestDrift: what somebody else does to the objects of a release is put back,
// told or left alone, as the release says, and no revision comes of it; fault
// rows 41 and 43.
func TestDrift(t *testing.T) {
	const name = "drift"
	startOperator(t, fixture.Home(t, "", fixture.Deployment("web"), fixture.ConfigMap("conf")))
	policy := func(c v1alpha1.Chart, p v1alpha1.DriftPolicy) v1alpha1.Chart { c.Drift = p; return c }
	create(t, name, tenant(name,
		install("conf", "kept", "text", "chart"), policy(install("web", "web"), v1alpha1.DriftCorrect),
		policy(install("conf", "told", "text", "chart"), v1alpha1.DriftWarn),
		policy(install("conf", "left", "text", "chart"), v1alpha1.DriftIgnore)))
	awaitReady(t, name)
	before := records(t, name)
	kube := world.kube.CoreV1().ConfigMaps(name)
	text := func(object string) string {
		cm, err := kube.Get(t.Context(), object, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return "missing"
		case err != nil:
			t.Fatal(err)
		}
		return cm.Data["text"]
	}
	change := func(object string) {
		t.Helper()
		if _, err := kube.Patch(t.Context(), object, types.MergePatchType, []byte(`{"data":{"text":"person"}}`), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(object, value string) func() error {
		return func() error {
			if got := text(object); got != value {
				return fmt.Errorf("ConfigMap %s has %q, want %q", object, got, value)
			}
			return nil
		}
	}
	tells := func(release, what string) func() error {
		return func() error {
			if got := find(get(t, name), name, release).Drift; !strings.Contains(got, what) || what == "" && got != "" {
				return fmt.Errorf("the status of %s says %q of drift, want %q", release, got, what)
			}
			return nil
		}
	}

	t.Run("a deleted object is back within two seconds", func(t *testing.T) {
		if err := kube.Delete(t.Context(), "kept-conf", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, 2*time.Second, want("kept-conf", "chart"))
		if err := world.kube.AppsV1().Deployments(name).Delete(t.Context(), "web-web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, 2*time.Second, func() error {
			if replicas(t, name, "web-web") < 0 {
				return fmt.Errorf("the Deployment is not back")
			}
			return nil
		})
	})
	t.Run("a changed field is put back", func(t *testing.T) {
		change("kept-conf")
		eventually(t, 2*time.Second, want("kept-conf", "chart"))
		kubectl(t, "", "scale", "deployment/web-web", "-n", name, "--replicas=7")
		eventually(t, 2*time.Second, func() error {
			if got := replicas(t, name, "web-web"); got != 1 {
				return fmt.Errorf("the Deployment has %d replicas", got)
			}
			return nil
		})
	})
	t.Run("told and not put back", func(t *testing.T) {
		change("told-conf")
		eventually(t, patience, tells("told", "ConfigMap told-conf differs in data.text"))
		if err := kube.Delete(t.Context(), "told-conf", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, patience, tells("told", "ConfigMap told-conf is missing"))
		if got := text("told-conf"); got != "missing" {
			t.Errorf("ConfigMap told-conf has %q", got)
		}
	})
	t.Run("left alone", func(t *testing.T) {
		change("left-conf")
		change("kept-conf") // what comes after it is seen, so it was, too
		eventually(t, patience, want("kept-conf", "chart"))
		if got := text("left-conf"); got != "person" {
			t.Errorf("ConfigMap left-conf has %q", got)
		}
		if err := tells("left", "")(); err != nil {
			t.Error(err)
		}
	})
	t.Run("no revision comes of it", func(t *testing.T) {
		awaitReady(t, name)
		wantRecords(t, name, before)
	})
}
