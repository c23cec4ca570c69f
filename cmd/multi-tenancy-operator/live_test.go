package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// soon is how fast the status shows what happened to a pod.
const soon = 2 * time.Second

// TestLiveStatus: the status follows the pods within seconds, and nothing is done
// because of them, fault row 47.
func TestLiveStatus(t *testing.T) {
	const name = "live"
	home := fixture.Home(t, "", fixture.Deployment("web"))
	op := startOperator(t, home, "--zap-log-level=debug")
	create(t, name, tenant(name, install("web", "", "replicaCount", "3")))
	awaitReady(t, name)
	before := records(t, name)
	operations := changes(op)
	pods := func() []v1alpha1.PodStatus { return find(get(t, name), name, name).Pods }

	t.Run("a pod is deleted", func(t *testing.T) {
		victim := pods()[0].Name
		if err := world.kube.CoreV1().Pods(name).Delete(t.Context(), victim, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, soon, func() error {
			for _, p := range pods() {
				if p.Name == victim && p.Reason != "Terminating" {
					return fmt.Errorf("pod %s is still %+v", victim, p)
				}
			}
			return nil
		})
		awaitReady(t, name)
	})
	t.Run("a Deployment is scaled by hand", func(t *testing.T) {
		kubectl(t, "", "scale", "-n", name, "deployment/live-web", "--replicas=4")
		eventually(t, soon, func() error {
			if w := find(get(t, name), name, name).Workloads[0]; w.Desired != 4 || w.Ready != 4 || len(pods()) != 4 {
				return fmt.Errorf("the status says %+v and %d pods, want 4", w, len(pods()))
			}
			return nil
		})
		awaitReady(t, name)
	})
	t.Run("a pod crash-loops", func(t *testing.T) {
		victim := pods()[0].Name
		kubectl(t, "", "label", "-n", name, "pod", victim, "pod-container-running-failed.stage.kwok.x-k8s.io=true")
		broken := func() (v1alpha1.PodStatus, error) {
			p, err := world.kube.CoreV1().Pods(name).Get(t.Context(), victim, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range p.Status.Conditions {
				if c.Type == "Ready" && c.Status == "False" {
					for _, seen := range pods() {
						if seen.Name == victim {
							return seen, nil
						}
					}
				}
			}
			return v1alpha1.PodStatus{}, fmt.Errorf("pod %s is still ready", victim)
		}
		eventually(t, patience, func() error { _, err := broken(); return err })
		eventually(t, soon, func() error {
			seen, err := broken()
			if err != nil || seen.Ready || seen.Reason == "" {
				return fmt.Errorf("the status says %+v (%w), want a reason", seen, err)
			}
			return nil
		})
		eventually(t, soon, func() error {
			cr := get(t, name)
			if rel := find(cr, name, name); rel.Ready || !strings.Contains(rel.Message, victim) || rel.Phase != v1alpha1.ReleaseDeployed {
				return fmt.Errorf("the release = %+v, want it deployed, not ready, and the pod named", rel)
			}
			if cr.Status.Tenancies[0].Phase != v1alpha1.TenancyDegraded {
				return fmt.Errorf("the tenancy is %s, want Degraded", cr.Status.Tenancies[0].Phase)
			}
			return nil
		})
		kubectl(t, "", "wait", "--for=condition=Ready=False", "controller/"+name, "--timeout=5s")
		eventually(t, patience, func() error {
			seen, err := broken()
			if err != nil || seen.Restarts < 2 {
				return fmt.Errorf("the status says %+v (%w), want restarts to rise", seen, err)
			}
			return nil
		})
		kubectl(t, "", "delete", "pod", "-n", name, victim)
		awaitReady(t, name)
		kubectl(t, "", "wait", "--for=condition=Ready", "controller/"+name, "--timeout=5s")
	})
	t.Run("a node is gone", func(t *testing.T) {
		on := map[string]int{}
		list, err := world.kube.CoreV1().Pods(name).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list.Items {
			on[p.Spec.NodeName]++
		}
		node := list.Items[0].Spec.NodeName
		kept, err := world.kube.CoreV1().Nodes().Get(t.Context(), node, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		kubectl(t, "", "delete", "node", node, "--wait=false")
		eventually(t, soon, func() error {
			lost := 0
			for _, p := range pods() {
				if !p.Ready && (p.Reason == "NodeLost" || p.Reason == "Terminating") {
					lost++
				}
			}
			cr := get(t, name)
			rel := find(cr, name, name)
			if lost == 0 || rel.Ready {
				return fmt.Errorf("%d pods are lost and the release is ready=%t; want %d lost and not ready", lost, rel.Ready, on[node])
			}
			return nil
		})
		kept.ResourceVersion, kept.UID = "", types.UID("")
		if _, err := world.kube.CoreV1().Nodes().Create(t.Context(), kept, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		kubectl(t, "", "delete", "pods", "-n", name, "--all", "--force", "--grace-period=0")
		awaitReady(t, name)
	})

	if diff := cmp.Diff(before, records(t, name)); diff != "" {
		t.Errorf("records (-before +after):\n%s", diff)
	}
	if got := changes(op); got != operations {
		t.Errorf("%d operations began because of pods, want none", got-operations)
	}
}

// changes counts the operations that began, without looks for drift.
func changes(op *operator) (n int) {
	for line := range strings.Lines(op.log.String()) {
		if strings.Contains(line, `"operation begins"`) && !strings.Contains(line, `"action":"correct"`) {
			n++
		}
	}
	return n
}

// TestReleaseWithoutWorkloadsIsReady: an empty namespace has no event to wait for.
func TestReleaseWithoutWorkloadsIsReady(t *testing.T) {
	const name = "bare"
	startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")))
	create(t, name, tenant(name, install("conf", "")))
	awaitReady(t, name)
}
