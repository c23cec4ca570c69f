package localcluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"multitenancy.dev/multi-tenancy-operator/pkg/localcluster"
)

const failing = "pod-container-running-failed.stage.kwok.x-k8s.io"

var all = []string{localcluster.Etcd, localcluster.APIServer, localcluster.ControllerManager, localcluster.Scheduler, localcluster.KWOK}

func TestWorkloads(t *testing.T) {
	for _, pods := range []string{"fast", "general"} {
		t.Run(pods, func(t *testing.T) {
			t.Parallel()
			cluster := start(t, localcluster.Options{Pods: pods})
			client := clientFor(t, cluster)
			if _, err := client.AppsV1().Deployments("default").Create(t.Context(), deployment("web"), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			if _, err := client.AppsV1().StatefulSets("default").Create(t.Context(), statefulSet("db"), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			await(t, "Deployment web to have 3 replicas available", func(ctx context.Context) error {
				got, err := client.AppsV1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
				return wantCount(got.Status.AvailableReplicas, 3, err)
			})
			await(t, "StatefulSet db to have 3 replicas ready", func(ctx context.Context) error {
				got, err := client.AppsV1().StatefulSets("default").Get(ctx, "db", metav1.GetOptions{})
				return wantCount(got.Status.ReadyReplicas, 3, err)
			})
			crashLoop(t, client)
		})
	}
}

// crashLoop labels one pod of Deployment web, sees it crash and the others not.
func crashLoop(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	pods, err := client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
	if err != nil {
		t.Fatal(err)
	}
	name := pods.Items[0].Name
	label(t, client, name, `"true"`)
	for _, restarts := range []int32{1, 2} {
		await(t, fmt.Sprintf("pod %s to wait in CrashLoopBackOff after %d restarts", name, restarts), func(ctx context.Context) error {
			pod, err := client.CoreV1().Pods("default").Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			have := pod.Status.ContainerStatuses[0]
			if have.RestartCount < restarts || have.State.Waiting == nil || have.State.Waiting.Reason != "CrashLoopBackOff" || have.Ready || have.LastTerminationState.Terminated == nil {
				return fmt.Errorf("container %+v", have)
			}
			return nil
		})
	}
	pods, err = client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app"})
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if have := pod.Status.ContainerStatuses[0]; pod.Name != name && (have.RestartCount != 0 || !have.Ready) {
			t.Errorf("pod %s has no failure label, want it untouched, got %+v", pod.Name, have)
		}
	}
	label(t, client, name, "null")
	await(t, "Deployment web to recover", func(ctx context.Context) error {
		got, err := client.AppsV1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
		return wantCount(got.Status.AvailableReplicas, 3, err)
	})
}

func TestRestart(t *testing.T) {
	t.Parallel()
	cluster := start(t, localcluster.Options{Nodes: 1, APIServerFlags: []string{"--event-ttl=5m"}})
	if _, err := cluster.Kubectl(t.Context(), "{apiVersion: v1, kind: Namespace, metadata: {name: kept}}", "apply", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	for _, component := range all {
		before := pid(t, cluster, component)
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		await(t, component+" to be missed", func(context.Context) error {
			if _, err := cluster.PID(component); err == nil {
				return errors.New("it has a pid")
			}
			return nil
		})
		if err := cluster.Restart(t.Context(), component); err != nil {
			t.Fatal(err)
		}
		if after := pid(t, cluster, component); after == before {
			t.Errorf("%s has pid %d after its restart, want a new one", component, after)
		}
	}
	// A running component is stopped first; the flag holds for this start.
	if err := cluster.Restart(t.Context(), localcluster.APIServer, "--profiling=false"); err != nil {
		t.Fatal(err)
	}
	got, err := cluster.Kubectl(t.Context(), "", "get", "namespace", "kept", "-o", "name")
	if diff := cmp.Diff("namespace/kept\n", got); err != nil || diff != "" {
		t.Errorf("namespace after the restarts: error %v (-want +got):\n%s", err, diff)
	}
	// All work together again.
	if _, err := cluster.Kubectl(t.Context(), "", "create", "deployment", "late", "--image=late"); err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Kubectl(t.Context(), "", "rollout", "status", "deployment/late", "--timeout=30s"); err != nil {
		t.Error(err)
	}
	if _, err := cluster.Kubectl(t.Context(), "", "get", "pod", "nobody"); err == nil || !strings.Contains(err.Error(), `pods "nobody" not found`) {
		t.Errorf("kubectl get pod nobody: error %v, want what kubectl complains about", err)
	}
}

func TestClustersSideBySideEndSeparately(t *testing.T) {
	t.Parallel()
	first, second := start(t, localcluster.Options{Nodes: 1}), start(t, localcluster.Options{Nodes: 2})
	if nodes := count(t, second); nodes != 2 {
		t.Errorf("second cluster has %d nodes, want 2", nodes)
	}
	stopped := pids(t, first)
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range stopped {
		if !gone(pid) {
			t.Errorf("process %d of the first cluster runs after Stop", pid)
		}
	}
	if nodes := count(t, second); nodes != 2 {
		t.Errorf("second cluster has %d nodes after the first stopped, want 2", nodes)
	}
	orphans := pids(t, second)
	parent, err := parentOf(orphans[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(parent, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, pid := range orphans {
		await(t, fmt.Sprintf("process %d to end with its supervisor", pid), func(context.Context) error {
			if !gone(pid) {
				return errors.New("it runs")
			}
			return nil
		})
	}
	if err := second.Stop(); err != nil {
		t.Errorf("stop a cluster whose supervisor was killed: %v", err)
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		options localcluster.Options
		want    string
	}{
		"a missing binary tells how to build it": {
			options: localcluster.Options{Binary: "testdata/missing"},
			want:    "make bin/localcluster",
		},
		"a component that ends shows the end of its log": {
			options: localcluster.Options{APIServerFlags: []string{"--no-such-flag"}},
			want:    "unknown flag: --no-such-flag",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cluster, err := localcluster.Start(t.Context(), tc.options)
			if err == nil {
				t.Fatal(errors.Join(errors.New("Start() returned no error"), cluster.Stop()))
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Start() error = %v, want %q in it", err, tc.want)
			}
		})
	}
}

func start(t *testing.T, o localcluster.Options) *localcluster.Cluster {
	t.Helper()
	cluster, err := localcluster.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

func await(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 40*time.Second, true, func(ctx context.Context) (bool, error) {
		last = check(ctx)
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("wait for %s: %v: %v", what, err, last)
	}
}

func wantCount(got, want int32, err error) error {
	if err == nil && got != want {
		return fmt.Errorf("%d of %d", got, want)
	}
	return err
}
