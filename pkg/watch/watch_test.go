package watch_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"multitenancy.dev/multi-tenancy-operator/pkg/localcluster"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
	"multitenancy.dev/multi-tenancy-operator/pkg/watch"
)

var config *rest.Config

func TestMain(m *testing.M) {
	cluster, err := localcluster.Start(context.Background(), localcluster.Options{Nodes: 1})
	if err != nil {
		fmt.Fprintln(os.Stderr, "the tests need a local cluster:", err)
		os.Exit(1)
	}
	config = cluster.RESTConfig()
	code := m.Run()
	if err := cluster.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// watched is a watcher that runs, and how often it said that something changed.
type watched struct {
	*watch.Watcher
	kube              kubernetes.Interface
	records, contents atomic.Int32
	events            sync.Map // whether there was one, by resource
	stop              func()
}

// start runs a watcher that gives up to few namespaces informers of their own.
func start(t *testing.T, few int) *watched {
	t.Helper()
	w := &watched{kube: kubernetes.NewForConfigOrDie(config)}
	var err error
	w.Watcher, err = watch.New(watch.Clients{Kube: w.kube, Metadata: metadata.NewForConfigOrDie(config), Namespaced: w.kube}, few,
		func() { w.records.Add(1) }, func() { w.contents.Add(1) },
		watch.WithOnEvent(func(resource string) { w.events.Store(resource, true) }))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Start(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Start() = %v", err)
		}
	}
	eventually(t, func() bool { return w.Synced() }, "the watcher has synced")
	return w
}

func eventually(t *testing.T, check func() bool, what string) {
	t.Helper()
	end := time.After(30 * time.Second)
	for !check() {
		select {
		case <-end:
			t.Fatalf("it never came true that %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func namespaces(t *testing.T, kube kubernetes.Interface, names ...string) {
	t.Helper()
	for _, name := range names {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := kube.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSyncFollowsWhatIsWantedAndNothingElse(t *testing.T) {
	w := start(t, 10)
	defer w.stop()
	namespaces(t, w.kube, "a", "b", "c")
	baseline := runtime.NumGoroutine()

	w.Sync([]string{"a", "b"})
	w.Sync([]string{"a", "b"})
	eventually(t, func() bool { return len(w.Objects()) == 2 }, "two namespaces are known, empty as they are")
	if got := w.Following(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("Following() = %v", got)
	}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "pause"}}},
			},
		},
	}
	for _, ns := range []string{"a", "c"} {
		if _, err := w.kube.AppsV1().Deployments(ns).Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() bool { return len(w.Objects()["a"].Deployments) == 1 && len(w.Objects()["a"].Pods) == 1 }, "the Deployment and its pod are seen")
	if _, known := w.Objects()["c"]; known {
		t.Error("a namespace that nobody wants is followed")
	}
	for _, resource := range []string{"nodes", "namespaces", "pods", "deployments.apps"} {
		if _, told := w.events.Load(resource); !told {
			t.Errorf("no event of %s is told", resource)
		}
	}

	w.Sync([]string{"c"})
	eventually(t, func() bool { return len(w.Objects()["c"].Deployments) == 1 && len(w.Following()) == 1 }, "the other namespace is followed instead")
	w.Sync(nil)
	eventually(t, func() bool { return len(w.Following()) == 0 && runtime.NumGoroutine() <= baseline+2 },
		"the goroutines of the informers are gone")
	changes := w.contents.Load()
	if err := w.kube.AppsV1().Deployments("a").Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	// A later change elsewhere has been told: an earlier one would have been, too.
	w.Sync([]string{"b"})
	eventually(t, func() bool { _, known := w.Objects()["b"]; return known && w.contents.Load() > changes }, "the namespace is followed again")
	if _, known := w.Objects()["a"]; known {
		t.Error("a namespace is still followed")
	}
}

