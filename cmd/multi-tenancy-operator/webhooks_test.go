package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// answering is a cluster that asks the operator.
type answering struct {
	account, port, home string
}

// withWebhooks makes a cluster whose API server asks the operator at a port of this
// machine, and an operator that may answer. Charts are the examples, and one with a schema.
func withWebhooks(t *testing.T) answering {
	t.Helper()
	ownSite(t)
	_, port, err := net.SplitHostPort(freePort(t))
	if err != nil {
		t.Fatal(err)
	}
	schema := fixture.ConfigMap("strict")
	schema.Files["values.schema.json"] = `{"properties":{"text":{"type":"string","maxLength":9}}}`
	out := answering{account: accountWith(t, "rbac/charts.yaml"), port: port, home: fixture.Home(t, charts, schema, fixture.ConfigMap("conf"))}
	kubectl(t, "", "apply", "-n", "multi-tenancy", "-f", filepath.Join(root, "deploy", "webhooks", "rbac.yaml"))
	t.Setenv("POD_NAMESPACE", "multi-tenancy")
	t.Setenv("ENABLE_WEBHOOKS", "true")
	return out
}

// start starts the operator.
func (h answering) start(t *testing.T, flags ...string) *operator {
	t.Helper()
	return startOperatorAs(t, h.account, h.home, append(flags, "--webhook-port="+h.port)...)
}

// configure has the API server ask, as deploy/webhooks does but for the address.
func (h answering) configure(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "webhooks", "configurations.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	manifest := string(text)
	for _, path := range []string{"/validate-multitenancy-dev-v1alpha1-controller", "/mutate-multitenancy-dev-v1alpha1-controller"} {
		service := "      service:\n        name: multi-tenancy-operator\n        namespace: multi-tenancy\n        path: " + path + "\n"
		if !strings.Contains(manifest, service) {
			t.Fatalf("the manifest has not\n%s", service)
		}
		manifest = strings.Replace(manifest, service, "      url: https://127.0.0.1:"+h.port+path+"\n", 1)
	}
	kubectl(t, manifest, "apply", "-f", "-")
}

// asked waits until the operator answers.
func asked(t *testing.T, name string) {
	t.Helper()
	eventually(t, patience, func() error {
		return world.client.Create(t.Context(), controllerOf(name), client.DryRunAll)
	})
}

func controllerOf(name string) *v1alpha1.Controller {
	return &v1alpha1.Controller{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// load edits a Controller again and again until it is stopped, which tells how often. No
// edit may be refused.
func load(t *testing.T, name string) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			patch := fmt.Sprintf(`{"spec":{"maxRemovals":%d}}`, 10+n.Add(1))
			err := world.client.Patch(ctx, controllerOf(name), client.RawPatch(types.MergePatchType, []byte(patch)))
			if err != nil && ctx.Err() == nil {
				t.Errorf("edit %d: %v", n.Load(), err)
				return
			}
		}
	}()
	return func() int {
		cancel()
		<-done
		return int(n.Load())
	}
}

// TestWebhooks: with certificates of its own the operator refuses what cannot be meant,
// and nothing else, while they are rotated and while it is away.
func TestWebhooks(t *testing.T) {
	const name = "hooked"
	h := withWebhooks(t)
	h.configure(t)
	op := h.start(t, "--webhook-cert-validity=18s")
	asked(t, name)
	create(t, name, tenant("hooked-a", install("conf", "a")), tenant("hooked-b", install("strict", "a", "text", "short")))
	awaitReady(t, name)
	if got := get(t, name).Spec.Tenancies[0].Charts[0]; got.OnFailure != v1alpha1.FailureRetry || got.TimeoutSeconds != 300 || got.Retries == nil {
		t.Errorf("the chart is %+v, want its defaults visible", got)
	}
	refusedAtTheDoor(t, name)

	seen := map[string]bool{}
	stop := load(t, name)
	eventually(t, patience, func() error {
		secret, err := world.kube.CoreV1().Secrets("multi-tenancy").Get(t.Context(), "multi-tenancy-operator-webhook", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if seen[string(secret.Data["tls.crt"])] = true; len(seen) < 3 {
			return fmt.Errorf("%d certificates were served", len(seen))
		}
		return nil
	})
	if n := stop(); n < 50 {
		t.Errorf("%d edits were made, want more", n)
	}

	// Away, it blocks edits of the spec alone.
	op.stop()
	edit := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"maxRemovals":3}}`))
	if err := world.client.Patch(t.Context(), controllerOf(name), edit); err == nil || !strings.Contains(err.Error(), "controllers.multitenancy.dev") {
		t.Errorf("the edit ends with %v, want that the webhook cannot be reached", err)
	}
	status := client.RawPatch(types.MergePatchType, []byte(`{"status":{"observedGeneration":1}}`))
	if err := world.client.Status().Patch(t.Context(), controllerOf(name), status); err != nil {
		t.Errorf("the status cannot be written: %v", err)
	}
	kubectl(t, "", "delete", "namespace", "hooked-b", "--timeout=60s")
	h.start(t)
	eventually(t, patience, func() error { return world.client.Patch(t.Context(), controllerOf(name), edit) })
	awaitReady(t, name)
	kubectl(t, "", "delete", "controller", name, "--timeout=60s")
}

// TestWebhooksFromFiles: certificates that somebody else writes are read again when they
// change, while edits go on.
func TestWebhooksFromFiles(t *testing.T) {
	const name = "filed"
	h := withWebhooks(t)
	dir := t.TempDir()
	first, key := certificate(t)
	mount(t, dir, first, key)
	h.start(t, "--webhook-cert-dir="+dir)
	h.configure(t)
	h.trust(t, first)
	asked(t, name)
	create(t, name, tenant("filed-a", install("conf", "a")))
	awaitReady(t, name)
	stop := load(t, name)
	second, key := certificate(t)
	h.trust(t, append(first, second...))
	mount(t, dir, second, key)
	began := time.Now()
	eventually(t, 15*time.Second, func() error {
		served, _, err := cert.GetServingCertificates("127.0.0.1:"+h.port, "")
		if err != nil {
			return err
		}
		want, err := cert.ParseCertsPEM(second)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(served[0].Raw, want[0].Raw) {
			return fmt.Errorf("after %s the old certificate is served", time.Since(began))
		}
		return nil
	})
	h.trust(t, second)
	if n := stop(); n < 10 {
		t.Errorf("%d edits were made, want more", n)
	}
	if err := world.client.Create(t.Context(), controllerOf("second")); err == nil {
		t.Error("a second Controller is not refused")
	}
}

func certificate(t *testing.T) (crt, key []byte) {
	t.Helper()
	crt, key, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return crt, key
}

// mount writes files as kubelet mounts a Secret: all at once, by a link that changes.
func mount(t *testing.T, dir string, crt, key []byte) {
	t.Helper()
	data := filepath.Join(dir, "..data_"+strconv.FormatInt(time.Now().UnixNano(), 10))
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"tls.crt": crt, "tls.key": key} {
		if err := os.WriteFile(filepath.Join(data, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "..data")
	if err := os.Symlink(filepath.Base(data), link+"_tmp"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link+"_tmp", link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tls.crt", "tls.key"} {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
}

// trust tells the API server whom to trust, as cert-manager does.
func (h answering) trust(t *testing.T, bundle []byte) {
	t.Helper()
	if err := trust(t.Context(), world.kube, bundle); err != nil {
		t.Fatal(err)
	}
}
