package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// operatorNamespace makes the namespace of the operator, as the first line of
// the quick start does.
func operatorNamespace(t *testing.T) {
	t.Helper()
	_, err := world.cluster.Kubectl(t.Context(), "", "create", "namespace", "multi-tenancy")
	if err != nil && !strings.Contains(err.Error(), "AlreadyExists") {
		t.Fatal(err)
	}
}

// serviceAccount makes a kubeconfig of the operator's ServiceAccount, after it
// was applied with its rights.
func serviceAccount(t *testing.T) string {
	t.Helper()
	return accountWith(t, "rbac/charts.yaml")
}

// accountWith makes one whose rights to what charts contain are in a file.
func accountWith(t *testing.T, charts string) string {
	t.Helper()
	operatorNamespace(t)
	for _, file := range []string{"rbac/service-account.yaml", "rbac/operator.yaml", "rbac/leader-election.yaml", "rbac/tenants.yaml", charts} {
		kubectl(t, "", "apply", "-n", "multi-tenancy", "-f", filepath.Join(root, "deploy", file))
	}
	return kubeconfigOf(t, "multi-tenancy", "multi-tenancy-operator")
}

// kubeconfigOf is that of a ServiceAccount.
func kubeconfigOf(t *testing.T, namespace, name string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(world.cluster.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.ClientCertificate, user.ClientCertificateData, user.ClientKey, user.ClientKeyData = "", nil, "", nil
		user.Token = strings.TrimSpace(kubectl(t, "", "create", "token", "-n", namespace, name))
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestUnderItsOwnServiceAccount: the operator does its whole job with the rights of
// deploy/rbac.
func TestUnderItsOwnServiceAccount(t *testing.T) {
	const name = "example-controller"
	account := serviceAccount(t)
	t.Setenv("POD_NAMESPACE", "multi-tenancy")
	home := fixture.Home(t, charts, fixture.Stuck("hang", "pre-install"))
	op := startOperatorAs(t, account, home, "--leader-elect")
	discardAfter(t, name)
	kubectl(t, strings.ReplaceAll(quickStart, "namespace: foo", "namespace: account"), "apply", "-f", "-")
	kubectl(t, "", "wait", "--for=condition=Ready", "controller/"+name, "--timeout=60s")
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies[0].Charts[0].Settings[0].Value = "3"
		hang := install("hang", "hang")
		hang.TimeoutSeconds = 1
		s.Tenancies = append(s.Tenancies, tenant("account-b", install("daemonset-example", ""), hang))
	})
	eventually(t, patience, func() error {
		cr := get(t, name)
		if rel := find(cr, "account", "account"); rel == nil || rel.Revision != 2 || !rel.Ready {
			return fmt.Errorf("the release that was edited = %+v", rel)
		}
		if rel := find(cr, "account-b", "account-b"); rel == nil || !rel.Ready || len(rel.Pods) != 3 {
			return fmt.Errorf("the DaemonSet's release = %+v", rel)
		}
		if rel := find(cr, "account-b", "hang"); rel == nil || rel.Phase != v1alpha1.ReleaseFailed || !strings.Contains(rel.Message, "pre-install") {
			return fmt.Errorf("the release whose hook hangs = %+v", rel)
		}
		return nil
	})
	create(t, "surplus", tenant("account-c"))
	eventually(t, patience, isGone(t, "surplus"))
	kubectl(t, "", "delete", "controller", name)
	eventually(t, patience, isGone(t, name))
	wantRecords(t, "account", map[string]string{})
	if strings.Contains(strings.ToLower(op.log.String()), "forbidden") {
		t.Errorf("something was forbidden; the log:\n%s", op.log)
	}

	for _, ask := range []string{"delete namespaces", "escalate roles", "bind clusterroles", "create clusterrolebindings", "impersonate users", "delete nodes", "update controllers", "create controllers"} {
		out, _ := world.cluster.Kubectl(t.Context(), "", append([]string{"--kubeconfig", account, "auth", "can-i"}, strings.Fields(ask)...)...)
		if strings.TrimSpace(out) != "no" {
			t.Errorf("kubectl auth can-i %s as the operator: %q, want no", ask, out)
		}
	}
}

