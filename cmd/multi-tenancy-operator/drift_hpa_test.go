package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// autoscaler scales the Deployment of a release.
const autoscaler = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: %[1]s}
  minReplicas: 1
  maxReplicas: 9
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
`

// overrule always sets a field of the ConfigMaps of a namespace.
const overrule = `apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}]
  failurePolicy: Fail
  reinvocationPolicy: Never
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration: {expression: 'Object{data: {"text": "policy"}}'}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec: {policyName: %[1]s}
`

// configText reads and writes the ConfigMap of a release of the chart conf.
type configText struct {
	t         testing.TB
	namespace string
}

func (c configText) change(object, patch string) {
	c.t.Helper()
	if _, err := world.kube.CoreV1().ConfigMaps(c.namespace).Patch(
		c.t.Context(), object, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		c.t.Fatal(err)
	}
}

func (c configText) is(object, value string) func() error {
	return func() error {
		cm, err := world.kube.CoreV1().ConfigMaps(c.namespace).Get(c.t.Context(), object, metav1.GetOptions{})
		if err == nil && cm.Data["text"] != value {
			err = fmt.Errorf("ConfigMap %s has %q, want %q", object, cm.Data["text"], value)
		}
		return err
	}
}

// later lets an operator do more, in another namespace: what it would have begun
// by itself meanwhile has begun after it.
func later(t testing.TB, name string) {
	t.Helper()
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies = append(s.Tenancies, tenant(fmt.Sprintf("%s-%d", name, len(s.Tenancies)), install("conf", "conf")))
	})
	awaitReady(t, name)
}

// begun counts the checks of a release that an operator began.
func begun(op *operator, release string) int {
	n := 0
	for line := range strings.Lines(op.log.String()) {
		if strings.Contains(line, "operation begins") && strings.Contains(line, fmt.Sprintf("%q", release)) && strings.Contains(line, `"correct"`) {
			n++
		}
	}
	return n
}

// TestDriftOfReplicas: what scales a Deployment is not fought, and other fields
// are put back all the same.
func TestDriftOfReplicas(t *testing.T) {
	const name = "scaled"
	startOperator(t, fixture.Home(t, "", fixture.Deployment("web")))
	scaled := install("web", "auto")
	scaled.Drift = v1alpha1.DriftCorrect
	create(t, name, tenant(name, scaled, install("web", "hand")))
	awaitReady(t, name)
	kubectl(t, fmt.Sprintf(autoscaler, "auto-web", name), "apply", "-f", "-")
	for _, d := range []string{"auto-web", "hand-web"} {
		kubectl(t, "", "scale", "deployment/"+d, "-n", name, "--replicas=3")
		kubectl(t, "", "set", "image", "deployment/"+d, "-n", name, "main=registry.k8s.io/pause:3.9")
		kubectl(t, "", "label", "deployment/"+d, "-n", name, "app.kubernetes.io/managed-by=person", "--overwrite")
	}
	for _, d := range []string{"auto-web", "hand-web"} {
		eventually(t, patience, func() error {
			got, err := world.kube.AppsV1().Deployments(name).Get(t.Context(), d, metav1.GetOptions{})
			if err != nil {
				return err
			}
			label, image := got.Labels["app.kubernetes.io/managed-by"], got.Spec.Template.Spec.Containers[0].Image
			if label != "Helm" || image != "registry.k8s.io/pause:3.10" {
				return fmt.Errorf("Deployment %s is labelled %s and runs %s", d, label, image)
			}
			return nil
		})
		if got := replicas(t, name, d); got != 3 {
			t.Errorf("Deployment %s has %d replicas, want 3", d, got)
		}
	}
	awaitReady(t, name)
}

// TestDriftThatAdmissionMakes: what admission always sets is no drift.
func TestDriftThatAdmissionMakes(t *testing.T) {
	const name = "overruled"
	op := startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")), "--zap-log-level=debug")
	create(t, name, tenant(name, install("conf", "conf", "text", "chart")))
	awaitReady(t, name)
	kubectl(t, fmt.Sprintf(overrule, name), "apply", "-f", "-")
	t.Cleanup(func() {
		if _, err := world.cluster.Kubectl(context.Background(), "", "delete", "mutatingadmissionpolicybinding,mutatingadmissionpolicy", name); err != nil {
			t.Error(err)
		}
	})
	conf := configText{t: t, namespace: name}
	// The policy takes effect some time after it is made.
	eventually(t, patience, func() error {
		conf.change("conf-conf", `{"data":{"note":"x"}}`)
		return conf.is("conf-conf", "policy")()
	})
	conf.change("conf-conf", `{"data":{"note":"y"}}`)
	version := func() string {
		cm, err := world.kube.CoreV1().ConfigMaps(name).Get(t.Context(), "conf-conf", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return cm.ResourceVersion
	}
	// A check may still be under way; from some moment on there is none, and none begins.
	eventually(t, patience, func() error {
		before, checks := version(), begun(op, name+"/conf")
		if checks == 0 {
			return errors.New("nothing was checked")
		}
		later(t, name)
		if after, now := version(), begun(op, name+"/conf"); after != before || now != checks {
			return fmt.Errorf("the ConfigMap went from version %s to %s, with %d checks and then %d", before, after, checks, now)
		}
		return nil
	})
	if n := strings.Count(op.log.String(), `"action":"correct"`); n > 5 {
		t.Errorf("%d corrections of what admission sets", n)
	}
	if got := find(get(t, name), name, "conf").Drift; got != "" {
		t.Errorf("drift = %q of what admission sets", got)
	}
}

// TestDriftThatIsFoughtFor: who changes an object back again and again is told of,
// and left alone.
func TestDriftThatIsFoughtFor(t *testing.T) {
	const name = "fought"
	op := startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")), "--zap-log-level=debug")
	create(t, name, tenant(name, install("conf", "conf", "text", "chart")))
	awaitReady(t, name)
	conf := configText{t: t, namespace: name}
	for range 5 {
		conf.change("conf-conf", `{"data":{"text":"other"}}`)
		eventually(t, patience, conf.is("conf-conf", "chart"))
	}
	conf.change("conf-conf", `{"data":{"text":"other"}}`)
	eventually(t, patience, func() error {
		if got := find(get(t, name), name, "conf").Drift; !strings.Contains(got, "ConfigMap conf-conf differs in data.text (put back 5 times") {
			return fmt.Errorf("drift = %q", got)
		}
		return conf.is("conf-conf", "other")()
	})
	// Without Helm's label nobody can see it, which must not be looked at for ever.
	conf.change("conf-conf", `{"metadata":{"labels":{"app.kubernetes.io/managed-by":null}}}`)
	eventually(t, patience, func() error {
		if got := find(get(t, name), name, "conf").Drift; !strings.Contains(got, "metadata.labels") {
			return fmt.Errorf("drift = %q", got)
		}
		return nil
	})
	before := begun(op, name+"/conf")
	later(t, name)
	if after := begun(op, name+"/conf"); after > before+1 {
		t.Errorf("%d checks, and then %d though nothing changed", before, after)
	}
}

// TestDriftWhileAway: what happened while no operator ran is put back, also beside
// what cannot be.
func TestDriftWhileAway(t *testing.T) {
	const name = "away"
	home := fixture.Home(t, "", fixture.ConfigMap("conf"), pair())
	op := startOperator(t, home)
	create(t, name, tenant(name, install("conf", "gone"), install("conf", "changed", "text", "chart"), install("pair", "pair")))
	awaitReady(t, name)
	before := records(t, name)
	op.stop()
	conf := configText{t: t, namespace: name}
	kubectl(t, "", "delete", "configmap", "gone-conf", "pair-b", "-n", name)
	conf.change("changed-conf", `{"data":{"text":"person"}}`)
	conf.change("pair-a", `{"immutable":true,"data":{"text":"person"}}`)
	startOperator(t, home)
	eventually(t, patience, conf.is("gone-conf", "default"))
	eventually(t, patience, conf.is("changed-conf", "chart"))
	eventually(t, patience, conf.is("pair-b", "chart"))
	eventually(t, patience, func() error {
		if got := find(get(t, name), name, "pair").Drift; !strings.Contains(got, "ConfigMap pair-a") {
			return fmt.Errorf("drift = %q, want what cannot be put back", got)
		}
		return nil
	})
	eventually(t, 2*time.Second, conf.is("pair-a", "person"))
	wantRecords(t, name, before)
}

// pair is a chart of two ConfigMaps.
func pair() fixture.Chart {
	c := fixture.ConfigMap("pair")
	c.Files["templates/configmap.yaml"] = `apiVersion: v1
kind: ConfigMap
metadata: {name: pair-a}
data: {text: chart}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: pair-b}
data: {text: chart}
`
	return c
}
