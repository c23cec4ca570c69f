package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// isGone says that a Controller is still there.
func isGone(t *testing.T, name string) func() error {
	return func() error {
		var cr v1alpha1.Controller
		err := world.client.Get(t.Context(), types.NamespacedName{Name: name}, &cr)
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("Controller %s is still there: %v, %w", name, cr.Status.Conditions, err)
		}
		return nil
	}
}

func TestSurplusControllerGoesWithAWarning(t *testing.T) {
	home := fixture.Home(t, "", fixture.ConfigMap("conf"))
	create(t, "first", tenant("single", install("conf", "")))
	startOperator(t, home)
	awaitReady(t, "first")
	before := records(t, "single")

	create(t, "a-surplus", tenant("single", install("conf", "other")), tenant("single-b", install("conf", "")))
	eventually(t, patience, isGone(t, "a-surplus"))
	eventually(t, patience, func() error {
		events := kubectl(t, "", "get", "events", "-A", "--field-selector=involvedObject.name=a-surplus", "-o",
			"jsonpath={range .items[*]}{.type} {.reason} {.message}{\"\\n\"}{end}")
		if !strings.Contains(events, "Warning") || !strings.Contains(events, "Controller first is the active one") {
			return fmt.Errorf("the events are %q, want a Warning that names the active Controller", events)
		}
		return nil
	})
	awaitReady(t, "first")
	wantRecords(t, "single", before)
	wantRecords(t, "single-b", map[string]string{})
}

func TestDeletionUninstallsInReverseOrderAndNothingElse(t *testing.T) {
	const name = "deleted"
	home := fixture.Home(t, "", fixture.ConfigMap("conf"), fixture.Deployment("web"))
	startOperator(t, home)
	create(t, name, tenant(name, install("conf", "b"), install("conf", "a"), install("web", "c")))
	awaitReady(t, name)
	kubectl(t, "", "create", "configmap", "-n", name, "foreign", "--from-literal=a=b")
	helm(t, "install", "foreign", home+"/conf", "-n", name)

	tell := story(t, name, until("b gone"))
	kubectl(t, "", "delete", "controller", name)
	want := []string{"c uninstalling", "c gone", "a uninstalling", "a gone", "b uninstalling", "b gone"}
	if diff := cmp.Diff(want, tell()); diff != "" {
		t.Errorf("uninstalls (-want +got):\n%s", diff)
	}
	eventually(t, patience, isGone(t, name))
	wantRecords(t, name, map[string]string{"foreign.v1": "deployed"})
	for _, cm := range []string{"foreign", "foreign-conf"} {
		if _, err := world.kube.CoreV1().ConfigMaps(name).Get(t.Context(), cm, metav1.GetOptions{}); err != nil {
			t.Errorf("the foreign ConfigMap: %v", err)
		}
	}
}

