package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// mirrored says what keeps a Tenancy from showing what the Controller shows of it.
func mirrored(t testing.TB, name, namespace string, ready metav1.ConditionStatus) func() error {
	return func() error {
		var got v1alpha1.Tenancy
		if err := world.client.Get(t.Context(), types.NamespacedName{Namespace: namespace, Name: name}, &got); err != nil {
			return err
		}
		if c := meta.FindStatusCondition(got.Status.Conditions, v1alpha1.ConditionReady); c == nil || c.Status != ready {
			return fmt.Errorf("the conditions are %+v, want Ready %s", got.Status.Conditions, ready)
		}
		for _, entry := range get(t, name).Status.Tenancies {
			if entry.Namespace != namespace {
				continue
			}
			if diff := cmp.Diff(entry.Releases, got.Status.Releases); diff != "" || entry.Phase != got.Status.Phase {
				return fmt.Errorf("the Controller says %s, the Tenancy %s (-Controller +Tenancy):\n%s", entry.Phase, got.Status.Phase, diff)
			}
			return nil
		}
		return fmt.Errorf("the Controller shows no tenancy %s", namespace)
	}
}

// noTenancy says that a Tenancy is still there.
func noTenancy(t testing.TB, name, namespace string) func() error {
	return func() error {
		err := world.client.Get(t.Context(), types.NamespacedName{Namespace: namespace, Name: name}, &v1alpha1.Tenancy{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("the Tenancy in %s is there: %w", namespace, err)
	}
}

// TestTenancyObjects: the state of a tenancy is shown in its namespace, to those who
// may view that.
func TestTenancyObjects(t *testing.T) {
	const name, one, two = "mirrors", "mirrors-one", "mirrors-two"
	home := fixture.Home(t, "", fixture.Deployment("web"), fixture.ConfigMap("conf"))
	startOperator(t, home)
	create(t, name, tenant(one, install("web", "web", "replicaCount", "2"), install("conf", "conf")), tenant(two, install("conf", "conf")))
	awaitReady(t, name)

	t.Run("it shows everything", func(t *testing.T) {
		kubectl(t, "", "wait", "--for=condition=Ready", "--timeout=60s", "tenancy/"+name, "-n", one)
		eventually(t, soon, mirrored(t, name, one, metav1.ConditionTrue))
		eventually(t, soon, mirrored(t, name, two, metav1.ConditionTrue))
		if columns := strings.Fields(kubectl(t, "", "get", "tenancies", "-n", one, "--no-headers")); !slices.Equal(columns[:5], []string{name, "2/2", "1/1", "2/2", "True"}) {
			t.Errorf("kubectl get tenancies prints %v", columns)
		}
		if text := kubectl(t, "", "describe", "tenancy", name, "-n", one); !strings.Contains(text, "web-") {
			t.Errorf("kubectl describe names no pod:\n%s", text)
		}
	})

	t.Run("tenants see their own, and write nothing", func(t *testing.T) {
		kubectl(t, "", "apply", "-f", filepath.Join(root, "deploy", "rbac", "tenants.yaml"))
		kubectl(t, "", "create", "rolebinding", "tenant", "-n", one, "--clusterrole=view", "--user=tenant-one")
		kubectl(t, "", "create", "rolebinding", "admin", "-n", one, "--clusterrole=admin", "--user=admin-one")
		can := func(verb, namespace, user string) string {
			out, _ := world.cluster.Kubectl(t.Context(), "", "auth", "can-i", verb, "tenancies.multitenancy.dev", "-n", namespace, "--as", user)
			return strings.TrimSpace(out)
		}
		eventually(t, patience, func() error { // roles are aggregated some time later
			if got := can("get", one, "tenant-one") + can("watch", one, "admin-one"); got != "yesyes" {
				return fmt.Errorf("the two may view: %s", got)
			}
			return nil
		})
		for _, tc := range [][]string{{"get", two, "tenant-one"}, {"patch", one, "tenant-one"}, {"update", one, "admin-one"}, {"delete", one, "admin-one"}, {"create", one, "admin-one"}} {
			if got := can(tc[0], tc[1], tc[2]); got != "no" {
				t.Errorf("can %v: %s, want no", tc, got)
			}
		}
	})

	t.Run("what somebody changed or deleted is put right", func(t *testing.T) {
		lie := `{"metadata":{"labels":null,"ownerReferences":null},"status":{"phase":"Ready","releases":[],"display":{"releases":"9/9","workloads":"9/9","pods":"9/9"}}}`
		kubectl(t, "", "patch", "tenancy", name, "-n", one, "--subresource=status", "--type=merge", "-p", lie)
		kubectl(t, "", "patch", "tenancy", name, "-n", one, "--type=merge", "-p", lie)
		kubectl(t, "", "delete", "tenancy", name, "-n", two)
		eventually(t, patience, mirrored(t, name, one, metav1.ConditionTrue))
		eventually(t, patience, mirrored(t, name, two, metav1.ConditionTrue))
		eventually(t, patience, func() error {
			var got v1alpha1.Tenancy
			if err := world.client.Get(t.Context(), client.ObjectKey{Namespace: one, Name: name}, &got); err != nil {
				return err
			}
			if len(got.OwnerReferences) != 1 || got.Labels[v1alpha1.LabelController] != name || got.Status.Display.Releases != "2/2" {
				return fmt.Errorf("the Tenancy is %+v, %+v", got.ObjectMeta, got.Status.Display)
			}
			return nil
		})
	})

	t.Run("what fails is told to the tenant, and others are ready", func(t *testing.T) {
		kubectl(t, "", "create", "configmap", "bad-conf", "-n", two)
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			s.Tenancies[1].Charts = append(s.Tenancies[1].Charts, install("conf", "bad"))
		})
		eventually(t, patience, mirrored(t, name, two, metav1.ConditionFalse))
		eventually(t, patience, mirrored(t, name, one, metav1.ConditionTrue))
		eventually(t, patience, func() error {
			if text := kubectl(t, "", "describe", "tenancy", name, "-n", two); !strings.Contains(text, "InstallFailed") {
				return fmt.Errorf("kubectl describe shows no event of the failure:\n%s", text)
			}
			return nil
		})
	})

	t.Run("it goes with its tenancy, and with the Controller", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies = s.Tenancies[:1] })
		eventually(t, patience, noTenancy(t, name, two))
		awaitReady(t, name)
		eventually(t, soon, mirrored(t, name, one, metav1.ConditionTrue))
		edit(t, name, func(s *v1alpha1.ControllerSpec) { s.DeletionPolicy = v1alpha1.DeletionOrphan })
		kubectl(t, "", "delete", "controller", name)
		eventually(t, patience, noTenancy(t, name, one))
		if len(records(t, one)) == 0 {
			t.Error("the releases went with the Tenancy")
		}
	})
}
