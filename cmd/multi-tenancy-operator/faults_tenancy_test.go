package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestTenancyFaults: what one tenancy suffers, and does to the others, fault rows
// 101, 102, 107 and 108. Row 103 is in TestNamespaceDeletedByHand, 104 in
// TestChartsAndTenanciesComeAndGo, 109 in TestChartHomeChanges.
func TestTenancyFaults(t *testing.T) {
	const name = "tenancies"
	px := startProxy(t)
	op := startOperatorAs(t, px.kubeconfig, fixture.Home(t, "", fixture.ConfigMap("conf"), fixture.Deployment("web")),
		"--zap-log-level=debug", "--concurrent=2")
	defer op.lives()
	kubectl(t, "", "create", "namespace", "ten-quota")
	kubectl(t, "", "create", "quota", "none", "-n", "ten-quota", "--hard=pods=0")
	kubectl(t, "", "create", "namespace", "ten-restricted")
	kubectl(t, "", "label", "namespace", "ten-restricted", "pod-security.kubernetes.io/enforce=restricted")
	kubectl(t, "", "create", "namespace", "ten-limited")
	kubectl(t, `{"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small", "namespace": "ten-limited"},
		"spec": {"limits": [{"type": "Pod", "min": {"cpu": "1"}}]}}`, "create", "-f", "-")
	// The controller-manager must know the quota before it may count.
	kubectl(t, "", "wait", "--for=jsonpath={.status.hard.pods}=0", "-n", "ten-quota", "quota/none")
	create(t, name, tenant("ten-quota", install("web", "a")), tenant("ten-restricted", install("web", "a")), tenant("ten-limited", install("web", "a")))

	t.Run("108: pods are refused", func(t *testing.T) {
		for ns, why := range map[string]string{
			"ten-quota": "exceeded quota: none", "ten-restricted": `violates PodSecurity "restricted:latest"`, "ten-limited": "minimum cpu usage per Pod is 1",
		} {
			said := map[string]bool{}
			eventually(t, patience, func() error {
				cr := get(t, name)
				rel := find(cr, ns, "a")
				if rel == nil || rel.Phase != v1alpha1.ReleaseDeployed || rel.Ready {
					return fmt.Errorf("the release = %+v, want it deployed and not ready", rel)
				}
				said[rel.Message] = true
				if want := "Deployment a-web has 0 of 1 pods ready; pods are forbidden: "; !strings.HasPrefix(rel.Message, want) || !strings.Contains(rel.Message, why) {
					return fmt.Errorf("the message is %q, want %q and %q in it", rel.Message, want, why)
				}
				for _, tn := range cr.Status.Tenancies {
					if tn.Namespace == ns && tn.Phase != v1alpha1.TenancyDegraded {
						return fmt.Errorf("the tenancy is %s, want Degraded", tn.Phase)
					}
				}
				return nil
			})
			if len(said) > 3 {
				t.Errorf("the message changes all the time: %v", said)
			}
		}
		kubectl(t, "", "delete", "quota", "-n", "ten-quota", "none")
		kubectl(t, "", "rollout", "restart", "-n", "ten-quota", "deployment/a-web")
		eventually(t, patience, holds(t, name, "ten-quota", "a", 1))
	})

	t.Run("102: a namespace does not go", func(t *testing.T) {
		kubectl(t, `{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ten-going", "finalizers": ["faults.example.com/hold"]}}`, "create", "-f", "-")
		old, err := world.kube.CoreV1().Namespaces().Get(t.Context(), "ten-going", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		add(t, name, tenant("ten-going", install("conf", "a")))
		eventually(t, patience, holds(t, name, "ten-going", "a", 1))
		kubectl(t, "", "delete", "namespace", "ten-going", "--wait=false")
		begin, before := time.Now(), op.began("ten-going/a")
		eventually(t, patience, failed(t, name, "ten-going", "a", "the namespace is being deleted: ten-going"))
		eventually(t, patience, isEmpty(t, "ten-going"))
		if n, most := op.began("ten-going/a")-before, 2+int(time.Since(begin)/firstWait); n > most {
			t.Errorf("%d operations began, want %d at most", n, most)
		}
		kubectl(t, "", "patch", "namespace", "ten-going", "--type=merge", "-p", `{"metadata": {"finalizers": null}}`)
		eventually(t, patience, func() error {
			now, err := world.kube.CoreV1().Namespaces().Get(t.Context(), "ten-going", metav1.GetOptions{})
			if apierrors.IsNotFound(err) || err == nil && now.UID == old.UID {
				nudge(t, name)
				return fmt.Errorf("the namespace has not been made again")
			}
			return holds(t, name, "ten-going", "a", 1)()
		})
	})

	t.Run("101: a namespace is missing", func(t *testing.T) {
		add(t, name, tenant("ten-missing", install("conf", "a")))
		eventually(t, patience, holds(t, name, "ten-missing", "a", 1))
		made, err := world.kube.CoreV1().Namespaces().Get(t.Context(), "ten-missing", metav1.GetOptions{})
		if err != nil || made.Labels["app.kubernetes.io/managed-by"] != "multi-tenancy-operator" {
			t.Errorf("the namespace is %v (%v), want it labelled", made, err)
		}
	})

	t.Run("107: a tenancy is noisy", func(t *testing.T) {
		mend := px.play(fault{verb: "post", path: regexp.MustCompile(`/namespaces/ten-noisy/`), late: 100 * time.Millisecond})
		defer mend()
		noisy := tenant("ten-noisy")
		for i := range 32 {
			noisy.Charts = append(noisy.Charts, install("conf", fmt.Sprintf("r%d", i)))
		}
		add(t, name, noisy)
		eventually(t, patience, recorded(t, "ten-noisy", "r0.v1", "deployed"))
		var quiet []v1alpha1.TenancySpec
		for i := range 10 {
			quiet = append(quiet, tenant(fmt.Sprintf("ten-quiet-%d", i), install("conf", "a")))
		}
		add(t, name, quiet...)
		for _, tn := range quiet {
			eventually(t, patience, recorded(t, tn.Namespace, "a.v1", "deployed"))
		}
		if n := len(records(t, "ten-noisy")); n > 30 {
			t.Errorf("the noisy one has %d of 32 releases when the others are served, want it to wait for them", n)
		}
		mend()
		want := map[string]string{}
		for i := range 32 {
			want[fmt.Sprintf("r%d.v1", i)] = "deployed"
		}
		eventually(t, patience, func() error {
			if diff := cmp.Diff(want, records(t, "ten-noisy")); diff != "" {
				return fmt.Errorf("records of the noisy one (-want +got):\n%s", diff)
			}
			return nil
		})
	})
}
