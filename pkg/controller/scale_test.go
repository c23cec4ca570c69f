package controller

import (
	"fmt"
	"slices"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// BenchmarkOneEdit plans an edit of one tenancy where everything is deployed: what is
// desired is known of all others, and all are compared with what there is.
func BenchmarkOneEdit(b *testing.B) {
	fixture.Growth(b, func(b *testing.B, n int) func() {
		cr := &v1alpha1.Controller{}
		cr.Name = "example"
		for i := range n {
			ns := fmt.Sprintf("school-%04d", i)
			settings := []v1alpha1.Setting{{Key: "host", Value: ns + ".example.com"}, {Key: "replicaCount", Value: "2"}}
			cr.Spec.Tenancies = append(cr.Spec.Tenancies, v1alpha1.TenancySpec{Namespace: ns, Charts: []v1alpha1.Chart{
				{ChartName: "database", ReleaseName: "db", Settings: settings},
				{ChartName: "web", ReleaseName: "web", Settings: settings, DependsOn: []string{"db"}},
			}})
		}
		d := NewDesired(&shelf{}, &found{}, "")
		var have []tenancy.Observed
		for _, t := range d.Of(cr) {
			for _, rel := range t.Releases {
				have = append(have, tenancy.Observed{
					Key: rel.Key, Controller: cr.Name, Digest: rel.Digest, Position: rel.Position, Revision: 1, Phase: tenancy.PhaseDeployed,
				})
			}
		}
		spec := cr.Spec.Tenancies
		edited := n / 2
		return func() {
			cr.Generation++
			cr.Spec.Tenancies = slices.Clone(spec)
			charts := slices.Clone(spec[edited].Charts)
			charts[1].Settings = []v1alpha1.Setting{{Key: "replicaCount", Value: fmt.Sprint(2 + cr.Generation)}}
			cr.Spec.Tenancies[edited].Charts = charts
			steps := plan.Make(plan.Facts{Controller: cr.Name, Desired: d.Of(cr), Observed: have, Ready: map[tenancy.Key]bool{have[2*edited].Key: true}})
			if len(steps) != 1 || steps[0].Action != plan.Upgrade {
				b.Fatalf("the steps are %v, want one upgrade", steps)
			}
		}
	})
}
