package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestKilledAtRandomMoments: thirty releases are installed by an operator that is
// killed again and again.
func TestKilledAtRandomMoments(t *testing.T) {
	const (
		name     = "killed"
		tenants  = 10
		releases = 3
		kills    = 20
	)
	home := fixture.Home(t, "", fixture.Deployment("web"), fixture.ConfigMap("conf"))
	var tenancies []v1alpha1.TenancySpec
	for i := range tenants {
		ns := fmt.Sprintf("killed-%d", i)
		tenancies = append(tenancies, tenant(ns, install("web", "web"), install("conf", "conf"), install("conf", "more")))
	}
	create(t, name, tenancies...)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)

	all := func() map[string]string {
		out := map[string]string{}
		for _, tn := range tenancies {
			for record, state := range records(t, tn.Namespace) {
				out[tn.Namespace+"/"+record] = state
			}
		}
		return out
	}
	inPlace := map[string]bool{}  // what was deployed, and wanted, when the operator died
	outdated := map[string]bool{} // what is no longer wanted, since the spec was edited
	for kill := range kills {
		op := startOperator(t, home, "--concurrent=2")
		eventually(t, patience, func() error {
			if !strings.Contains(op.log.String(), "operation done") {
				return fmt.Errorf("the operator has not begun to work")
			}
			return nil
		})
		time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
		op.kill()
		now := all()
		for record := range inPlace {
			if now[record] != "deployed" {
				t.Errorf("%s was in place and is %q now", record, now[record])
			}
		}
		clear(inPlace)
		pending := 0
		for record, state := range now {
			switch {
			case state == "deployed" && !outdated[record]:
				inPlace[record] = true
			case strings.HasPrefix(state, "pending"):
				pending++
			}
		}
		t.Logf("kill %d: %d of %d releases in place, %d pending", kill+1, len(inPlace), tenants*releases, pending)
		if len(inPlace) == tenants*releases {
			// All are there: the kills that are left hit upgrades of all of them.
			maps.Copy(outdated, inPlace)
			clear(inPlace)
			edit(t, name, func(s *v1alpha1.ControllerSpec) {
				for i := range s.Tenancies {
					for j := range s.Tenancies[i].Charts {
						s.Tenancies[i].Charts[j].Settings = []v1alpha1.Setting{{Key: "note", Value: fmt.Sprint(kill)}}
					}
				}
			})
		}
	}

	startOperator(t, home)
	awaitReady(t, name)
	now := all()
	latest := map[string]string{}
	for record, state := range now {
		if strings.HasPrefix(state, "pending") || state == "uninstalling" {
			t.Errorf("%s is left %s", record, state)
		}
		if state == "deployed" {
			latest[record[:strings.LastIndex(record, ".v")]] = record
		}
	}
	if len(latest) != tenants*releases {
		t.Errorf("%d releases are deployed, want %d: %v", len(latest), tenants*releases, now)
	}
	for record := range inPlace {
		if now[record] != "deployed" {
			t.Errorf("%s was in place and has a new revision", record)
		}
	}
	for _, tn := range tenancies {
		deployments, err := world.kube.AppsV1().Deployments(tn.Namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil || len(deployments.Items) != 1 {
			t.Errorf("%s has %d Deployments (%v), want 1", tn.Namespace, len(deployments.Items), err)
		}
		configs, err := world.kube.CoreV1().ConfigMaps(tn.Namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil || len(configs.Items) != releases-1+1 { // and kube-root-ca.crt
			t.Errorf("%s has %d ConfigMaps (%v), want %d", tn.Namespace, len(configs.Items), err, releases)
		}
	}
}

// TestRestartChangesNothing: what is in place is not touched by a new process.
func TestRestartChangesNothing(t *testing.T) {
	const name = "again"
	home := fixture.Home(t, "", fixture.Deployment("web"), fixture.ConfigMap("conf"))
	op := startOperator(t, home)
	create(t, name, tenant(name, install("web", "web"), install("conf", "conf")))
	awaitReady(t, name)
	op.stop()
	before := records(t, name)
	op = startOperator(t, home, "--zap-log-level=debug")
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies = append(s.Tenancies, tenant("again-more", install("conf", "conf")))
	})
	awaitReady(t, name)
	if got := records(t, name); !maps.Equal(before, got) {
		t.Errorf("records = %v, want %v", got, before)
	}
	if n := strings.Count(op.log.String(), "operation begins"); n != 1 {
		t.Errorf("%d operations began, want the one that was asked for", n)
	}
}

// TestKilledInAHook: what a dead process left pending is recovered with its
// history kept, fault rows 1 and 2.
func TestKilledInAHook(t *testing.T) {
	const name = "hook"
	home := fixture.Home(t, "", fixture.Stuck("hang", "pre-install,pre-upgrade"))
	op := startOperator(t, home)
	create(t, name, tenant(name, install("hang", "")))
	await := func(record, state string) {
		t.Helper()
		eventually(t, patience, func() error {
			if got := records(t, name); got[record] != state {
				return fmt.Errorf("records = %v, want %s %s", got, record, state)
			}
			return nil
		})
	}
	await("hook.v1", "pending-install")
	op.kill()
	op = startOperator(t, home)
	await("hook.v2", "pending-upgrade")
	wantRecords(t, name, map[string]string{"hook.v1": "failed", "hook.v2": "pending-upgrade"})
	op.kill()
	startOperator(t, home)
	await("hook.v3", "pending-upgrade")
	unstick(t)
	awaitReady(t, name)
	// Helm supersedes the revision it upgraded from, failed or not.
	wantRecords(t, name, map[string]string{"hook.v1": "failed", "hook.v2": "superseded", "hook.v3": "deployed"})
}

// TestStopWaitsForTheRunningOperation: the process ends after the operation, and
// leaves nothing pending, fault row 5.
func TestStopWaitsForTheRunningOperation(t *testing.T) {
	const name = "stopping"
	op := startOperator(t, fixture.Home(t, "", fixture.Stuck("hang", "pre-install"), fixture.ConfigMap("conf")))
	tn := tenant(name, install("hang", "hang"), install("conf", "conf"))
	tn.Charts[0].TimeoutSeconds = 5
	create(t, name, tn)
	eventually(t, patience, func() error {
		if got := records(t, name); got["hang.v1"] != "pending-install" {
			return fmt.Errorf("records = %v, want hang.v1 pending", got)
		}
		return nil
	})
	op.stop()
	wantRecords(t, name, map[string]string{"hang.v1": "failed"})
}

// TestLeaderElection: of two replicas one acts, and the other takes over, fault row 9.
func TestLeaderElection(t *testing.T) {
	const name = "leader"
	t.Setenv("POD_NAMESPACE", "default")
	home := fixture.Home(t, "", fixture.ConfigMap("conf"))
	first := startOperator(t, home, "--leader-elect", "--zap-log-level=debug")
	create(t, name, tenant(name, install("conf", "")))
	awaitReady(t, name)
	second := startOperator(t, home, "--leader-elect", "--zap-log-level=debug")
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies = append(s.Tenancies, tenant("leader-b", install("conf", "")))
	})
	awaitReady(t, name)
	if strings.Contains(second.log.String(), "operation begins") {
		t.Error("the standby acted")
	}
	first.stop()
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies = append(s.Tenancies, tenant("leader-c", install("conf", "")))
	})
	awaitReady(t, name)
	if n := strings.Count(second.log.String(), "operation begins"); n != 1 {
		t.Errorf("the new leader began %d operations, want 1", n)
	}
}