// deployWith is a copy of deploy with components.
func deployWith(t *testing.T, components ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "deploy")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "deploy"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "kustomization.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "components:\n"...)
	for _, c := range components {
		text = append(text, "  - "+c+"\n"...)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestDeployApplies(t *testing.T) {
	operatorNamespace(t)
	deploy := filepath.Join(root, "deploy")
	less, asked := deployWith(t, "impersonation"), deployWith(t, "webhooks")
	const charts, instead = "clusterrolebinding.rbac.authorization.k8s.io/multi-tenancy-operator-charts ", "multi-tenancy-operator-impersonation "
	base := []string{"customresourcedefinition", "serviceaccount", "clusterrole", "rolebinding", "deployment.apps/multi-tenancy-operator"}
	for dir, prints := range map[string]struct {
		what []string
		not  string
	}{
		deploy:                            {append(slices.Clone(base), charts), instead},
		less:                              {append(slices.Clone(base), instead), charts},
		asked:                             {append(slices.Clone(base), "service/multi-tenancy-operator", "validatingwebhookconfiguration", "mutatingwebhookconfiguration"), instead},
		filepath.Join(deploy, "policies"): {[]string{"multi-tenancy-release-records", "multi-tenancy-tenancies"}, charts},
	} {
		out := kubectl(t, "", "apply", "-k", dir, "--dry-run=server")
		for _, want := range prints.what {
			if !strings.Contains(out, want) {
				t.Errorf("kubectl apply -k %s prints no %s:\n%s", dir, want, out)
			}
		}
		if strings.Contains(out, prints.not) {
			t.Errorf("kubectl apply -k %s prints %s:\n%s", dir, prints.not, out)
		}
	}
	// There is no cert-manager here to know its kinds.
	out := kubectl(t, "", "kustomize", deployWith(t, "webhooks", "webhooks-cert-manager"))
	for want, times := range map[string]int{
		"--webhook-cert-dir=/certificates": 1, "secretName: multi-tenancy-operator-webhook-tls": 2,
		"cert-manager.io/inject-ca-from: multi-tenancy/multi-tenancy-operator-webhook": 2, "kind: Certificate": 1,
	} {
		if n := strings.Count(out, want); n != times {
			t.Errorf("kubectl kustomize prints %q %d times, want %d", want, n, times)
		}
	}
}

func TestEndpoints(t *testing.T) {
	probes, metrics := freePort(t), freePort(t)
	startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")),
		"--health-probe-bind-address="+probes, "--metrics-bind-address="+metrics)
	for _, url := range []string{"http://" + probes + "/healthz", "http://" + probes + "/readyz", "http://" + metrics + "/metrics"} {
		eventually(t, patience, func() error {
			answer, err := http.Get(url) //nolint:noctx // the test ends with its patience
			if err != nil {
				return err
			}
			defer func() { _ = answer.Body.Close() }()
			body, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != http.StatusOK || len(body) == 0 {
				return fmt.Errorf("%s answers %s with %d bytes (%w)", url, answer.Status, len(body), err)
			}
			return nil
		})
	}
}

// TestMetrics: operations are counted, and no name a user chose is a label.
func TestMetrics(t *testing.T) {
	const name = "metrics"
	address := freePort(t)
	startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")), "--metrics-bind-address="+address)
	create(t, name, tenant("tenant-4711", install("conf", ""), install("conf", "second"), install("missing", "third")))
	eventually(t, patience, func() error {
		answer, err := http.Get("http://" + address + "/metrics") //nolint:noctx // the test ends with its patience
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		for _, want := range []string{
			`multitenancy_operations_total{action="install",result="success"} 2`,
			`multitenancy_operation_duration_seconds_count{action="install"} 2`,
			`multitenancy_things{kind="release",state="total"} 3`,
			`multitenancy_things{kind="release",state="failed"} 1`,
			`multitenancy_queue_waiting 0`,
			`multitenancy_queue_running 0`,
			`multitenancy_render_duration_seconds_count{stage="chart"} 2`,
			`multitenancy_render_duration_seconds_count{stage="templates"} 2`,
			`multitenancy_status_writes_total{kind="Controller",outcome="ok"}`,
			`multitenancy_status_writes_total{kind="Tenancy",outcome="ok"}`,
			`multitenancy_status_patch_bytes_total{kind="Controller"}`,
			`multitenancy_controller_status_bytes 1`, // a thousand and some
			`multitenancy_status_omitted{kind="tenancy"} 0`,
			`multitenancy_watch_events_total{resource="configmaps"} 2`, // of drift, of whatever Helm manages
			`multitenancy_watch_events_total{resource="controllers.multitenancy.dev"}`,
			`multitenancy_watches_total{resource="pods",start="list"} 1`,
			`multitenancy_watches_total{resource="tenancies.multitenancy.dev",start="list"} 1`,
		} {
			if !strings.Contains(string(body), want) {
				return fmt.Errorf("the metrics have no %s", want)
			}
		}
		if strings.Contains(string(body), "tenant-4711") {
			t.Error("the name of a tenancy is in the metrics")
		}
		return nil
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
