package watch_test

import (
	"maps"
	"runtime"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/drift"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// recorded makes the record of a revision of the operator's.
func recorded(t *testing.T, kube kubernetes.Interface, ns, name, revision, status string, change func(*corev1.Secret)) *corev1.Secret {
	t.Helper()
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Name: "sh.helm.release.v1." + name + ".v" + revision,
		Labels: map[string]string{
			"owner": "helm", "name": name, "version": revision, "status": status,
			v1alpha1.LabelController: "example", v1alpha1.LabelRevision: revision, v1alpha1.LabelDigest: "d" + revision,
		},
		Annotations: map[string]string{},
	}}
	change(s)
	made, err := kube.CoreV1().Secrets(ns).Create(t.Context(), s, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestLook: what releases hold is followed while a record tells of it.
func TestLook(t *testing.T) {
	w := start(t, 10)
	defer w.stop()
	namespaces(t, w.kube, "holding")
	baseline := runtime.NumGoroutine()
	// Ports whose order as numbers is not that of their texts: a client that decodes
	// an object has its managed fields in another order than one that does not.
	made, err := w.kube.AppsV1().Deployments("holding").Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: map[string]string{"app.kubernetes.io/managed-by": "Helm"}},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(0)),
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "main", Image: "pause", Ports: []corev1.ContainerPort{{ContainerPort: 80}, {ContainerPort: 443}},
				}}},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	web := tenancy.Object{
		Group: "apps", Version: "v1", Resource: "deployments", Kind: "Deployment", Namespace: "holding", Name: "web",
		Mark: drift.Mark(made), At: drift.At(made),
	}
	if now, known := w.Look(web); known {
		t.Errorf("Look() = %+v of what no release holds", now)
	}
	records := w.records.Load()
	record := recorded(t, w.kube, "holding", "web", "1", "deployed", func(s *corev1.Secret) {
		s.Annotations[v1alpha1.AnnotationInventory] = tenancy.Inventory([]tenancy.Object{web})
	})
	sees := func(want func(tenancy.Object) bool) func() bool {
		return func() bool { now, known := w.Look(web); return known && want(now) }
	}
	eventually(t, sees(func(now tenancy.Object) bool { return now.Mark == web.Mark }), "the Deployment looks as it was made")

	// The controllers write to its status meanwhile, which is none of this.
	raw := func() string {
		u, err := dynamic.NewForConfigOrDie(config).Resource(appsv1.SchemeGroupVersion.WithResource("deployments")).
			Namespace("holding").Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return drift.Mark(u)
	}
	if got := raw(); got != web.Mark {
		t.Errorf("the mark is %s to a client that decodes nothing, and %s to the others", got, web.Mark)
	}
	later := web
	later.At += 1 << 32
	if _, known := w.Look(later); known {
		t.Error("Look() knows what the operator wrote after what was seen")
	}
	patch := func(text string) {
		t.Helper()
		if _, err := w.kube.AppsV1().Deployments("holding").Patch(t.Context(), "web", types.MergePatchType, []byte(text), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	patch(`{"metadata":{"annotations":{"a":"b"}}}`)
	eventually(t, sees(func(now tenancy.Object) bool { return now.Mark != web.Mark && now.Mark == raw() }), "the Deployment looks different")
	patch(`{"metadata":{"labels":{"app.kubernetes.io/managed-by":null}}}`)
	eventually(t, sees(func(now tenancy.Object) bool { return now.Mark == "" }), "what lost Helm's label is not seen any more")
	patch(`{"metadata":{"labels":{"app.kubernetes.io/managed-by":"Helm"}}}`)
	eventually(t, sees(func(now tenancy.Object) bool { return now.Mark == raw() }), "it is seen again")
	if err := w.kube.AppsV1().Deployments("holding").Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, sees(func(now tenancy.Object) bool { return now.Mark == "" && now.Name == "web" }), "the Deployment is gone")
	if w.records.Load() == records {
		t.Error("nobody was told")
	}

	if err := w.kube.CoreV1().Secrets("holding").Delete(t.Context(), record.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { _, known := w.Look(web); return !known && runtime.NumGoroutine() <= baseline+2 },
		"nothing is followed any more, and the goroutines are gone")
}

// TestGood: which revision is gone back to.
func TestGood(t *testing.T) {
	type revision struct {
		number, status string
		labels         map[string]string
		failed         string // the digest it was rolled back from
	}
	verified := func(n string) map[string]string { return map[string]string{v1alpha1.LabelVerified: n} }
	hand := map[string]string{v1alpha1.LabelRevision: "0"}
	cases := map[string]struct {
		revisions []revision
		want      int
	}{
		"first":    {revisions: []revision{{number: "1", status: "failed"}}},
		"last":     {revisions: []revision{{number: "1", status: "superseded"}, {number: "2", status: "deployed"}, {number: "3", status: "failed"}}, want: 2},
		"failed":   {revisions: []revision{{number: "1", status: "superseded"}, {number: "2", status: "failed"}, {number: "3", status: "failed"}}, want: 1},
		"tenth":    {revisions: []revision{{number: "9", status: "superseded"}, {number: "10", status: "deployed"}, {number: "11", status: "failed"}}, want: 10},
		"verified": {revisions: []revision{{number: "1", status: "superseded", labels: verified("1")}, {number: "2", status: "deployed"}, {number: "3", status: "failed"}}, want: 1},
		"later":    {revisions: []revision{{number: "1", status: "superseded", labels: verified("1")}, {number: "2", status: "deployed", labels: verified("2")}, {number: "3", status: "failed"}}, want: 2},
		"copied":   {revisions: []revision{{number: "1", status: "superseded"}, {number: "2", status: "deployed", labels: verified("1")}, {number: "3", status: "failed"}}, want: 2},
		"by-hand":  {revisions: []revision{{number: "1", status: "superseded"}, {number: "2", status: "deployed", labels: hand}, {number: "3", status: "failed"}}, want: 1},
		// Helm calls revision 2 superseded when the rollback from it fails.
		"rolled-back": {revisions: []revision{{number: "1", status: "superseded"}, {number: "2", status: "superseded"}, {number: "3", status: "failed", failed: "d2"}}, want: 1},
	}
	w := start(t, 10)
	defer w.stop()
	namespaces(t, w.kube, "good")
	for name, tc := range cases {
		for _, r := range tc.revisions {
			recorded(t, w.kube, "good", name, r.number, r.status, func(s *corev1.Secret) {
				maps.Copy(s.Labels, r.labels)
				if r.failed != "" {
					s.Annotations[v1alpha1.AnnotationFailedDigest] = r.failed
				}
			})
		}
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got tenancy.Observed
			last := len(tc.revisions)
			eventually(t, func() bool {
				for _, o := range w.Releases() {
					if o.Key == (tenancy.Key{Namespace: "good", Name: name}) {
						got = o
					}
				}
				return got.Digest == "d"+tc.revisions[last-1].number
			}, "all records are seen")
			if got.Good != tc.want {
				t.Errorf("Good = %d, want %d", got.Good, tc.want)
			}
		})
	}
}
