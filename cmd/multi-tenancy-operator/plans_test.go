package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// onPlan is a tenancy of the plan school, with parameters given as name and value in turn.
func onPlan(namespace string, params ...string) v1alpha1.TenancySpec {
	t := v1alpha1.TenancySpec{Namespace: namespace, Plan: "school", Params: map[string]v1alpha1.Parameter{}}
	for i := 0; i+1 < len(params); i += 2 {
		t.Params[params[i]] = v1alpha1.Parameter(params[i+1])
	}
	return t
}

// createPlanned makes a Controller with a plan called school.
func createPlanned(t *testing.T, name string, charts []v1alpha1.Chart, tenancies ...v1alpha1.TenancySpec) {
	t.Helper()
	plan := v1alpha1.Plan{Name: "school"}
	for _, c := range charts {
		plan.Charts = append(plan.Charts, v1alpha1.PlanChart(c))
	}
	cr := &v1alpha1.Controller{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.ControllerSpec{Plans: []v1alpha1.Plan{plan}, Tenancies: tenancies},
	}
	discardAfter(t, name)
	if err := world.client.Create(t.Context(), cr); err != nil {
		t.Fatal(err)
	}
}

// text says what keeps the ConfigMap of a release from saying want.
func text(t *testing.T, namespace, release, want string) func() error {
	return func() error {
		cm, err := world.kube.CoreV1().ConfigMaps(namespace).Get(t.Context(), release+"-conf", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, cm.Data["text"]); diff != "" {
			return fmt.Errorf("the text in %s (-want +got):\n%s", namespace, diff)
		}
		return nil
	}
}

// TestPlans: an edit of a plan reaches every tenancy of it, under what the tenancy
// itself sets, and one that cannot be told fails alone.
func TestPlans(t *testing.T) {
	const name = "plans"
	op := startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")))
	own := onPlan("plans-own", "host", "b")
	own.Charts = []v1alpha1.Chart{{Settings: []v1alpha1.Setting{{Key: "text", Value: "mine"}}}, install("conf", "extra")}
	createPlanned(t, name, []v1alpha1.Chart{install("conf", "", "text", "$(host) in $(namespace)"), install("conf", "$(namespace)-2")},
		onPlan("plans-a", "host", "a"), onPlan("plans-b", "host", "b"), own)
	awaitReady(t, name)
	eventually(t, patience, text(t, "plans-a", "plans-a", "a in plans-a"))
	eventually(t, patience, text(t, "plans-b", "plans-b", "b in plans-b"))
	eventually(t, patience, text(t, "plans-own", "plans-own", "mine"))
	wantRecords(t, "plans-a", map[string]string{"plans-a.v1": "deployed", "plans-a-2.v1": "deployed"})
	wantRecords(t, "plans-own", map[string]string{"plans-own.v1": "deployed", "plans-own-2.v1": "deployed", "extra.v1": "deployed"})

	t.Run("an edit reaches all", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Plans[0].Charts[0].Settings[0].Value = "new $(host)" })
		eventually(t, patience, text(t, "plans-a", "plans-a", "new a"))
		eventually(t, patience, text(t, "plans-b", "plans-b", "new b"))
		awaitReady(t, name)
		wantRecords(t, "plans-a", map[string]string{"plans-a.v1": "superseded", "plans-a.v2": "deployed", "plans-a-2.v1": "deployed"})
		wantRecords(t, "plans-own", map[string]string{"plans-own.v1": "deployed", "plans-own-2.v1": "deployed", "extra.v1": "deployed"})
	})
	t.Run("a parameter is one text", func(t *testing.T) {
		for _, hostile := range []string{"a,b=c", "{{ .Release.Name }}", "a\nreplicas: 2", `": x`, "$(namespace)", "{a: b}", "- x"} {
			edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies[0].Params["host"] = v1alpha1.Parameter(hostile) })
			eventually(t, patience, text(t, "plans-a", "plans-a", "new "+hostile))
		}
		awaitReady(t, name)
	})
	t.Run("an unknown parameter fails its tenancy alone", func(t *testing.T) {
		const param = "param-3f9a"
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			s.Tenancies[0].Params = map[string]v1alpha1.Parameter{"hots": param}
			s.Tenancies[2].Plan = "none"
			s.Tenancies[2].Charts = s.Tenancies[2].Charts[1:]
			s.Tenancies[1].Params["host"] = "other"
		})
		eventually(t, patience, failed(t, name, "plans-a", "plans-a", `"host" (setting "text" of chart conf)`, "params"))
		eventually(t, patience, failed(t, name, "plans-own", "extra", `plan "none" is not in spec.plans`))
		eventually(t, patience, text(t, "plans-b", "plans-b", "new other"))
		cr := get(t, name)
		for _, tn := range cr.Status.Tenancies {
			if tn.Namespace != "plans-b" && (tn.Phase != v1alpha1.TenancyDegraded || !strings.Contains(tn.Message, "plan cannot be used")) {
				t.Errorf("tenancy %s is %s: %s", tn.Namespace, tn.Phase, tn.Message)
			}
		}
		if rel := find(cr, "plans-own", "plans-own"); rel == nil || rel.Phase != v1alpha1.ReleaseHeld {
			t.Errorf("a release of a plan that is gone = %+v, want it held", rel)
		}
		if out := kubectl(t, "", "get", "controller", name, "-o", "jsonpath={.status}") + op.log.String(); strings.Contains(out, param) {
			t.Error("the value of a parameter is in the status or the log")
		}
		// Nothing was taken from what cannot be told.
		wantRecords(t, "plans-own", map[string]string{"plans-own.v1": "deployed", "plans-own-2.v1": "deployed", "extra.v1": "deployed"})
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			s.Tenancies[0], s.Tenancies[2] = onPlan("plans-a", "host", "back"), own
		})
		eventually(t, patience, text(t, "plans-a", "plans-a", "new back"))
		awaitReady(t, name)
		wantRecords(t, "plans-own", map[string]string{"plans-own.v1": "deployed", "plans-own-2.v1": "deployed", "extra.v1": "deployed"})
	})
	t.Run("a chart taken out of a plan is as many removals as the plan has tenancies", func(t *testing.T) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			s.MaxRemovals = new(int32(2))
			s.Plans[0].Charts = s.Plans[0].Charts[:1]
		})
		eventually(t, patience, func() error {
			ready := meta.FindStatusCondition(get(t, name).Status.Conditions, v1alpha1.ConditionReady)
			if ready.Reason != v1alpha1.ReasonRemovalHeld || !strings.Contains(ready.Message, `confirm-removals to "3"`) {
				return fmt.Errorf("Ready = %+v, want RemovalHeld with the number 3", ready)
			}
			return nil
		})
		kubectl(t, "", "annotate", "controller", name, v1alpha1.AnnotationConfirmRemovals+"=3")
		eventually(t, patience, recorded(t, "plans-a", "plans-a-2.v1", ""))
		eventually(t, patience, recorded(t, "plans-own", "plans-own-2.v1", ""))
		awaitReady(t, name)
	})
}

// TestPlanSample: the sample of a plan is accepted and becomes ready.
func TestPlanSample(t *testing.T) {
	const name = "example-controller"
	startOperator(t, fixture.Home(t, charts))
	discardAfter(t, name)
	kubectl(t, sample(t, "plan.yaml"), "apply", "-f", "-")
	awaitReady(t, name)
	for ns, want := range map[string]int32{"bluebell": 1, "elm": 3} {
		if n := replicas(t, ns, "web-deployment-example"); n != want {
			t.Errorf("tenancy %s has %d replicas, want %d", ns, n, want)
		}
	}
}