func TestDeletionWithOrphanLeavesEverything(t *testing.T) {
	const name = "orphaned"
	home := fixture.Home(t, "", fixture.ConfigMap("conf"))
	op := startOperator(t, home)
	create(t, name, tenant(name, install("conf", "")))
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.DeletionPolicy = v1alpha1.DeletionOrphan })
	awaitReady(t, name)
	before := records(t, name)
	kubectl(t, "", "delete", "controller", name)
	eventually(t, patience, isGone(t, name))
	op.stop()
	wantRecords(t, name, before)
	if _, err := world.kube.CoreV1().ConfigMaps(name).Get(t.Context(), "orphaned-conf", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

// TestForeignReleaseOfTheSameNameIsHeld: what others installed is not touched, fault
// row 33.
func TestForeignReleaseOfTheSameNameIsHeld(t *testing.T) {
	const name = "held"
	home := fixture.Home(t, "", fixture.ConfigMap("conf"))
	kubectl(t, "", "create", "namespace", name)
	helm(t, "install", "mine", home+"/conf", "-n", name, "--set", "text=precious")
	startOperator(t, home)
	create(t, name, tenant(name, install("conf", "mine"), install("conf", "ours")))
	eventually(t, patience, func() error {
		cr := get(t, name)
		if rel := find(cr, name, "mine"); rel == nil || rel.Phase != v1alpha1.ReleaseHeld || !strings.Contains(rel.Message, "not managed by this Controller") {
			return fmt.Errorf("the foreign release = %+v, want it held", rel)
		}
		if rel := find(cr, name, "ours"); rel == nil || !rel.Ready {
			return fmt.Errorf("the other release = %+v, want it ready", rel)
		}
		return nil
	})
	wantRecords(t, name, map[string]string{"mine.v1": "deployed", "ours.v1": "deployed"})
	helm(t, "uninstall", "mine", "-n", name)
	awaitReady(t, name)
}

// TestUninstalledByHand: what a person takes away comes back.
func TestUninstalledByHand(t *testing.T) {
	const name = "by-hand"
	startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")))
	create(t, name, tenant(name, install("conf", "a"), install("conf", "b")))
	awaitReady(t, name)
	helm(t, "uninstall", "a", "-n", name)
	helm(t, "uninstall", "b", "-n", name, "--keep-history")
	eventually(t, patience, func() error {
		got := records(t, name)
		if got["a.v1"] != "deployed" || got["b.v2"] != "deployed" {
			return fmt.Errorf("records = %v, want both deployed again", got)
		}
		return nil
	})
	awaitReady(t, name)
}

// TestChangedByHand: what a person upgrades or rolls back is brought back, fault
// rows 24 and 25.
func TestChangedByHand(t *testing.T) {
	const name = "changed"
	home := fixture.Home(t, "", fixture.ConfigMap("conf"))
	startOperator(t, home)
	create(t, name, tenant(name, install("conf", "", "text", "ours")))
	awaitReady(t, name)
	text := func(want string, revision int32) func() error {
		return func() error {
			cm, err := world.kube.CoreV1().ConfigMaps(name).Get(t.Context(), "changed-conf", metav1.GetOptions{})
			if err != nil || cm.Data["text"] != want {
				return fmt.Errorf("the ConfigMap says %v (%v), want %s", cm.Data, err, want) //nolint:errorlint // the error may be nil
			}
			if rel := find(get(t, name), name, name); rel == nil || !rel.Ready || rel.Revision != revision {
				return fmt.Errorf("the release = %+v, want revision %d and ready", rel, revision)
			}
			return nil
		}
	}
	helm(t, "upgrade", name, home+"/conf", "-n", name, "--set", "text=theirs")
	eventually(t, patience, text("ours", 3))
	helm(t, "rollback", name, "2", "-n", name)
	eventually(t, patience, text("ours", 5))
}

func TestSuspend(t *testing.T) {
	const name = "suspended"
	home := fixture.Home(t, "", fixture.Deployment("web"), fixture.ConfigMap("conf"))
	startOperator(t, home)
	create(t, name, tenant(name, install("web", "", "replicaCount", "1"), install("conf", "conf")))
	awaitReady(t, name)
	for level, suspend := range map[string]func(*v1alpha1.ControllerSpec, bool){
		"the Controller": func(s *v1alpha1.ControllerSpec, on bool) { s.Suspend = on },
		"the tenancy":    func(s *v1alpha1.ControllerSpec, on bool) { s.Tenancies[0].Suspend = on },
		"the chart":      func(s *v1alpha1.ControllerSpec, on bool) { s.Tenancies[0].Charts[0].Suspend = new(on) },
	} {
		t.Run(level, func(t *testing.T) {
			before := records(t, name)
			edit(t, name, func(s *v1alpha1.ControllerSpec) {
				suspend(s, true)
				s.Tenancies[0].Charts[0].Settings[0].Value = "2"
			})
			eventually(t, patience, func() error {
				if rel := find(get(t, name), name, name); rel == nil || rel.Phase != v1alpha1.ReleaseHeld {
					return fmt.Errorf("the release = %+v, want it held", rel)
				}
				return nil
			})
			wantRecords(t, name, before)
			edit(t, name, func(s *v1alpha1.ControllerSpec) { suspend(s, false) })
			awaitReady(t, name)
			if n := replicas(t, name, "suspended-web"); n != 2 {
				t.Errorf("the Deployment asks for %d replicas, want 2", n)
			}
			edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies[0].Charts[0].Settings[0].Value = "1" })
			awaitReady(t, name)
		})
	}
}
