package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

const charts = root + "/charts"

// quickStart is what a new user types, word for word.
const quickStart = `apiVersion: multitenancy.dev/v1alpha1
kind: Controller
metadata:
  name: example-controller
spec:
  tenancies:
    - namespace: foo
      charts:
        - chartName: deployment-example
          settings:
            - key: replicaCount
              value: "2"
        - chartName: statefulset-example
          releaseName: nginx
          settings:
            - key: replicas
              value: "3"
            - key: service.internalPort
              value: "8080"
`

func TestQuickStart(t *testing.T) {
	if sample(t, "quickstart.yaml") != quickStart {
		t.Error("deploy/samples/quickstart.yaml is not the quick start")
	}
	startOperator(t, charts)
	operatorNamespace(t)
	discardAfter(t, "example-controller")
	kubectl(t, quickStart, "apply", "-n", "multi-tenancy", "-f", "-")
	kubectl(t, "", "wait", "--for=condition=Ready", "controller/example-controller", "--timeout=60s")

	cr := get(t, "example-controller")
	want := v1alpha1.Summary{
		Tenancies: v1alpha1.Count{Total: 1, Ready: 1}, Releases: v1alpha1.ReleaseCount{Total: 2, Ready: 2},
		Workloads: v1alpha1.Count{Total: 2, Ready: 2}, Pods: v1alpha1.Count{Total: 5, Ready: 5},
	}
	if diff := cmp.Diff(want, *cr.Status.Summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	running := 0
	for _, rel := range []string{"foo", "nginx"} {
		found := find(cr, "foo", rel)
		if found == nil || found.Phase != v1alpha1.ReleaseDeployed || !found.Ready || found.Revision != 1 || found.Version != "0.1.0" {
			t.Fatalf("release %s = %+v, want revision 1 deployed and ready", rel, found)
		}
		for _, p := range found.Pods {
			if p.Phase == "Running" && p.Ready && p.Workload == found.Workloads[0].Name {
				running++
			}
		}
	}
	if w := find(cr, "foo", "foo").Workloads; len(w) != 1 || w[0].Desired != 2 || w[0].Ready != 2 {
		t.Errorf("workloads of foo = %+v, want 2/2", w)
	}
	if w := find(cr, "foo", "nginx").Workloads; len(w) != 1 || w[0].Desired != 3 || w[0].Ready != 3 {
		t.Errorf("workloads of nginx = %+v, want 3/3", w)
	}
	if running != 5 {
		t.Errorf("%d pods are Running and ready, want 5", running)
	}
	if columns := strings.Fields(kubectl(t, "", "get", "controllers", "--no-headers")); !slices.Equal(columns[1:6], []string{"1", "2/2", "2/2", "5/5", "True"}) {
		t.Errorf("kubectl get controllers prints %v", columns)
	}
	eventually(t, soon, mirrored(t, "example-controller", "foo", metav1.ConditionTrue))
	for _, where := range [][]string{{"default", "Controller"}, {"foo", "Tenancy"}} {
		eventually(t, patience, func() error {
			events := kubectl(t, "", "get", "events", "-n", where[0], "--field-selector=involvedObject.kind="+where[1]+",involvedObject.name=example-controller", "-o", "jsonpath={.items[*].message}")
			for _, rel := range []string{"foo/foo", "foo/nginx"} {
				if !strings.Contains(events, rel) {
					return fmt.Errorf("the events on the %s are %q, want %s in them", where[1], events, rel)
				}
			}
			return nil
		})
	}
	names := strings.Fields(helm(t, "ls", "-n", "foo", "--short"))
	if diff := cmp.Diff([]string{"foo", "nginx"}, names); diff != "" {
		t.Errorf("helm ls -n foo (-want +got):\n%s", diff)
	}
}

// TestEdits: what matters makes one revision, and what does not makes none, fault
// row 63.
func TestEdits(t *testing.T) {
	const name = "edits"
	home := fixture.Home(t, "", fixture.Deployment("web"), fixture.ConfigMap("conf"))
	startOperator(t, home)
	create(t, name, tenant("edits", install("web", "", "replicaCount", "2", "podLabels.tier", "a"), install("conf", "conf")))
	awaitReady(t, name)
	before := records(t, "edits")

	t.Run("a setting", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies[0].Charts[0].Settings[0].Value = "5" })
		took := eventually(t, patience, func() error {
			if n := replicas(t, "edits", "edits-web"); n != 5 {
				return fmt.Errorf("the Deployment asks for %d replicas, want 5", n)
			}
			return nil
		})
		if took > time.Second {
			t.Errorf("the Deployment changed after %s, want under a second", took)
		}
		awaitReady(t, name)
		if w := find(get(t, name), "edits", "edits").Workloads[0]; w.Ready != 5 || w.Desired != 5 {
			t.Errorf("the status says %d/%d, want 5/5", w.Ready, w.Desired)
		}
		after := records(t, "edits")
		want := map[string]string{"edits.v1": "superseded", "edits.v2": "deployed", "conf.v1": "deployed"}
		if diff := cmp.Diff(want, after); diff != "" {
			t.Errorf("records (-want +got):\n%s\nbefore: %v", diff, before)
		}
	})

	t.Run("nothing that matters", func(t *testing.T) {
		before := records(t, "edits")
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			settings := s.Tenancies[0].Charts[0].Settings
			slices.Reverse(settings)
			settings[1].Type = v1alpha1.SettingJSON
			s.Tenancies[0].Charts[1].TimeoutSeconds = 77
		})
		kubectl(t, "", "annotate", "controller", name, "note=a comment")
		awaitReady(t, name)
		// The pass that saw the edit has planned, when a later edit is done.
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			s.Tenancies = append(s.Tenancies, tenant("edits-later", install("conf", "")))
		})
		awaitReady(t, name)
		if diff := cmp.Diff(before, records(t, "edits")); diff != "" {
			t.Errorf("records (-before +after):\n%s", diff)
		}
	})

	t.Run("settings emptied", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies[0].Charts[0].Settings = nil })
		eventually(t, patience, func() error {
			if n := replicas(t, "edits", "edits-web"); n != 1 {
				return fmt.Errorf("the Deployment asks for %d replicas, want the chart's default of 1", n)
			}
			return nil
		})
	})

	t.Run("there and back again", func(t *testing.T) {
		for _, value := range []string{"a", "b", "a"} {
			edit(t, name, func(s *v1alpha1.ControllerSpec) {
				s.Tenancies[0].Charts[1].Settings = []v1alpha1.Setting{{Key: "text", Value: value}}
			})
		}
		awaitReady(t, name)
		cm, err := world.kube.CoreV1().ConfigMaps("edits").Get(t.Context(), "conf-conf", metav1.GetOptions{})
		if err != nil || cm.Data["text"] != "a" {
			t.Errorf("the ConfigMap says %v (%v), want a", cm.Data, err)
		}
	})
}

