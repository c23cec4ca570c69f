package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// patience is how long a condition may take that is awaited without being a
// promise of its own; the machine may be busy.
const patience = 60 * time.Second

// firstWait is how long the operator waits after a first failure.
const firstWait = 5 * time.Second

// eventually waits until check finds nothing wrong, and fails the test with
// what was wrong last when that takes too long. It returns how long it took.
func eventually(t testing.TB, within time.Duration, check func() error) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		err := check()
		took := time.Since(begin)
		switch {
		case err == nil:
			return took
		case took > within:
			t.Fatalf("after %s: %v", within, err)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// kubectl runs kubectl, which must succeed.
func kubectl(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	out, err := world.cluster.Kubectl(t.Context(), stdin, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// helm runs helm, which must succeed.
func helm(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), world.helm, append(args, "--kubeconfig", world.cluster.Kubeconfig())...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("helm %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// tenant is a tenancy with its charts.
func tenant(namespace string, charts ...v1alpha1.Chart) v1alpha1.TenancySpec {
	return v1alpha1.TenancySpec{Namespace: namespace, Charts: charts}
}

// install is a chart with settings, given as key and value in turn.
func install(chart, release string, settings ...string) v1alpha1.Chart {
	c := v1alpha1.Chart{ChartName: chart, ReleaseName: release}
	for i := 0; i+1 < len(settings); i += 2 {
		c.Settings = append(c.Settings, v1alpha1.Setting{Key: settings[i], Value: settings[i+1]})
	}
	return c
}

// create makes a Controller that goes with the test.
func create(t testing.TB, name string, tenancies ...v1alpha1.TenancySpec) {
	t.Helper()
	createGuarded(t, name, nil, tenancies...)
}

// createGuarded makes one with guardrails for all of its tenancies.
func createGuarded(t testing.TB, name string, all *v1alpha1.Guardrails, tenancies ...v1alpha1.TenancySpec) {
	t.Helper()
	cr := &v1alpha1.Controller{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.ControllerSpec{Guardrails: all, Tenancies: tenancies},
	}
	discardAfter(t, name)
	if err := world.client.Create(t.Context(), cr); err != nil {
		t.Fatal(err)
	}
}

// discardAfter removes a Controller at the end of the test, whether or not an
// operator still runs. Its releases stay, under its name.
func discardAfter(t testing.TB, name string) {
	t.Cleanup(func() {
		ctx := context.Background()
		cr := &v1alpha1.Controller{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if err := client.IgnoreNotFound(world.client.Delete(ctx, cr)); err != nil {
			t.Error(err)
		}
		free := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
		if err := client.IgnoreNotFound(world.client.Patch(ctx, cr, free)); err != nil {
			t.Error(err)
		}
	})
}

func get(t testing.TB, name string) *v1alpha1.Controller {
	t.Helper()
	cr := &v1alpha1.Controller{}
	if err := world.client.Get(t.Context(), types.NamespacedName{Name: name}, cr); err != nil {
		t.Fatal(err)
	}
	return cr
}

// edit changes the spec of a Controller as kubectl edit does.
func edit(t testing.TB, name string, change func(*v1alpha1.ControllerSpec)) {
	t.Helper()
	for {
		cr := get(t, name)
		before := cr.DeepCopy()
		change(&cr.Spec)
		err := world.client.Patch(t.Context(), cr, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
		if err == nil {
			return
		}
		if !apierrors.IsConflict(err) {
			t.Fatal(err)
		}
	}
}

// isReady says what keeps a Controller from being ready and at rest.
func isReady(t testing.TB, name string) func() error {
	return func() error {
		cr := get(t, name)
		if cr.Status.ObservedGeneration != cr.Generation {
			return fmt.Errorf("the status is of generation %d, the spec of %d", cr.Status.ObservedGeneration, cr.Generation)
		}
		if !meta.IsStatusConditionTrue(cr.Status.Conditions, v1alpha1.ConditionReady) {
			return fmt.Errorf("not ready: %+v", cr.Status.Conditions)
		}
		return atRest(t, name)
	}
}

// atRest names a record of a Controller that is being worked on. What started an
// operation need not be an edit of the spec: then Ready may still be true from before.
func atRest(t testing.TB, name string) error {
	list, err := world.kube.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{
		LabelSelector: v1alpha1.LabelController + "=" + name + ",status in (pending-install,pending-upgrade,pending-rollback,uninstalling)",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list.Items {
		return fmt.Errorf("%s/%s is %s", s.Namespace, s.Name, s.Labels["status"])
	}
	return nil
}

func awaitReady(t testing.TB, name string) {
	t.Helper()
	eventually(t, patience, isReady(t, name))
}

// find looks for a release in the status; nil when it is not there.
func find(cr *v1alpha1.Controller, namespace, name string) *v1alpha1.ReleaseStatus {
	for _, tn := range cr.Status.Tenancies {
		for i := range tn.Releases {
			if tn.Namespace == namespace && tn.Releases[i].Name == name {
				return &tn.Releases[i]
			}
		}
	}
	return nil
}

// records lists the names of Helm's records in a namespace with their state.
func records(t testing.TB, namespace string) map[string]string {
	t.Helper()
	list, err := world.kube.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, s := range list.Items {
		out[strings.TrimPrefix(s.Name, "sh.helm.release.v1.")] = s.Labels["status"]
	}
	return out
}

// replicas is what a Deployment's spec asks for; -1 when there is none.
func replicas(t testing.TB, namespace, name string) int32 {
	t.Helper()
	d, err := world.kube.AppsV1().Deployments(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return -1
	}
	return *d.Spec.Replicas
}

func sample(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "deploy", "samples", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
