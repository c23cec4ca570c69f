package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
	"multitenancy.dev/multi-tenancy-operator/pkg/localcluster"
)

// TestRestartFaults: an upgrade of the API server under 200 tenancies, which drops an
// API, fault rows 78 and 86. The other components of a local cluster take minutes to
// follow its restarts, so it has one of its own.
func TestRestartFaults(t *testing.T) {
	const (
		name    = "restart"
		tenants = 200
	)
	ownSite(t)
	scaled := fixture.ConfigMap("scaled")
	scaled.Files["templates/autoscaler.yaml"] = fmt.Sprintf(autoscaler, "{{ .Release.Name }}", "{{ .Release.Namespace }}")
	home := fixture.Home(t, "", scaled, fixture.ConfigMap("conf"), fixture.Deployment("web"))
	t.Setenv("POD_NAMESPACE", "multi-tenancy")
	// An administrator would pass the API server's flow control.
	px, requests := startMeteredProxy(t, serviceAccount(t))
	op := startOperatorAs(t, px.kubeconfig, home, "--zap-log-level=debug", "--concurrent=8",
		"--namespaced-informers=1000") // the hard case
	defer op.lives()
	web := install("web", "web")
	web.Drift = v1alpha1.DriftCorrect
	tenancies := []v1alpha1.TenancySpec{tenant("restart-scaled", install("scaled", "a")), tenant("restart-web", web)}
	for i := len(tenancies); i < tenants; i++ {
		tenancies = append(tenancies, tenant(fmt.Sprint("restart-", i), install("conf", "a")))
	}
	create(t, name, tenancies...)
	t.Logf("%d tenancies were ready after %s", tenants, eventually(t, 3*patience, isReady(t, name)))

	t.Run("78: 200 tenancies come back at once", func(t *testing.T) {
		operations := strings.Count(op.log.String(), "operation begins")
		requests.reset()
		restartAPIServer(t, "--runtime-config=autoscaling/v1=false,autoscaling/v2=false")
		eventually(t, 2*patience, watched(t, 4*tenants))
		awaitReady(t, name)
		all, inASecond, refused := requests.counts(http.StatusTooManyRequests)
		t.Logf("%d requests, %d of them turned away; at most %d in a second", all, refused, inASecond)
		const others = 100 // than those of the informers of namespaces
		if limit := informersPerSecond + 2*informersAtOnce + others; inASecond > limit {
			t.Errorf("%d requests within a second, want at most %d", inASecond, limit)
		}
		if refused > tenants/4 {
			t.Errorf("%d requests were turned away, want no cascade", refused)
		}
		if n := strings.Count(op.log.String(), "operation begins") - operations; n > 0 {
			t.Errorf("%d operations began, want none", n)
		}
	})

	t.Run("86: an API is gone", func(t *testing.T) {
		set(t, name, "restart-scaled", "text", "two")
		set(t, name, "restart-2", "text", "two")
		kubectl(t, "", "scale", "-n", "restart-web", "deployment/web-web", "--replicas=3")
		eventually(t, patience, holds(t, name, "restart-2", "a", 2))
		eventually(t, patience, failed(t, name, "restart-scaled", "a",
			`no matches for kind "HorizontalPodAutoscaler" in version "autoscaling/v2"`, "use a chart that does without it"))
		eventually(t, patience, func() error { // without autoscalers, a count of replicas is drift like others
			if n := replicas(t, "restart-web", "web-web"); n != 1 {
				return fmt.Errorf("the Deployment has %d replicas, want 1", n)
			}
			return nil
		})
		restartAPIServer(t)
		eventually(t, 2*patience, func() error {
			nudge(t, name)
			rel := find(get(t, name), "restart-scaled", "a")
			if rel == nil || rel.Phase != v1alpha1.ReleaseDeployed || !rel.Ready {
				return fmt.Errorf("release restart-scaled/a = %+v, want it deployed again", rel)
			}
			if got := texts(t, "restart-scaled")["a-scaled"]; got != "two" {
				return fmt.Errorf("its ConfigMap says %q, want %q", got, "two")
			}
			return nil
		})
	})
}

// restartAPIServer starts it again with more flags.
func restartAPIServer(t *testing.T, flags ...string) {
	t.Helper()
	if err := world.cluster.Restart(t.Context(), localcluster.APIServer, flags...); err != nil {
		t.Fatal(err)
	}
}

// watched says that fewer watches of workloads and pods in single namespaces are open.
func watched(t *testing.T, n int) func() error {
	line := regexp.MustCompile(`(?m)^apiserver_longrunning_requests\{.*resource="(?:pods|deployments|statefulsets|daemonsets)",scope="namespace".*verb="WATCH".*\} (\S+)$`)
	return func() error {
		text, err := world.kube.RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
		if err != nil {
			return err
		}
		open := 0
		for _, match := range line.FindAllStringSubmatch(string(text), -1) {
			more, err := strconv.Atoi(match[1])
			if err != nil {
				return err
			}
			open += more
		}
		if open < n {
			return fmt.Errorf("%d watches are open, want %d", open, n)
		}
		return nil
	}
}
