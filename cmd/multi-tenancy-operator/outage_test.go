package main

import (
	"fmt"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
	"multitenancy.dev/multi-tenancy-operator/pkg/localcluster"
)

// TestNamespaceDeletedByHand: what a person takes away with its namespace is made
// again when that is gone, fault row 103.
func TestNamespaceDeletedByHand(t *testing.T) {
	const name = "vanished"
	startOperator(t, fixture.Home(t, "", fixture.Deployment("web"), fixture.ConfigMap("conf")))
	create(t, name, tenant(name, install("web", "web"), install("conf", "conf")), tenant("vanished-not", install("conf", "")))
	awaitReady(t, name)
	before := records(t, "vanished-not")
	old, err := world.kube.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, "", "delete", "namespace", name)
	eventually(t, patience, func() error {
		now, err := world.kube.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil || now.UID == old.UID {
			return fmt.Errorf("the namespace has not been made again: %w", err)
		}
		return isReady(t, name)()
	})
	wantRecords(t, name, map[string]string{"web.v1": "deployed", "conf.v1": "deployed"})
	wantRecords(t, "vanished-not", before)
}

// TestAPIServerKilled: the operator lives on, and does what was asked for
// meanwhile, fault row 68.
func TestAPIServerKilled(t *testing.T) {
	const name = "outage"
	op := startOperator(t, fixture.Home(t, "", fixture.Deployment("web"), fixture.ConfigMap("conf")))
	var tenancies []v1alpha1.TenancySpec
	for i := range 10 {
		tenancies = append(tenancies, tenant(fmt.Sprintf("outage-%d", i), install("web", "web"), install("conf", "conf")))
	}
	create(t, name, tenancies...)
	eventually(t, patience, func() error {
		if len(records(t, "outage-0")) == 0 {
			return fmt.Errorf("nothing is installed yet")
		}
		return nil
	})
	pid, err := world.cluster.PID(localcluster.APIServer)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := world.cluster.Restart(t.Context(), localcluster.APIServer); err != nil {
		t.Fatal(err)
	}
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies = append(s.Tenancies, tenant("outage-late", install("conf", "")))
	})
	awaitReady(t, name)
	select {
	case <-op.ended:
		t.Error("the operator has ended")
	default:
	}
	for _, tn := range tenancies {
		deployed := 0
		for _, state := range records(t, tn.Namespace) {
			if state == "deployed" {
				deployed++
			}
		}
		if deployed != 2 {
			t.Errorf("%s has %v, want two releases deployed", tn.Namespace, records(t, tn.Namespace))
		}
	}
}
