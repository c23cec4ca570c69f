package main

import (
	"path/filepath"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestPolicies: with deploy/policies nobody but the operator writes its records and
// Tenancy objects, the operator does its whole job, and a namespace can be deleted.
func TestPolicies(t *testing.T) {
	ownSite(t)
	const name = "policies"
	account := serviceAccount(t)
	kubectl(t, "", "apply", "-k", filepath.Join(root, "deploy", "policies"))
	t.Setenv("POD_NAMESPACE", "multi-tenancy")
	startOperatorAs(t, account, fixture.Home(t, "", fixture.ConfigMap("conf")))
	create(t, name, tenant(name, install("conf", "a", "text", "one")), tenant("policies-b", install("conf", "a")))
	awaitReady(t, name)
	kubectl(t, "", "create", "rolebinding", "tenant", "-n", name, "--clusterrole=cluster-admin", "--user=tenant")

	const record, mirror = "secret/sh.helm.release.v1.a.v1", "tenancy/policies"
	forged := object("v1", "Secret", "sh.helm.release.v1.b.v1", "labels: {owner: helm}")
	for what, try := range map[string]struct {
		stdin string
		args  []string
	}{
		"changes a record":             {args: []string{"label", record, "status=failed", "--overwrite"}},
		"takes our label off a record": {args: []string{"label", record, "multitenancy.dev/controller-"}},
		"deletes a record":             {args: []string{"delete", record}},
		"makes a record":               {stdin: forged, args: []string{"create", "-f", "-"}},
		"changes a Tenancy":            {args: []string{"annotate", mirror, "a=b"}},
		"changes the status of one":    {args: []string{"patch", mirror, "--subresource=status", "--type=merge", "-p", `{"status":{"phase":"Degraded"}}`}},
		"deletes a Tenancy":            {args: []string{"delete", mirror}},
	} {
		t.Run(what, func(t *testing.T) {
			out, err := world.cluster.Kubectl(t.Context(), try.stdin, append(try.args, "-n", name, "--as=tenant")...)
			if err == nil || !strings.Contains(err.Error(), "written by the multi-tenancy operator alone") {
				t.Errorf("who %s is answered %q, %v, want it refused by the policy", what, out, err)
			}
		})
	}
	if _, err := world.cluster.Kubectl(t.Context(), "", "create", "secret", "generic", "mine", "-n", name, "--as=tenant"); err != nil {
		t.Errorf("a Secret that is no record: %v", err)
	}

	set(t, name, name, "text", "two")
	eventually(t, patience, holds(t, name, name, "a", 2))
	kubectl(t, "", "delete", "namespace", "policies-b", "--wait=false")
	eventually(t, patience, holds(t, name, "policies-b", "a", 1)) // it goes, and is made anew
	kubectl(t, "", "delete", "controller", name)
	eventually(t, patience, isGone(t, name))
	wantRecords(t, name, map[string]string{})
}
