package main

import (
	"fmt"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestTheCulpritIsTold: the message of a release has what an on-call needs: pods that
// are not made, not scheduled, or end again and again, and why.
func TestTheCulpritIsTold(t *testing.T) {
	const name, quota, node, crash = "culprit", "culprit-quota", "culprit-node", "culprit-crash"
	picking := fixture.Deployment("picking")
	picking.Files["templates/deployment.yaml"] += "      nodeSelector: {disk: none-has-it}\n"
	startOperator(t, fixture.Home(t, charts, picking, fixture.Deployment("web")))
	kubectl(t, "", "create", "namespace", quota)
	kubectl(t, "", "create", "quota", "small", "-n", quota, "--hard=pods=0")
	create(t, name,
		tenant(quota, install("statefulset-example", "db")),
		tenant(node, install("picking", "db")),
		tenant(crash, crashing([]v1alpha1.Chart{install("web", "db")})...))
	for ns, says := range map[string][]string{
		quota: {"StatefulSet db-statefulset-example has 0 of ", "; FailedCreate: ", " Pod db-statefulset-example-0 in StatefulSet", "pods are forbidden: exceeded quota: small"},
		node:  {"Deployment db-picking has 0 of 1 pods ready; pod db-picking-", ": Unschedulable: 0/", "didn't match Pod's node affinity/selector"},
		crash: {"Deployment db-web has 0 of 1 pods ready; pod db-web-", ", container main: ", "exit code 1"},
	} {
		eventually(t, patience, func() error {
			rel := find(get(t, name), ns, "db")
			if rel == nil || rel.Ready {
				return fmt.Errorf("release %s/db = %+v, want it not ready", ns, rel)
			}
			for _, want := range says {
				if !strings.Contains(rel.Message, want) {
					return fmt.Errorf("release %s/db says %q, want %q in it", ns, rel.Message, want)
				}
			}
			return nil
		})
	}
	kubectl(t, "", "delete", "quota", "small", "-n", quota)
	eventually(t, patience, holds(t, name, quota, "db", 1))
}
