package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// story tells in which order things happened to the records of a namespace: the
// changes of their states, until done says that the story is over.
func story(t *testing.T, namespace string, done func([]string) bool) (tell func() []string) {
	t.Helper()
	list, err := world.kube.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := world.kube.CoreV1().Secrets(namespace).Watch(t.Context(), metav1.ListOptions{
		LabelSelector: "owner=helm", ResourceVersion: list.ResourceVersion,
	})
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]string{}
	for _, s := range list.Items {
		state[s.Name] = s.Labels["status"]
	}
	return func() []string {
		t.Helper()
		defer changes.Stop()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var told []string
		for !done(told) {
			select {
			case <-ctx.Done():
				t.Fatalf("the story is not over: %v", told)
			case change := <-changes.ResultChan():
				s, ok := change.Object.(metav1.Object)
				if !ok {
					t.Fatalf("the watch ended with %v", change)
				}
				now := s.GetLabels()["status"]
				if change.Type == watch.Deleted {
					now = "gone"
				}
				if state[s.GetName()] != now {
					state[s.GetName()] = now
					told = append(told, s.GetLabels()["name"]+" "+now)
				}
			}
		}
		return told
	}
}

func until(last string) func([]string) bool {
	return func(told []string) bool { return len(told) > 0 && told[len(told)-1] == last }
}

func TestOneOperationAtATimeInSpecOrder(t *testing.T) {
	const name = "order"
	home := fixture.Home(t, "", fixture.ConfigMap("conf"))
	kubectl(t, "", "create", "namespace", name)
	startOperator(t, home, "--concurrent=8")

	tell := story(t, name, until("c deployed"))
	create(t, name, tenant(name, install("conf", "b"), install("conf", "a"), install("conf", "c")))
	want := []string{
		"b pending-install", "b deployed", "a pending-install", "a deployed", "c pending-install", "c deployed",
	}
	if diff := cmp.Diff(want, tell()); diff != "" {
		t.Errorf("installs (-want +got):\n%s", diff)
	}

	tell = story(t, name, until("d deployed"))
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies[0].Charts = []v1alpha1.Chart{install("conf", "c", "text", "new"), install("conf", "d")}
	})
	want = []string{
		"a uninstalling", "a gone", "b uninstalling", "b gone",
		"c pending-upgrade", "c superseded", "c deployed", "d pending-install", "d deployed",
	}
	if diff := cmp.Diff(want, tell()); diff != "" {
		t.Errorf("uninstalls first, last one in first, then the spec's order (-want +got):\n%s", diff)
	}
	awaitReady(t, name)
}

// TestHookThatNeverEndsDelaysNobodyElse: with one worker, more tenancies than
// workers hang in a hook, and another one is served at once, fault row 49.
func TestHookThatNeverEndsDelaysNobodyElse(t *testing.T) {
	const name = "stuck"
	home := fixture.Home(t, "", fixture.ConfigMap("conf"), fixture.Stuck("hang", "pre-install"))
	startOperator(t, home, "--concurrent=1")
	var stuck []v1alpha1.TenancySpec
	for i := range 3 {
		tn := tenant(fmt.Sprintf("stuck-%d", i), install("hang", "hang"), install("conf", "behind"))
		tn.Charts[0].TimeoutSeconds = 20
		stuck = append(stuck, tn)
	}
	create(t, name, stuck...)
	eventually(t, patience, func() error {
		for _, tn := range stuck {
			if got := records(t, tn.Namespace)["hang.v1"]; got != "pending-install" {
				return fmt.Errorf("%s: the record is %q, want pending-install", tn.Namespace, got)
			}
		}
		return nil
	})
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies = append(s.Tenancies, tenant("stuck-not", install("conf", "conf")))
	})
	took := eventually(t, patience, func() error {
		if got := records(t, "stuck-not")["conf.v1"]; got != "deployed" {
			return fmt.Errorf("the record of the other tenancy is %q, want deployed", got)
		}
		return nil
	})
	if took > time.Second {
		t.Errorf("the other tenancy was served after %s, want within a second", took)
	}
	eventually(t, 3*time.Second, func() error {
		cr := get(t, name)
		if rel := find(cr, "stuck-0", "hang"); rel == nil || rel.Phase != v1alpha1.ReleaseInstalling {
			return fmt.Errorf("the release that hangs = %+v, want Installing", rel)
		}
		if rel := find(cr, "stuck-0", "behind"); rel == nil || rel.Phase != v1alpha1.ReleaseQueued {
			return fmt.Errorf("the release behind it = %+v, want Queued", rel)
		}
		return nil
	})
	// The timeout of the hook fails that release alone; what is behind it goes on.
	eventually(t, patience, func() error {
		rel := find(get(t, name), "stuck-0", "hang")
		if rel == nil || rel.Phase != v1alpha1.ReleaseFailed || !strings.Contains(rel.Message, "stuck-0/hang: failed pre-install: hook Job hang-hang-hook") {
			return fmt.Errorf("the release that hangs = %+v, want Failed", rel)
		}
		if got := records(t, "stuck-0")["behind.v1"]; got != "deployed" {
			return fmt.Errorf("the record behind it is %q, want deployed", got)
		}
		return nil
	})
}

// TestDependsOn: a release waits until what it depends on is ready, not only
// deployed, and goes before it.
func TestDependsOn(t *testing.T) {
	const name = "depends"
	home := fixture.Home(t, "", fixture.Deployment("web"), fixture.ConfigMap("conf"))
	kubectl(t, "", "create", "namespace", name)
	op := startOperator(t, home)
	web, db := install("conf", "web"), install("web", "db", `podLabels.pod-container-running-failed\.stage\.kwok\.x-k8s\.io`, "true")
	db.Settings[0].Type = v1alpha1.SettingString
	web.DependsOn = []string{"db"}
	lost := install("conf", "lost")
	lost.DependsOn = []string{"nobody"}
	create(t, name, tenant(name, web, db, lost))
	eventually(t, patience, func() error {
		cr := get(t, name)
		if rel := find(cr, name, "db"); rel == nil || rel.Phase != v1alpha1.ReleaseDeployed || rel.Ready {
			return fmt.Errorf("db = %+v, want it deployed and not ready", rel)
		}
		if rel := find(cr, name, "web"); rel == nil || rel.Phase != v1alpha1.ReleaseWaiting || !strings.Contains(rel.Message, "until release db is ready") {
			return fmt.Errorf("web = %+v, want it waiting for db", rel)
		}
		if rel := find(cr, name, "lost"); rel == nil || rel.Phase != v1alpha1.ReleaseFailed || !strings.Contains(rel.Message, `"nobody" is not in the tenancy`) {
			return fmt.Errorf("lost = %+v, want it failed", rel)
		}
		return nil
	})
	wantRecords(t, name, map[string]string{"db.v1": "deployed"})
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies[0].Charts = s.Tenancies[0].Charts[:2]
		s.Tenancies[0].Charts[1].Settings = nil
	})
	awaitReady(t, name)
	wantRecords(t, name, map[string]string{"db.v1": "superseded", "db.v2": "deployed", "web.v1": "deployed"})

	tell := story(t, name, until("db gone"))
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies = nil })
	want := []string{"web uninstalling", "web gone", "db uninstalling", "db gone"}
	if diff := cmp.Diff(want, tell()); diff != "" {
		t.Errorf("uninstalls (-want +got):\n%s\nthe log:\n%s", diff, op.log)
	}
}
