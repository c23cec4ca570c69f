package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestCrashFaults: the process ends in the middle of its work, fault rows 4, 6,
// 11 and 13; and 16, since it is built with the race detector. Rows 1 and 2 are in TestKilledInAHook, 5 in
// TestStopWaitsForTheRunningOperation.
func TestCrashFaults(t *testing.T) {
	const name = "crash"
	kept := fixture.ConfigMap("kept")
	kept.Files["templates/configmap.yaml"] = strings.Replace(kept.Files["templates/configmap.yaml"],
		"metadata:\n", "metadata:\n  finalizers: [faults.example.com/hold]\n", 1)
	home := fixture.Home(t, "", kept, fixture.ConfigMap("conf"), fixture.Stuck("hang", "pre-install"))

	// More than 100 releases of one chart are waiting.
	const each = 4
	var tenancies []v1alpha1.TenancySpec
	for i := range 32 {
		tn := tenant(fmt.Sprintf("crash-%d", i))
		for j := range each {
			tn.Charts = append(tn.Charts, install("conf", fmt.Sprintf("r%d", each-j)))
		}
		tenancies = append(tenancies, tn)
	}
	whole := t // an operator outlives the part of the story it is started in
	op := startOperator(whole, home, "--concurrent=8")
	create(t, name, tenancies...)

	t.Run("11, 13, 16: with a long queue", func(t *testing.T) {
		eventually(t, patience, recorded(t, "crash-0", tenancies[0].Charts[1].ReleaseName+".v1", "deployed"))
		op.kill()
		if n := len(everything(t, "crash-")); n >= len(tenancies)*each {
			t.Fatalf("%d records were there when it was killed: nothing was waiting", n)
		}
		op = startOperator(whole, home, "--concurrent=8", "--graceful-shutdown-timeout=1s")
		awaitReady(t, name)
		for _, tn := range tenancies {
			var want []string
			for _, c := range tn.Charts {
				want = append(want, c.ReleaseName)
			}
			if diff := gocmp.Diff(want, inOrder(t, tn.Namespace)); diff != "" {
				t.Errorf("releases of %s in the order they were made (-want +got):\n%s", tn.Namespace, diff)
			}
		}
	})

	t.Run("6: the time to stop is over", func(t *testing.T) {
		add(t, name, tenant("crash-grace", install("hang", "a")))
		eventually(t, patience, recorded(t, "crash-grace", "a.v1", "pending-install"))
		if err := op.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-op.ended
		wantRecords(t, "crash-grace", map[string]string{"a.v1": "pending-install"})
		op = startOperator(whole, home)
		eventually(t, patience, recorded(t, "crash-grace", "a.v2", "pending-upgrade"))
	})

	t.Run("4: while a release goes", func(t *testing.T) {
		add(t, name, tenant("crash-kept", install("kept", "a")))
		eventually(t, patience, holds(t, name, "crash-kept", "a", 1))
		rechart(t, name, "crash-kept", without)
		eventually(t, patience, recorded(t, "crash-kept", "a.v1", "uninstalling"))
		op.kill()
		op = startOperator(whole, home, "--zap-log-level=debug")
		eventually(t, patience, func() error {
			if n := op.began("crash-kept/a"); n == 0 {
				return fmt.Errorf("the uninstall does not go on")
			}
			return nil
		})
		wantRecords(t, "crash-kept", map[string]string{"a.v1": "uninstalling"})
		kubectl(t, "", "patch", "configmap", "-n", "crash-kept", "a-kept", "--type=merge", "-p", `{"metadata": {"finalizers": null}}`)
		eventually(t, patience, isEmpty(t, "crash-kept"))
		if log := op.log.String(); strings.Contains(log, `"release":"crash-kept/a","action":"install"`) {
			t.Error("the release was installed again")
		}
	})
	op.kill() // it still waits for the hook
}

// inOrder lists the releases of a namespace by when their records were last
// written.
func inOrder(t testing.TB, namespace string) []string {
	t.Helper()
	list, err := world.kube.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm,status=deployed"})
	if err != nil {
		t.Fatal(err)
	}
	at := func(version string) int {
		n, err := strconv.Atoi(version)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	slices.SortFunc(list.Items, func(a, b corev1.Secret) int { return cmp.Compare(at(a.ResourceVersion), at(b.ResourceVersion)) })
	var out []string
	for _, s := range list.Items {
		out = append(out, s.Labels["name"])
	}
	return out
}
