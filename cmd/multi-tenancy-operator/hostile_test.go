package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestHostileCharts: a chart reaches nothing that is not its tenancy's, and the release
// says what was refused, fault rows 111, 112, 115 and 117. Nothing of such a chart is
// applied.
func TestHostileCharts(t *testing.T) {
	const name = "hostile"
	var asked atomic.Int32
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer canary.Close()
	all := tries(canary.URL)
	charts := []fixture.Chart{fixture.ConfigMap("conf")}
	// The tries of two tenants, so that a lane is not all of them.
	tenants := []v1alpha1.TenancySpec{tenant("mallory"), tenant("trudy")}
	of := func(i int) *v1alpha1.TenancySpec { return &tenants[i*len(tenants)/len(all)] }
	for i, try := range all {
		charts = append(charts, try.chart)
		owner := of(i)
		owner.Charts = append(owner.Charts, install(try.chart.Name, try.chart.Name))
	}
	startOperator(t, fixture.Home(t, "", charts...))
	create(t, name, append(tenants, tenant("victim", install("conf", "a")))...)
	eventually(t, patience, holds(t, name, "victim", "a", 1))
	kubectl(t, "", "create", "secret", "generic", "canary", "-n", "victim", "--from-literal=password=canary-of-the-victim")

	for i, try := range all {
		t.Run(try.chart.Name, func(t *testing.T) {
			eventually(t, patience, failed(t, name, of(i).Namespace, try.chart.Name, try.says))
		})
	}
	for _, tenant := range tenants {
		if got := records(t, tenant.Namespace); len(got) > 0 {
			t.Errorf("%s has records: %v", tenant.Namespace, got)
		}
		for object := range texts(t, tenant.Namespace) {
			if object != "kube-root-ca.crt" {
				t.Errorf("ConfigMap %s of %s was made of a chart that is refused", object, tenant.Namespace)
			}
		}
	}
	const kinds = "configmaps,secrets,tenancies,clusterrolebindings,clusterroles,namespaces,persistentvolumes,priorityclasses,apiservices,controllers"
	for object := range strings.FieldsSeq(kubectl(t, "", "get", kinds, "-A", "-o", "name")) {
		if strings.HasSuffix(object, "taken") || strings.Contains(object, ".taken.") {
			t.Errorf("%s was made", object)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the URL of a schema was asked for %d times", n)
	}
	if err := holds(t, name, "victim", "a", 1)(); err != nil {
		t.Error(err)
	}
}

// TestHostileCRDs: the crds directory is no way round the gate, fault row 114.
func TestHostileCRDs(t *testing.T) {
	const name = "hostile-crds"
	definition := strings.ReplaceAll(crd, "hands.example.com", "hostile.example.com")
	files := map[string]struct{ text, says string }{
		"definition": {definition, "CustomResourceDefinition widgets.hostile.example.com is cluster-scoped"},
		"binding":    {object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "taken"), "only CustomResourceDefinitions belong into crds"},
		"elsewhere":  {object("v1", "ConfigMap", "taken", "namespace: victim"), "only CustomResourceDefinitions belong into crds"},
	}
	var charts []fixture.Chart
	attacker := tenant(name)
	for chart, file := range files {
		charts = append(charts, holding(chart, "crds/taken.yaml", file.text))
		c := install(chart, chart)
		c.CRDs = v1alpha1.CRDsCreateReplace
		attacker.Charts = append(attacker.Charts, c)
	}
	startOperator(t, fixture.Home(t, "", charts...))
	create(t, name, attacker)
	for chart, file := range files {
		eventually(t, patience, failed(t, name, name, chart, file.says))
	}
	if got := kubectl(t, "", "get", "crd", "widgets.hostile.example.com", "--ignore-not-found"); got != "" {
		t.Errorf("there is a CustomResourceDefinition of a chart that is refused:\n%s", got)
	}
}

// TestAllowedClusterKinds: a cluster-scoped kind is for the tenancies that may have it,
// one object of it for one of them, and goes with its release even when the tenancy may
// not have it any more; what is refused is tried as soon as it is allowed.
func TestAllowedClusterKinds(t *testing.T) {
	const name = "kinds"
	role := holding("role", "templates/role.yaml", object("rbac.authorization.k8s.io/v1", "ClusterRole", "{{ .Release.Name }}")+"rules: []\n")
	looking := holding("looking", "templates/found.yaml", looks("rbac.authorization.k8s.io/v1", "ClusterRole", "", "shared-role"))
	startOperator(t, fixture.Home(t, "", role, looking))
	clusterRole := []v1alpha1.ClusterKind{{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}}
	create(t, name, tenant("kinds-one", install("role", "shared-role")), tenant("kinds-two", install("role", "shared-role")))
	for _, ns := range []string{"kinds-one", "kinds-two"} {
		eventually(t, patience, failed(t, name, ns, "shared-role", "ClusterRole shared-role is cluster-scoped"))
	}

	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies[0].AllowedClusterKinds = clusterRole })
	eventually(t, patience, holds(t, name, "kinds-one", "shared-role", 1))
	eventually(t, patience, failed(t, name, "kinds-two", "shared-role", "ClusterRole shared-role is cluster-scoped"))

	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies[0].AllowedClusterKinds, s.AllowedClusterKinds = nil, clusterRole
	})
	eventually(t, patience, failed(t, name, "kinds-two", "shared-role", `ClusterRole "shared-role"`, "exists and cannot be imported", "kinds-one"))
	rechart(t, name, "kinds-two", func([]v1alpha1.Chart) []v1alpha1.Chart { return []v1alpha1.Chart{install("role", "other-role")} })
	eventually(t, patience, holds(t, name, "kinds-two", "other-role", 1))

	add(t, name, tenant("kinds-three", install("looking", "a")))
	eventually(t, patience, holds(t, name, "kinds-three", "a", 1))

	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.AllowedClusterKinds = nil; s.Tenancies = s.Tenancies[1:] })
	eventually(t, patience, func() error {
		left, err := world.kube.RbacV1().ClusterRoles().List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=Helm"})
		if err != nil {
			return err
		}
		for _, role := range left.Items {
			if role.Name == "shared-role" {
				return fmt.Errorf("ClusterRole %s is left", role.Name)
			}
		}
		return nil
	})
}
