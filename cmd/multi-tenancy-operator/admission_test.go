package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// TestAdmission: what is wrong by its form is refused at kubectl apply, with a
// message that names the field, fault rows 36 and 66.
func TestAdmission(t *testing.T) {
	tenancies := func(yaml string) string {
		return "apiVersion: multitenancy.dev/v1alpha1\nkind: Controller\nmetadata:\n  name: admission\nspec:\n  tenancies:\n" + yaml
	}
	chart := func(yaml string) string {
		return tenancies("  - namespace: foo\n    charts:\n" + yaml)
	}
	var many strings.Builder
	many.WriteString("    - chartName: web\n      settings:\n")
	for i := range 10_000 {
		fmt.Fprintf(&many, "      - {key: k%d, value: \"1\"}\n", i)
	}
	long := strings.Repeat("n", 60)
	cases := map[string]struct {
		yaml string
		says []string
	}{
		"no namespace":    {tenancies("  - charts: []\n"), []string{"spec.tenancies[0].namespace", "Required"}},
		"no DNS label":    {tenancies("  - namespace: Foo_Bar\n"), []string{"spec.tenancies[0].namespace", "should match"}},
		"a dotted label":  {tenancies("  - namespace: foo.bar\n"), []string{"spec.tenancies[0].namespace"}},
		"too long":        {tenancies("  - namespace: " + strings.Repeat("n", 64) + "\n"), []string{"spec.tenancies[0].namespace"}},
		"a system's":      {tenancies("  - namespace: kube-system\n"), []string{"spec.tenancies[0].namespace", "belong to the cluster"}},
		"a tenancy twice": {tenancies("  - namespace: foo\n  - namespace: foo\n"), []string{"spec.tenancies[1]", "Duplicate"}},
		"two without a releaseName": {
			chart("    - chartName: a\n    - chartName: b\n"), []string{"spec.tenancies[0].charts[1]", "Duplicate"},
		},
		"a releaseName twice": {
			chart("    - {chartName: a, releaseName: x}\n    - {chartName: b, releaseName: x}\n"),
			[]string{"spec.tenancies[0].charts[1]", "Duplicate"},
		},
		"a releaseName like the namespace beside none": {
			chart("    - {chartName: a, releaseName: foo}\n    - {chartName: b}\n"),
			[]string{"spec.tenancies[0]", "same effective release name"},
		},
		"a releaseName over 53": {
			chart("    - {chartName: a, releaseName: " + strings.Repeat("r", 54) + "}\n"),
			[]string{"spec.tenancies[0].charts[0].releaseName", "53"},
		},
		"no releaseName in a namespace over 53": {
			tenancies("  - namespace: " + long + "\n    charts: [{chartName: a}]\n"),
			[]string{"spec.tenancies[0]", "releaseName is required"},
		},
		"a bad releaseName":  {chart("    - {chartName: a, releaseName: A_b}\n"), []string{"charts[0].releaseName"}},
		"no chartName":       {chart("    - {releaseName: x}\n"), []string{"spec.tenancies[0].charts", "Required", "chartName is required"}},
		"a path as a chart":  {chart("    - chartName: ../../etc/passwd\n"), []string{"charts[0].chartName"}},
		"another path":       {chart("    - chartName: a/b\n"), []string{"charts[0].chartName"}},
		"dots as a chart":    {chart("    - chartName: \"..\"\n"), []string{"charts[0].chartName"}},
		"a negative timeout": {chart("    - {chartName: a, timeoutSeconds: -1}\n"), []string{"charts[0].timeoutSeconds"}},
		"no timeout":         {chart("    - {chartName: a, timeoutSeconds: 0}\n"), []string{"charts[0].timeoutSeconds"}},
		"a duration":         {chart("    - {chartName: a, timeoutSeconds: 1y}\n"), []string{"charts[0].timeoutSeconds"}},
		"too many settings":  {chart(many.String()), []string{"charts[0].settings", "256"}},
		"a setting without key": {
			chart("    - {chartName: a, settings: [{value: x}]}\n"), []string{"charts[0].settings[0].key", "Required"},
		},
		"a huge value": {
			chart("    - {chartName: a, settings: [{key: k, value: \"" + strings.Repeat("v", 20_000) + "\"}]}\n"),
			[]string{"charts[0].settings[0].value"},
		},
		"a setting's unknown type": {
			chart("    - {chartName: a, settings: [{key: k, value: x, type: int}]}\n"), []string{"charts[0].settings[0].type"},
		},
		"values that are no map": {chart("    - {chartName: a, values: [1]}\n"), []string{"charts[0].values"}},
		"an unknown field":       {chart("    - {chartName: a, setings: []}\n"), []string{"setings"}},
		"an unknown policy": {
			tenancies("    []\n") + "  deletionPolicy: Never\n", []string{"spec.deletionPolicy"},
		},
		"params without a plan":        {tenancies("  - {namespace: foo, params: {a: b}}\n"), []string{"spec.tenancies[0]", "names no plan"}},
		"a parameter called namespace": {tenancies("  - {namespace: foo, plan: p, params: {namespace: b}}\n"), []string{"spec.tenancies[0].params", "always the namespace"}},
		"a parameter's name":           {tenancies("  - {namespace: foo, plan: p, params: {a b: c}}\n"), []string{"spec.tenancies[0].params", "the name of a parameter"}},
		"a huge parameter": {
			tenancies("  - {namespace: foo, plan: p, params: {a: " + strings.Repeat("v", 5000) + "}}\n"), []string{"spec.tenancies[0].params.a", "4096"},
		},
		"a parameter that is no text": {tenancies("  - {namespace: foo, plan: p, params: {a: 1}}\n"), []string{"spec.tenancies[0].params.a", "string"}},
		"a plan twice":                {tenancies("    []\n") + "  plans: [{name: p}, {name: p}]\n", []string{"spec.plans[1]", "Duplicate"}},
		"a plan's name":               {tenancies("    []\n") + "  plans: [{name: P_1}]\n", []string{"spec.plans[0].name"}},
		"a plan's chart without chartName": {
			tenancies("    []\n") + "  plans: [{name: p, charts: [{releaseName: x}]}]\n", []string{"spec.plans[0].charts[0].chartName", "Required"},
		},
		"a plan's release twice": {
			tenancies("    []\n") + "  plans: [{name: p, charts: [{chartName: a}, {chartName: b}]}]\n", []string{"spec.plans[0].charts[1]", "Duplicate"},
		},
		"a long name": {
			strings.Replace(tenancies("    []\n"), "name: admission", "name: "+strings.Repeat("n", 64), 1), []string{"metadata.name"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := world.cluster.Kubectl(t.Context(), tc.yaml, "apply", "--dry-run=server", "-f", "-")
			if err == nil {
				t.Fatal("it was accepted")
			}
			for _, want := range tc.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the message is %q, want %q in it", err, want)
				}
			}
		})
	}
	t.Run("a namespace of 60 with a releaseName is fine", func(t *testing.T) {
		kubectl(t, tenancies("  - namespace: "+long+"\n    charts: [{chartName: a, releaseName: x}]\n"), "apply", "--dry-run=server", "-f", "-")
	})
	t.Run("a plan and what is laid over it is fine", func(t *testing.T) {
		kubectl(t, tenancies("  - {namespace: foo, plan: p, params: {a-b.c_d: \"1\"}, charts: [{settings: [{key: a, value: b}]}]}\n")+
			"  plans: [{name: p, charts: [{chartName: $(a-b.c_d), releaseName: $(namespace)-x, dependsOn: [$(x)]}]}]\n", "apply", "--dry-run=server", "-f", "-")
	})
}

// TestFiveThousandTenanciesOnAPlan: they are accepted within the cost of the rules, and
// their spec is under half of what one object may have.
func TestFiveThousandTenanciesOnAPlan(t *testing.T) {
	cr := v1alpha1.Controller{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Controller"},
		ObjectMeta: metav1.ObjectMeta{Name: "many"},
		Spec:       v1alpha1.ControllerSpec{Plans: []v1alpha1.Plan{{Name: "school", Charts: []v1alpha1.PlanChart{{ChartName: "web"}}}}},
	}
	for i := range 5000 {
		ns := fmt.Sprintf("school-%04d", i)
		cr.Spec.Tenancies = append(cr.Spec.Tenancies, onPlan(ns, "host", ns+".example.com"))
	}
	spec, err := json.Marshal(cr.Spec)
	if err != nil || len(spec) > 512<<10 {
		t.Errorf("the spec has %d bytes (%v), want at most 512 KiB", len(spec), err)
	}
	if err := world.client.Create(t.Context(), &cr, client.DryRunAll); err != nil {
		t.Errorf("it is refused: %v", err)
	}
}
