package tenancy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func TestSourcesOf(t *testing.T) {
	web := v1alpha1.Chart{ChartName: "web", Repository: "shop", Version: "1.x"}
	spec := v1alpha1.ControllerSpec{
		Repositories: []v1alpha1.Repository{
			{Name: "shop", URL: "https://charts.example.com", SecretName: "key"},
			{Name: "registry", URL: "oci://registry.example.com/charts", Insecure: true},
		},
		Tenancies: []v1alpha1.TenancySpec{
			{Namespace: "a", Charts: []v1alpha1.Chart{web, {ChartName: "home"}}},
			{Namespace: "b", Charts: []v1alpha1.Chart{web, {ChartName: "web", Repository: "registry"}}},
		},
	}
	repositories, refs := tenancy.SourcesOf(spec)
	wantRepositories := []tenancy.Repository{
		{Name: "shop", URL: "https://charts.example.com", SecretName: "key"},
		{Name: "registry", URL: "oci://registry.example.com/charts", Insecure: true},
	}
	wantRefs := []tenancy.ChartRef{{Repository: "shop", Name: "web", Version: "1.x"}, {Repository: "registry", Name: "web"}}
	if diff := cmp.Diff(wantRepositories, repositories); diff != "" {
		t.Errorf("repositories (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantRefs, refs); diff != "" {
		t.Errorf("refs (-want +got):\n%s", diff)
	}
}
