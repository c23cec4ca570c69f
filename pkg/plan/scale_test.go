package plan_test

import (
	"fmt"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// everyChart is a chart home that has whatever is asked for.
type everyChart struct{}

func (everyChart) Find(ref tenancy.ChartRef) (tenancy.Chart, error) {
	return tenancy.Chart{Name: ref.Name, Version: "1.0.0", Digest: "d"}, nil
}

// schools is a spec of n tenancies with two charts each, written out or by a plan.
func schools(n int, byPlan bool) v1alpha1.ControllerSpec {
	charts := func(host string) []v1alpha1.PlanChart {
		return []v1alpha1.PlanChart{
			{ChartName: "database", ReleaseName: "db", Values: &apiextensionsv1.JSON{Raw: []byte(`{"storage":{"size":"10Gi"},"name":"` + host + `"}`)}},
			{
				ChartName: "moodle", DependsOn: []string{"db"},
				Values: &apiextensionsv1.JSON{Raw: []byte(`{"ingress":{"enabled":true,"hosts":[{"host":"` + host + `","paths":["/"]}]},"resources":{"requests":{"cpu":"100m"}}}`)},
				Settings: []v1alpha1.Setting{
					{Key: "host", Value: host}, {Key: "replicaCount", Value: "2"}, {Key: "image.tag", Value: "4.10", Type: v1alpha1.SettingString},
				},
			},
		}
	}
	spec := v1alpha1.ControllerSpec{}
	if byPlan {
		spec.Plans = []v1alpha1.Plan{{Name: "school", Charts: charts("$(host)")}}
	}
	for i := range n {
		t := v1alpha1.TenancySpec{Namespace: fmt.Sprintf("school-%04d", i)}
		host := t.Namespace + ".example.com"
		if byPlan {
			t.Plan, t.Params = "school", map[string]v1alpha1.Parameter{"host": v1alpha1.Parameter(host)}
		} else {
			for _, c := range charts(host) {
				t.Charts = append(t.Charts, v1alpha1.Chart(c))
			}
		}
		spec.Tenancies = append(spec.Tenancies, t)
	}
	return spec
}

// TestPlansMeanWhatIsWrittenOut: a plan makes the very releases, and so no new revision.
func TestPlansMeanWhatIsWrittenOut(t *testing.T) {
	of := func(byPlan bool) map[tenancy.Key]string {
		out := map[tenancy.Key]string{}
		for _, tn := range tenancy.FromSpec(schools(3, byPlan), everyChart{}, nil, nil) {
			for _, rel := range tn.Releases {
				if rel.Err != nil {
					t.Fatal(rel.Err)
				}
				out[rel.Key] = fmt.Sprint(rel.Digest, rel.Position, rel.DependsOn, rel.Timeout, rel.Retries)
			}
		}
		return out
	}
	written, planned := of(false), of(true)
	if len(written) != 6 {
		t.Errorf("%d releases, want 6", len(written))
	}
	for key, want := range written {
		if planned[key] != want {
			t.Errorf("release %s is %s by the plan and %s written out", key, planned[key], want)
		}
	}
}

// BenchmarkFromScratch plans everything for tenancies of which nothing is installed.
func BenchmarkFromScratch(b *testing.B) {
	for _, byPlan := range []bool{false, true} {
		b.Run(map[bool]string{false: "written", true: "plan"}[byPlan], func(b *testing.B) {
			fixture.Growth(b, func(b *testing.B, n int) func() {
				spec := schools(n, byPlan)
				return func() {
					steps := plan.Make(plan.Facts{Controller: owner, Desired: tenancy.FromSpec(spec, everyChart{}, nil, nil)})
					if len(steps) != 2*n {
						b.Fatalf("%d steps, want %d", len(steps), 2*n)
					}
				}
			})
		})
	}
}
