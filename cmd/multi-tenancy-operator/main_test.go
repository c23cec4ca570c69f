package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/localcluster"
)

// world is what all tests of this package share: one local cluster with the
// CRD, and the operator as a binary built with the race detector.
var world struct {
	cluster  *localcluster.Cluster
	client   client.WithWatch
	kube     *kubernetes.Clientset
	operator string
	helm     string
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

	world.cluster, err = localcluster.Start(ctx, localcluster.Options{})
	if err != nil {
		return 1, err
	}
	defer func() {
		if stop := world.cluster.Stop(); err == nil {
			err = stop
		}
	}()
	if world.client, err = client.NewWithWatch(world.cluster.RESTConfig(), client.Options{Scheme: scheme()}); err != nil {
		return 1, err
	}
	if world.kube, err = kubernetes.NewForConfig(world.cluster.RESTConfig()); err != nil {
		return 1, err
	}
	if _, err := world.cluster.Kubectl(ctx, "", "apply", "-f", filepath.Join(root, "deploy", "crd")); err != nil {
		return 1, err
	}
	if _, err := world.cluster.Kubectl(ctx, "", "wait", "--for=condition=Established",
		"crd/controllers.multitenancy.dev", "crd/tenancies.multitenancy.dev"); err != nil {
		return 1, err
	}
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