// TestChartsAndTenanciesComeAndGo: each edit does what it says and nothing else,
// fault row 104.
func TestChartsAndTenanciesComeAndGo(t *testing.T) {
	const name = "come-and-go"
	home := fixture.Home(t, "", fixture.Deployment("web"), fixture.ConfigMap("conf"))
	startOperator(t, home)
	create(t, name, tenant("come", install("web", "")))
	awaitReady(t, name)

	t.Run("a chart is added", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			s.Tenancies[0].Charts = append(s.Tenancies[0].Charts, install("conf", "extra"))
		})
		awaitReady(t, name)
		wantRecords(t, "come", map[string]string{"come.v1": "deployed", "extra.v1": "deployed"})
	})
	t.Run("a tenancy is added", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			s.Tenancies = append(s.Tenancies, tenant("come2", install("web", ""), install("conf", "conf")))
		})
		awaitReady(t, name)
		wantRecords(t, "come2", map[string]string{"come2.v1": "deployed", "conf.v1": "deployed"})
	})
	t.Run("a release is renamed", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies[0].Charts[1].ReleaseName = "renamed" })
		awaitReady(t, name)
		wantRecords(t, "come", map[string]string{"come.v1": "deployed", "renamed.v1": "deployed"})
	})
	t.Run("a chart is removed", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies[0].Charts = s.Tenancies[0].Charts[:1] })
		eventually(t, patience, func() error {
			_, err := world.kube.CoreV1().ConfigMaps("come").Get(t.Context(), "renamed-conf", metav1.GetOptions{})
			if !apierrors.IsNotFound(err) {
				return fmt.Errorf("the ConfigMap of the removed chart: %w", err)
			}
			return nil
		})
		awaitReady(t, name)
		wantRecords(t, "come", map[string]string{"come.v1": "deployed"})
	})
	t.Run("a tenancy is removed and its namespace kept", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies = s.Tenancies[:1] })
		eventually(t, patience, func() error {
			if got := records(t, "come2"); len(got) > 0 {
				return fmt.Errorf("records of the removed tenancy: %v", got)
			}
			if got := get(t, name).Status.Tenancies; len(got) != 1 {
				return fmt.Errorf("tenancies in the status: %+v", got)
			}
			return nil
		})
		if n := replicas(t, "come2", "come2-web"); n != -1 {
			t.Error("the Deployment of the removed tenancy is still there")
		}
		ns, err := world.kube.CoreV1().Namespaces().Get(t.Context(), "come2", metav1.GetOptions{})
		if err != nil || ns.DeletionTimestamp != nil {
			t.Errorf("the namespace of the removed tenancy: %v, %v; want it kept", ns, err)
		}
		awaitReady(t, name)
	})
}

func wantRecords(t *testing.T, namespace string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, records(t, namespace)); diff != "" {
		t.Errorf("records in %s (-want +got):\n%s", namespace, diff)
	}
}
