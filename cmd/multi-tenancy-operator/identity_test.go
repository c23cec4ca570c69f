package main

import (
	"errors"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// deployer is a ServiceAccount that may write ConfigMaps and nothing else.
const deployer = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployer}
rules:
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get, list, create, patch, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}
subjects: [{kind: ServiceAccount, name: deployer}]
`

// TestReleasesRunAsTheServiceAccount: a chart can do no more than the ServiceAccount of
// its tenancy, and nothing while there is none, fault row 130.
func TestReleasesRunAsTheServiceAccount(t *testing.T) {
	const name = "identity"
	secret := holding("secret", "templates/secret.yaml", object("v1", "Secret", "{{ .Release.Name }}"))
	looking := holding("looking", "templates/found.yaml", looks("v1", "Secret", "identity", "mine"))
	op := startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf"), secret, looking), "--default-service-account=deployer")
	create(t, name, tenant(name, install("conf", "a", "text", "one")))
	eventually(t, patience, failed(t, name, name, "a", "make ServiceAccount deployer in namespace identity"))
	if got := texts(t, name); got["a-conf"] != "" {
		t.Errorf("there are %v before the ServiceAccount", got)
	}

	kubectl(t, deployer, "apply", "-n", name, "-f", "-")
	nudge(t, name)
	eventually(t, patience, holds(t, name, name, "a", 1))
	kubectl(t, "", "create", "secret", "generic", "mine", "-n", name, "--from-literal=password=canary")
	rechart(t, name, name, func(all []v1alpha1.Chart) []v1alpha1.Chart {
		return append(all, install("secret", "b"), install("looking", "c"))
	})
	eventually(t, patience, failed(t, name, name, "b", "secrets", "forbidden", "system:serviceaccount:identity:deployer"))
	eventually(t, patience, failed(t, name, name, "c", "secrets", "forbidden"))

	set(t, name, name, "text", "two")
	eventually(t, patience, holds(t, name, name, "a", 2))
	kubectl(t, "", "patch", "configmap", "a-conf", "-n", name, "--type=merge", "-p", `{"data":{"text":"theirs"}}`)
	eventually(t, patience, func() error {
		if got := texts(t, name)["a-conf"]; got != "two" {
			return errors.New("the ConfigMap says " + got)
		}
		return nil
	})

	// Without the account nothing is done, removals neither, until the namespace goes.
	kubectl(t, "", "delete", "serviceaccount", "deployer", "-n", name)
	rechart(t, name, name, without)
	eventually(t, patience, func() error {
		if text := op.log.String(); !strings.Contains(text, "make ServiceAccount deployer in namespace identity") || !strings.Contains(text, `"action":"uninstall"`) {
			return errors.New("the log tells of no uninstall that was refused")
		}
		return nil
	})
	if got := texts(t, name)["a-conf"]; got != "two" {
		t.Errorf("the ConfigMap says %q after an uninstall that was refused", got)
	}
	kubectl(t, deployer, "apply", "-n", name, "-f", "-")
	nudge(t, name)
	eventually(t, patience, func() error {
		if got := records(t, name); len(got) > 0 {
			return errors.New("records are left")
		}
		return nil
	})
}

// TestWithLessRights: with deploy/impersonation the operator does its whole job as the
// ServiceAccounts of tenancies, and may itself write nothing that charts contain but Secrets.
func TestWithLessRights(t *testing.T) {
	ownSite(t)
	const name = "less"
	account := accountWith(t, "impersonation/rbac.yaml")
	t.Setenv("POD_NAMESPACE", "multi-tenancy")
	for _, command := range []string{
		"create namespace less", "create serviceaccount tenant -n less",
		"create rolebinding tenant -n less --clusterrole=multi-tenancy-tenant --serviceaccount=less:tenant",
	} {
		kubectl(t, "", strings.Fields(command)...)
	}
	op := startOperatorAs(t, account, fixture.Home(t, charts), "--default-service-account=tenant")
	create(t, name, tenant(name, install("deployment-example", "web"), install("statefulset-example", "store")))
	awaitReady(t, name)
	set(t, name, name, "replicaCount", "3")
	eventually(t, patience, holds(t, name, name, "web", 2))
	if got := replicas(t, name, "web-deployment-example"); got != 3 {
		t.Errorf("the Deployment has %d replicas, want 3", got)
	}
	kubectl(t, "", "delete", "service", "web-deployment-example", "-n", name)
	eventually(t, patience, func() error {
		if kubectl(t, "", "get", "service", "web-deployment-example", "-n", name, "--ignore-not-found") == "" {
			return errors.New("the Service that somebody deleted is not back")
		}
		return nil
	})
	kubectl(t, "", "delete", "controller", name)
	eventually(t, patience, isGone(t, name))
	wantRecords(t, name, map[string]string{})
	if strings.Contains(strings.ToLower(op.log.String()), "forbidden") {
		t.Errorf("something was forbidden; the log:\n%s", op.log)
	}
	for _, ask := range []string{"create deployments", "create pods", "delete services", "create roles", "bind clusterroles", "impersonate users"} {
		out, _ := world.cluster.Kubectl(t.Context(), "", append([]string{"--kubeconfig", account, "auth", "can-i"}, strings.Fields(ask)...)...)
		if strings.TrimSpace(out) != "no" {
			t.Errorf("kubectl auth can-i %s as the operator: %q, want no", ask, out)
		}
	}
}