// TestManyNamespacesAreFollowedByOneSet: it looks the same from outside, and none of
// it stays when nothing is wanted.
func TestManyNamespacesAreFollowedByOneSet(t *testing.T) {
	w := start(t, 2)
	defer w.stop()
	namespaces(t, w.kube, "many-a", "many-b", "many-c", "many-d")
	service := func(namespace string) {
		t.Helper()
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "pod"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "pause"}}},
		}
		if _, err := w.kube.CoreV1().Pods(namespace).Create(t.Context(), p, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	baseline := runtime.NumGoroutine()
	w.Sync([]string{"many-a", "many-b"})
	eventually(t, func() bool { return len(w.Objects()) == 2 && len(w.Following()) == 2 }, "two namespaces have informers of their own")
	service("many-a")
	eventually(t, func() bool { return len(w.Objects()["many-a"].Pods) == 1 }, "the pod is seen")

	w.Sync([]string{"many-a", "many-b", "many-c"})
	eventually(t, func() bool {
		objects := w.Objects()
		if len(objects["many-a"].Pods) != 1 {
			t.Error("what was known is forgotten")
		}
		return len(objects) == 3 && len(w.Following()) == 0
	}, "three are followed by one set")
	service("many-c")
	eventually(t, func() bool { return len(w.Objects()["many-c"].Pods) == 1 }, "a pod is seen")
	changes := w.contents.Load()
	service("many-d") // which nobody wants
	service("many-b")
	eventually(t, func() bool { return len(w.Objects()["many-b"].Pods) == 1 && w.contents.Load() > changes }, "a later pod is seen, and told")
	if _, known := w.Objects()["many-d"]; known {
		t.Error("a namespace that nobody wants is followed")
	}
	w.Sync([]string{"many-d"})
	if got := w.Objects(); len(got) != 1 || len(got["many-d"].Pods) != 1 {
		t.Errorf("Objects() = %v, want what lives in the other namespace, at once", got)
	}
	w.Sync(nil)
	eventually(t, func() bool { return runtime.NumGoroutine() <= baseline+2 }, "the goroutines of the informers are gone")
}

func TestReleasesAreTheLatestRevisions(t *testing.T) {
	kube := kubernetes.NewForConfigOrDie(config)
	namespaces(t, kube, "records")
	record := func(name, revision, status string, labels map[string]string) {
		t.Helper()
		all := map[string]string{"owner": "helm", "name": name, "version": revision, "status": status}
		maps.Copy(all, labels)
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "sh.helm.release.v1." + name + ".v" + revision, Labels: all}}
		if _, err := kube.CoreV1().Secrets("records").Create(t.Context(), s, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	record("web", "9", "superseded", nil)
	record("web", "10", "pending-upgrade", map[string]string{
		"multitenancy.dev/controller": "example", "multitenancy.dev/digest": "abc", "multitenancy.dev/position": "4", "multitenancy.dev/revision": "9",
		"multitenancy.dev/chart": "web", "multitenancy.dev/chart-version": "1.0.0",
	})
	w := start(t, 10)
	defer w.stop()
	record("late", "1", "pending-install", nil)
	find := func(name string) tenancy.Observed {
		for _, o := range w.Releases() {
			if o.Key == (tenancy.Key{Namespace: "records", Name: name}) {
				return o
			}
		}
		return tenancy.Observed{}
	}
	eventually(t, func() bool { return find("late").Revision == 1 }, "the late record is seen")
	got := find("web")
	got.Since, got.Settled = time.Time{}, time.Time{}
	want := tenancy.Observed{
		Key: tenancy.Key{Namespace: "records", Name: "web"}, Revision: 10, Phase: tenancy.PhasePendingUpgrade,
		Controller: "example", Digest: "abc", Position: 4, Chart: "web", ChartVersion: "1.0.0", Interrupted: true, ByHand: true, Good: 9,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("web (-want +got):\n%s", diff)
	}
	if find("late").Interrupted {
		t.Error("what became pending while the watcher ran is called interrupted")
	}
	if w.records.Load() == 0 {
		t.Error("nobody was told of the records")
	}
}
