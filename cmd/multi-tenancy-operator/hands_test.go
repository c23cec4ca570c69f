package main

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

const crd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.hands.example.com
spec:
  group: hands.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: {type: integer}
`

// TestCRDs: the crds directory has a policy, fault rows 42, 57, 58 and 82.
func TestCRDs(t *testing.T) {
	const name = "crds"
	widget := fixture.Chart{Name: "widget", Files: map[string]string{
		"crds/widget.yaml": crd,
		"templates/widget.yaml": "apiVersion: hands.example.com/v1\nkind: Widget\nmetadata:\n  name: {{ .Release.Name }}\n" +
			"spec:\n  size: {{ .Values.size | default 1 }}\n",
	}}
	odd := fixture.ConfigMap("odd")
	odd.Files["crds/odd.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: odd\n"
	newer := widget
	newer.Name, newer.Files = "newer", map[string]string{
		"crds/widget.yaml":      strings.ReplaceAll(crd, "size: {type: integer}", "size: {type: integer}\n                color: {type: string}"),
		"templates/widget.yaml": widget.Files["templates/widget.yaml"],
	}
	startOperator(t, fixture.Home(t, "", widget, odd, newer))
	with := func(c v1alpha1.Chart, p v1alpha1.CRDPolicy) v1alpha1.Chart { c.CRDs = p; return c }
	allowed := tenant(name, install("widget", "skipped"), with(install("odd", "odd"), v1alpha1.CRDsCreate))
	allowed.AllowedClusterKinds = []v1alpha1.ClusterKind{{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}}
	create(t, name, allowed)
	says := func(release, part string) func() error {
		return func() error {
			rel := find(get(t, name), name, release)
			if rel == nil || rel.Phase != v1alpha1.ReleaseFailed || !strings.Contains(rel.Message, part) {
				return fmt.Errorf("%s is %+v, want it failed with %q", release, rel, part)
			}
			return nil
		}
	}
	eventually(t, patience, says("skipped", "no matches for kind"))
	eventually(t, patience, says("odd", "crds/odd.yaml holds ConfigMap odd"))

	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies[0].Charts = []v1alpha1.Chart{with(install("widget", "made", "size", "2"), v1alpha1.CRDsCreate)}
	})
	awaitReady(t, name)
	size := func() string {
		return kubectl(t, "", "get", "widgets.hands.example.com", "made", "-n", name, "-o", "jsonpath={.spec.size}")
	}
	if got := size(); got != "2" {
		t.Errorf("the size of the widget is %s, want 2", got)
	}
	kubectl(t, "", "patch", "widgets.hands.example.com", "made", "-n", name, "--type=merge", "-p", `{"spec":{"size":9}}`)
	eventually(t, patience, func() error {
		if got := size(); got != "2" {
			return fmt.Errorf("the size of the widget is %s, want it put back to 2", got)
		}
		return nil
	})

	color := func() string {
		return kubectl(t, "", "get", "crd", "widgets.hands.example.com", "-o",
			"jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.color.type}")
	}
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies[0].Charts = append(s.Tenancies[0].Charts, with(install("newer", "left"), v1alpha1.CRDsCreate))
	})
	awaitReady(t, name)
	if got := color(); got != "" {
		t.Errorf("Create changed the CRD: it has a color of type %s", got)
	}
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies[0].Charts = append(s.Tenancies[0].Charts, with(install("newer", "replaced"), v1alpha1.CRDsCreateReplace))
	})
	awaitReady(t, name)
	if got := color(); got != "string" {
		t.Errorf("CreateReplace left the CRD: its color has type %q", got)
	}
}

// TestAdoption: what exists already is left alone and named, until the release may
// take it over; fault row 33.
func TestAdoption(t *testing.T) {
	const name = "adoption"
	home := fixture.Home(t, "", fixture.ConfigMap("conf"))
	startOperator(t, home)
	kubectl(t, "", "create", "namespace", name)
	helm(t, "install", "theirs", home+"/conf", "-n", name, "--set", "text=theirs")
	kubectl(t, "", "create", "configmap", "found-conf", "-n", name, "--from-literal=text=theirs")
	create(t, name, tenant(name, install("conf", "theirs", "text", "ours"), install("conf", "found", "text", "ours")))
	text := func(object string) string {
		cm, err := world.kube.CoreV1().ConfigMaps(name).Get(t.Context(), object, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return cm.Data["text"]
	}
	for release, want := range map[string]struct {
		phase v1alpha1.ReleasePhase
		says  string
	}{
		"theirs": {v1alpha1.ReleaseHeld, "adopt: true"},
		"found":  {v1alpha1.ReleaseFailed, `ConfigMap "found-conf" in namespace "adoption" exists`},
	} {
		eventually(t, patience, func() error {
			rel := find(get(t, name), name, release)
			if rel == nil || rel.Phase != want.phase || !strings.Contains(rel.Message, want.says) {
				return fmt.Errorf("%s is %+v, want it %s with %q", release, rel, want.phase, want.says)
			}
			return nil
		})
		if got := text(release + "-conf"); got != "theirs" {
			t.Errorf("the ConfigMap of %s has %q, want it untouched", release, got)
		}
	}
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		for i := range s.Tenancies[0].Charts {
			s.Tenancies[0].Charts[i].Adopt = new(true)
		}
	})
	awaitReady(t, name)
	for _, release := range []string{"theirs", "found"} {
		if got := text(release + "-conf"); got != "ours" {
			t.Errorf("the ConfigMap of %s has %q after it was adopted", release, got)
		}
	}
	wantRecords(t, name, map[string]string{"theirs.v1": "superseded", "theirs.v2": "deployed", "found.v1": "deployed"})
}

// TestHelmTest: tests run when an annotation asks for them, once, and their outcome
// is in the status, also after a restart and an upgrade.
func TestHelmTest(t *testing.T) {
	const name = "tested"
	good, bad := fixture.Stuck("good", "test"), fixture.Stuck("bad", "test")
	good.Files["templates/hook.yaml"] = strings.ReplaceAll(good.Files["templates/hook.yaml"], `nodeSelector: {nowhere: "true"}`, "terminationGracePeriodSeconds: 0")
	home := fixture.Home(t, "", good, bad, fixture.ConfigMap("plain"))
	op := startOperator(t, home)
	short := install("bad", "bad")
	short.TimeoutSeconds = 2
	create(t, name, tenant(name, install("good", "good"), short, install("plain", "plain")))
	awaitReady(t, name)
	outcome := func(release string, phase v1alpha1.TestPhase, revision int32, part string) func() error {
		return func() error {
			rel := find(get(t, name), name, release)
			if rel == nil || rel.Test == nil || rel.Test.Phase != phase || rel.Test.Revision != revision || !strings.Contains(rel.Test.Message, part) {
				return fmt.Errorf("the test of %s is %+v, want %s in revision %d with %q", release, rel.Test, phase, revision, part)
			}
			return nil
		}
	}
	if rel := find(get(t, name), name, "good"); rel.Test != nil {
		t.Errorf("a test ran that nobody asked for: %+v", rel.Test)
	}
	kubectl(t, "", "annotate", "controller", name, v1alpha1.AnnotationTest+"="+name+" first")
	eventually(t, patience, outcome("good", v1alpha1.TestSucceeded, 1, ""))
	eventually(t, patience, outcome("bad", v1alpha1.TestFailed, 1, "bad-bad-hook"))
	eventually(t, patience, outcome("plain", v1alpha1.TestSucceeded, 1, "no test hook"))
	awaitReady(t, name)

	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies[0].Charts[0].Settings = []v1alpha1.Setting{{Key: "text", Value: "new"}}
	})
	awaitReady(t, name)
	finished := find(get(t, name), name, "good").Test.Finished
	op.stop()
	startOperator(t, home)
	eventually(t, patience, outcome("good", v1alpha1.TestSucceeded, 1, ""))
	kubectl(t, "", "annotate", "--overwrite", "controller", name, v1alpha1.AnnotationTest+"="+name+"/good second")
	eventually(t, patience, outcome("good", v1alpha1.TestSucceeded, 2, ""))
	if err := outcome("bad", v1alpha1.TestFailed, 1, "")(); err != nil {
		t.Error(err)
	}
	if again := find(get(t, name), name, "good").Test.Finished; again.Before(finished) {
		t.Errorf("the second test ended at %s, the first at %s", again, finished)
	}
	wantRecords(t, name, map[string]string{"good.v1": "superseded", "good.v2": "deployed", "bad.v1": "deployed", "plain.v1": "deployed"})
}
