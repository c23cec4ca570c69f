package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/zapr"
	"go.uber.org/zap"
	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/localcluster"
)

// world is what all tests of this package share: one local cluster, and the
// operator as a binary built with the race detector.
var world struct {
	site
	operator string
	helm     string
}

// site is a local cluster with the CRD, and its clients.
type site struct {
	cluster *localcluster.Cluster
	client  client.WithWatch
	kube    *kubernetes.Clientset
}

const root = "../.."

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the tests need a local cluster and the operator:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "operator-test-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctrl.SetLogger(zapr.NewLogger(zap.NewNop())) // of the clients

	if world.site, err = newSite(ctx); err != nil {
		return 1, err
	}
	defer func() {
		if stop := world.cluster.Stop(); err == nil {
			err = stop
		}
	}()
	world.operator = filepath.Join(dir, "multi-tenancy-operator")
	if out, err := exec.CommandContext(ctx, "go", "build", "-race", "-o", world.operator, ".").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the operator: %w: %s", err, out)
	}
	out, err := exec.CommandContext(ctx, "go", "tool", "-n", "helm").Output()
	if err != nil {
		return 1, fmt.Errorf("build helm: %w", err)
	}
	world.helm = strings.TrimSpace(string(out))
	return m.Run(), nil
}

// newSite starts a local cluster, whose API server has these flags beside its own. The
// caller must stop it.
func newSite(ctx context.Context, flags ...string) (s site, err error) {
	if s.cluster, err = localcluster.Start(ctx, localcluster.Options{APIServerFlags: flags}); err != nil {
		return s, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.cluster.Stop())
		}
	}()
	if s.client, err = client.NewWithWatch(s.cluster.RESTConfig(), client.Options{Scheme: scheme()}); err != nil {
		return s, err
	}
	if s.kube, err = kubernetes.NewForConfig(s.cluster.RESTConfig()); err != nil {
		return s, err
	}
	if _, err = s.cluster.Kubectl(ctx, "", "apply", "-f", filepath.Join(root, "deploy", "crd")); err != nil {
		return s, err
	}
	_, err = s.cluster.Kubectl(ctx, "", "wait", "--for=condition=Established",
		"crd/controllers.multitenancy.dev", "crd/tenancies.multitenancy.dev")
	return s, err
}

// ownSite gives a test a local cluster of its own, in place of the one that all
// share, until its end. No test of this package runs beside another one.
func ownSite(t *testing.T, flags ...string) {
	t.Helper()
	own, err := newSite(t.Context(), flags...)
	if err != nil {
		t.Fatal(err)
	}
	shared := world.site
	world.site = own
	t.Cleanup(func() {
		world.site = shared
		if err := own.cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
}
