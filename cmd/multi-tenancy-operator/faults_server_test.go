package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// widgets is a kind that comes after the operator.
const widgets = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.faults.example.com}
spec:
  group: faults.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
`

// TestServerFaults: what the API server, or the way to it, can do to a running
// operator, fault rows 67, 70, 71, 72, 74, 75, 77, 80, 82 and 84. Row 68 is in
// TestAPIServerKilled.
func TestServerFaults(t *testing.T) {
	const name = "server"
	widget := fixture.Chart{Name: "widget", Files: map[string]string{
		"templates/widget.yaml": "apiVersion: faults.example.com/v1\nkind: Widget\nmetadata: {name: {{ .Release.Name }}}\n",
	}}
	px, probes := closedProxy(t), freePort(t)
	op := startOperatorAs(t, px.kubeconfig, fixture.Home(t, "", fixture.ConfigMap("conf"), fixture.Deployment("web"), widget),
		"--zap-log-level=debug", "--request-timeout=2s", "--health-probe-bind-address="+probes)
	defer op.lives()
	create(t, name, tenant("srv-a", install("conf", "a"), install("web", "web")), tenant("srv-b", install("conf", "a")))

	t.Run("67: it is down at the start", func(t *testing.T) {
		eventually(t, patience, func() error {
			if log := op.log.String(); !strings.Contains(log, "connection refused") {
				return errors.New("nothing is said of the API server")
			}
			return answers("http://" + probes + "/healthz")
		})
		op.lives()
		px.open()
		awaitReady(t, name)
	})

	t.Run("70: it is busy", func(t *testing.T) {
		mend := px.play(fault{share: 30, status: http.StatusTooManyRequests, retryAfter: 1})
		defer mend()
		set(t, name, "srv-b", "text", "busy")
		eventually(t, patience, recorded(t, "srv-b", "a.v2", "deployed"))
		mend()
		awaitReady(t, name)
		wantRecords(t, "srv-b", map[string]string{"a.v1": "superseded", "a.v2": "deployed"})
	})

	t.Run("71: it fails now and then", func(t *testing.T) {
		var tenancies []v1alpha1.TenancySpec
		for i := range 5 {
			tenancies = append(tenancies, tenant(fmt.Sprintf("srv-flaky-%d", i), install("conf", "a")))
		}
		broken := px.play(fault{share: 20, status: http.StatusInternalServerError})
		defer broken()
		away := px.play(fault{share: 20, status: http.StatusServiceUnavailable})
		defer away()
		add(t, name, tenancies...)
		eventually(t, patience, func() error {
			if n := strings.Count(op.log.String(), `"operation failed"`); n < 3 {
				return fmt.Errorf("%d operations failed, want the fault to be felt", n)
			}
			return nil
		})
		broken()
		away()
		eventually(t, patience, func() error { nudge(t, name); return isReady(t, name)() })
		for _, tn := range tenancies {
			if got := records(t, tn.Namespace); len(got) > 4 {
				t.Errorf("%s has %v, want few revisions", tn.Namespace, got)
			}
			if diff := cmp.Diff(map[string]string{"a-conf": "default"}, texts(t, tn.Namespace)); diff != "" {
				t.Errorf("ConfigMaps in %s (-want +got):\n%s", tn.Namespace, diff)
			}
		}
	})

	t.Run("72: it leaves a request without an answer", func(t *testing.T) {
		mend := px.play(fault{verb: "post", path: regexp.MustCompile(`/namespaces/srv-hole/configmaps`), silent: true})
		defer mend()
		add(t, name, tenant("srv-hole", install("conf", "a")))
		eventually(t, patience, recorded(t, "srv-hole", "a.v1", "pending-install"))
		set(t, name, "srv-b", "text", "beside the hole")
		eventually(t, patience, told(t, "srv-b", "beside the hole"))
		eventually(t, patience, failed(t, name, "srv-hole", "a", "no answer from the API server within 2s"))
		mend()
		eventually(t, patience, func() error {
			nudge(t, name)
			return holds(t, name, "srv-hole", "a", 2)()
		})
	})

	t.Run("74: somebody else writes the status", func(t *testing.T) {
		begin := get(t, name)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan int)
		go func() {
			n := 0
			for ; ctx.Err() == nil; n++ {
				_ = condition(ctx, name, fmt.Sprint(n))
			}
			ended <- n
		}()
		mend := px.play(fault{verb: "patch", path: regexp.MustCompile(`/controllers/server/status`), times: 2, status: http.StatusConflict})
		defer mend()
		set(t, name, "srv-b", "text", "in conflict")
		eventually(t, patience, told(t, "srv-b", "in conflict"))
		stop()
		if n := <-ended; n < 3 {
			t.Errorf("the other one wrote %d times, want it to be in the way", n)
		}
		awaitReady(t, name)
		if cr := get(t, name); cr.Generation == begin.Generation || meta.FindStatusCondition(cr.Status.Conditions, "Theirs") == nil {
			t.Errorf("the condition of the other one is lost: %+v", cr.Status.Conditions)
		}
	})

	t.Run("75: its history is too short", func(t *testing.T) {
		before := everything(t, "srv-")
		f := fault{verb: "watch", path: regexp.MustCompile(`/(secrets|pods|deployments)\?`), times: 6, status: http.StatusGone}
		mend := px.play(f)
		defer mend()
		kubectl(t, "", "scale", "-n", "srv-a", "deployment/web-web", "--replicas=2")
		px.cut("/secrets?")
		px.cut("/namespaces/srv-a/")
		kubectl(t, "", "scale", "-n", "srv-a", "deployment/web-web", "--replicas=3")
		eventually(t, patience, shows(t, name, "srv-a", "web", 3))
		if diff := cmp.Diff(before, everything(t, "srv-")); diff != "" {
			t.Errorf("records (-before +after):\n%s", diff)
		}
	})

	t.Run("77: its watches fall silent", func(t *testing.T) {
		mend := px.play(fault{verb: "watch", path: regexp.MustCompile(`/namespaces/srv-a/(deployments|pods)\?`), silent: true, times: 2})
		defer mend()
		kubectl(t, "", "scale", "-n", "srv-a", "deployment/web-web", "--replicas=4")
		// Twice the timeout of a request, which is a minute when nobody says otherwise.
		eventually(t, 40*time.Second, shows(t, name, "srv-a", "web", 4))
	})

	t.Run("80: its watches are late", func(t *testing.T) {
		mend := px.play(fault{verb: "watch", path: regexp.MustCompile(`/api/v1/secrets\?`), late: time.Second})
		defer mend()
		add(t, name, tenant("srv-late", install("conf", "a"), install("conf", "b")))
		eventually(t, patience, holds(t, name, "srv-late", "b", 1))
		mend()
		awaitReady(t, name)
		wantRecords(t, "srv-late", map[string]string{"a.v1": "deployed", "b.v1": "deployed"})
		for _, release := range []string{"srv-late/a", "srv-late/b"} {
			if n := op.began(release); n != 1 {
				t.Errorf("%d operations on %s began, want 1", n, release)
			}
		}
	})

	t.Run("82: it learns a new kind", func(t *testing.T) {
		add(t, name, tenant("srv-kind", install("widget", "a")))
		eventually(t, patience, failed(t, name, "srv-kind", "a", "Widget", "faults.example.com/v1"))
		kubectl(t, widgets, "apply", "-f", "-")
		kubectl(t, "", "wait", "--for=condition=Established", "crd/widgets.faults.example.com")
		eventually(t, patience, func() error {
			nudge(t, name)
			_, err := world.cluster.Kubectl(t.Context(), "", "get", "-n", "srv-kind", "widgets.faults.example.com", "a")
			return err
		})
		awaitReady(t, name)
	})

	t.Run("84: a namespace is forbidden", func(t *testing.T) {
		mend := px.play(fault{path: regexp.MustCompile(`/namespaces/srv-a/`), status: http.StatusForbidden})
		defer mend()
		px.cut("/namespaces/srv-a/")
		set(t, name, "srv-a", "text", "forbidden")
		set(t, name, "srv-b", "text", "allowed")
		eventually(t, patience, failed(t, name, "srv-a", "a", "a fault is played"))
		eventually(t, patience, told(t, "srv-b", "allowed"))
		op.lives()
		mend()
		kubectl(t, "", "scale", "-n", "srv-a", "deployment/web-web", "--replicas=2")
		nudge(t, name)
		eventually(t, patience, shows(t, name, "srv-a", "web", 2))
		awaitReady(t, name)
	})
}
