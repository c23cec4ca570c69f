package tenancy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

func TestGuardrailsFromSpec(t *testing.T) {
	rails := func(label string, allowFrom ...string) *v1alpha1.Guardrails {
		return &v1alpha1.Guardrails{
			Labels:        map[string]string{"from": label},
			NetworkPolicy: &v1alpha1.NetworkPolicy{AllowFrom: allowFrom},
		}
	}
	chart := []v1alpha1.Chart{{ChartName: "web", ReleaseName: "web"}}
	spec := v1alpha1.ControllerSpec{
		ServiceAccountName: "of-all",
		Guardrails:         rails("all"),
		Plans:              []v1alpha1.Plan{{Name: "school", Guardrails: &v1alpha1.Guardrails{Labels: map[string]string{"from": "plan"}}}},
		Tenancies: []v1alpha1.TenancySpec{
			{Namespace: "plain", Charts: chart},
			{Namespace: "school", Plan: "school", Charts: chart},
			{Namespace: "own", Charts: chart, Guardrails: &v1alpha1.Guardrails{
				NetworkPolicy:  &v1alpha1.NetworkPolicy{AllowFrom: []string{"school", "plain"}, AllowCharts: true},
				ServiceAccount: &v1alpha1.ServiceAccount{Name: "bound"},
			}},
			{Namespace: "named", Charts: chart, ServiceAccountName: "mine", Guardrails: &v1alpha1.Guardrails{
				NetworkPolicy:  &v1alpha1.NetworkPolicy{AllowFrom: []string{"plain"}},
				ServiceAccount: &v1alpha1.ServiceAccount{Name: "bound"},
			}},
		},
	}
	type shape struct {
		Label, Account  string
		AllowFrom       []string
		AllowTo         []string
		NetworkIsClosed bool
	}
	want := map[string]shape{
		"plain":  {Label: "all", Account: "of-all", AllowTo: []string{"named", "own"}, NetworkIsClosed: true},
		"school": {Label: "plan", Account: "of-all", AllowTo: []string{"own"}, NetworkIsClosed: true},
		"own":    {Label: "all", Account: "bound", AllowFrom: []string{"school", "plain"}},
		"named":  {Label: "all", Account: "mine", AllowFrom: []string{"plain"}, NetworkIsClosed: true},
	}
	got := map[string]shape{}
	all := FromSpec(spec, charts{"web": {Name: "web"}}, nil, nil)
	for _, tn := range all {
		rel := tn.Releases[len(tn.Releases)-1]
		got[tn.Namespace] = shape{
			Label: tn.Guardrails.Labels["from"], Account: rel.ServiceAccount,
			AllowFrom: tn.Guardrails.NetworkPolicy.AllowFrom, AllowTo: tn.Guardrails.AllowTo, NetworkIsClosed: rel.NetworkClosed,
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("guardrails (-want +got):\n%s", diff)
	}

	// Of tenancies that are known already, only those are other that another one reaches.
	spec.Tenancies[3].Guardrails = nil
	anew := FromSpec(spec, charts{"web": {Name: "web"}}, nil, func(t v1alpha1.TenancySpec) (Tenancy, bool) {
		for _, known := range all {
			if known.Namespace == t.Namespace && t.Namespace != "named" {
				return known, true
			}
		}
		return Tenancy{}, false
	})
	for i, tn := range anew {
		same := tn.Guardrails == all[i].Guardrails
		if want := tn.Namespace == "school" || tn.Namespace == "own"; same != want {
			t.Errorf("the guardrails of %s are the same: %v, want %v", tn.Namespace, same, want)
		}
	}
}
