package tenancy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func TestInventory(t *testing.T) {
	web := tenancy.Object{
		Group: "apps", Version: "v1", Resource: "deployments", Kind: "Deployment", Namespace: "a", Name: "web", Mark: "m", At: 1<<64 - 1,
	}
	role := tenancy.Object{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles", Kind: "ClusterRole", Name: "r"}
	many := make([]tenancy.Object, 5000)
	for i := range many {
		many[i] = web
	}
	cases := map[string][]tenancy.Object{
		"nothing": {}, "one": {web}, "several, in their order": {web, role, web},
	}
	for name, objects := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(objects, tenancy.ReadInventory(tenancy.Inventory(objects))); diff != "" {
				t.Errorf("the inventory (-want +got):\n%s", diff)
			}
		})
	}
	if got := tenancy.Inventory(many); got != "" {
		t.Errorf("Inventory() of %d objects has %d bytes, want none", len(many), len(got))
	}
	for _, garbage := range []string{"", "{", "{}", "7", `[{"n":7}]`, `["x"]`, "null", strings.Repeat("[", 20_000)} {
		if got := tenancy.ReadInventory(garbage); len(got) != 0 {
			t.Errorf("ReadInventory(%.20q) = %v, want none", garbage, got)
		}
	}
}

func TestTestReport(t *testing.T) {
	test := tenancy.Test{
		Request: "* 1", Phase: v1alpha1.TestFailed, Revision: 3, Finished: time.Unix(1e9, 0).UTC(), Message: "no",
	}
	if diff := cmp.Diff(test, tenancy.ReadTestReport(tenancy.TestReport(test))); diff != "" {
		t.Errorf("the report (-want +got):\n%s", diff)
	}
	if got := tenancy.TestReport(tenancy.Test{}); got != "" {
		t.Errorf("TestReport() of none = %q", got)
	}
	for _, garbage := range []string{"", "{", "[]", `{"Revision":"x"}`} {
		if got := tenancy.ReadTestReport(garbage); got != (tenancy.Test{}) {
			t.Errorf("ReadTestReport(%q) = %+v, want none", garbage, got)
		}
	}
}

func TestDriftIsToldWithoutValues(t *testing.T) {
	conf := tenancy.Object{Kind: "ConfigMap", Name: "conf"}
	web := tenancy.Object{Group: "apps", Kind: "Deployment", Name: "web"}
	for want, drift := range map[string]tenancy.Drift{
		"ConfigMap conf is missing":                                       {Object: conf, Missing: true},
		"ConfigMap conf was replaced by one that is not of this release":  {Object: conf, Foreign: true},
		"Deployment.apps web differs in metadata.labels.a, spec.replicas": {Object: web, Fields: []string{"metadata.labels.a", "spec.replicas"}},
	} {
		if got := drift.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}
