package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// failed says that a release is not failed with a message that says all of that.
func failed(t testing.TB, name, namespace, release string, says ...string) func() error {
	return func() error {
		rel := find(get(t, name), namespace, release)
		if rel == nil || rel.Phase != v1alpha1.ReleaseFailed || rel.Ready {
			return fmt.Errorf("release %s/%s = %+v, want it failed", namespace, release, rel)
		}
		for _, want := range says {
			if !strings.Contains(rel.Message, want) {
				return fmt.Errorf("release %s/%s says %q, want %q in it", namespace, release, rel.Message, want)
			}
		}
		return nil
	}
}

// holds says that a release is not ready in that revision.
func holds(t testing.TB, name, namespace, release string, revision int32) func() error {
	return func() error {
		cr := get(t, name)
		rel := find(cr, namespace, release)
		if rel == nil || !rel.Ready || rel.Revision != revision || cr.Status.ObservedGeneration != cr.Generation {
			return fmt.Errorf("release %s/%s = %+v, want revision %d ready", namespace, release, rel, revision)
		}
		return nil
	}
}

// recorded says that the record of a revision is not in that state.
func recorded(t testing.TB, namespace, record, state string) func() error {
	return func() error {
		if got := records(t, namespace); got[record] != state {
			return fmt.Errorf("the records in %s are %v, want %s %q", namespace, got, record, state)
		}
		return nil
	}
}

// nudge has what failed tried again at once.
func nudge(t testing.TB, name string) {
	t.Helper()
	kubectl(t, "", "annotate", "--overwrite", "controller", name, v1alpha1.AnnotationReconcileAt+"="+time.Now().Format("150405.000000"))
}

// add puts tenancies into a Controller.
func add(t testing.TB, name string, tenancies ...v1alpha1.TenancySpec) {
	t.Helper()
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies = append(s.Tenancies, tenancies...) })
}

// rechart changes the charts of a tenancy.
func rechart(t testing.TB, name, namespace string, change func([]v1alpha1.Chart) []v1alpha1.Chart) {
	t.Helper()
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		i := slices.IndexFunc(s.Tenancies, func(tn v1alpha1.TenancySpec) bool { return tn.Namespace == namespace })
		s.Tenancies[i].Charts = change(s.Tenancies[i].Charts)
	})
}

// set gives the first chart of a tenancy a setting.
func set(t testing.TB, name, namespace, key, value string) {
	t.Helper()
	rechart(t, name, namespace, func(charts []v1alpha1.Chart) []v1alpha1.Chart {
		charts[0].Settings = []v1alpha1.Setting{{Key: key, Value: value}}
		return charts
	})
}

func without([]v1alpha1.Chart) []v1alpha1.Chart { return nil }

// texts are what the ConfigMaps of a namespace say, by name.
func texts(t testing.TB, namespace string) map[string]string {
	t.Helper()
	list, err := world.kube.CoreV1().ConfigMaps(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, cm := range list.Items {
		if cm.Name != "kube-root-ca.crt" {
			out[cm.Name] = cm.Data["text"]
		}
	}
	return out
}

// told says that the ConfigMap of release a does not have that text.
func told(t testing.TB, namespace, text string) func() error {
	return func() error {
		if got := texts(t, namespace)["a-conf"]; got != text {
			return fmt.Errorf("the ConfigMap in %s says %q, want %q", namespace, got, text)
		}
		return nil
	}
}

// began counts the operations on a release that began; the operator must log
// at level debug.
func (op *operator) began(release string) int {
	n := 0
	for line := range strings.Lines(op.log.String()) {
		if strings.Contains(line, `"operation begins"`) && strings.Contains(line, fmt.Sprintf("%q", release)) {
			n++
		}
	}
	return n
}

// lives fails the test when the operator has ended.
func (op *operator) lives() {
	op.t.Helper()
	select {
	case <-op.ended:
		op.t.Fatalf("the operator has ended with %v", op.err)
	default:
	}
}

// shows says that the status does not tell of that many ready pods of a workload.
func shows(t testing.TB, name, namespace, release string, n int32) func() error {
	return func() error {
		rel := find(get(t, name), namespace, release)
		if rel == nil || len(rel.Workloads) != 1 || rel.Workloads[0].Ready != n || len(rel.Pods) != int(n) {
			return fmt.Errorf("the release = %+v, want %d pods ready", rel, n)
		}
		return nil
	}
}

// unstick lets the hooks of stuck charts end until the test does: their pods fit a
// node.
func unstick(t testing.TB) {
	t.Helper()
	kubectl(t, "", "label", "node", "kwok-0", "nowhere=true", "--overwrite")
	t.Cleanup(func() {
		if _, err := world.cluster.Kubectl(context.Background(), "", "label", "node", "kwok-0", "nowhere-"); err != nil {
			t.Error(err)
		}
	})
}

// everything is the records in the namespaces that begin so.
func everything(t testing.TB, prefix string) map[string]string {
	t.Helper()
	list, err := world.kube.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, s := range list.Items {
		if strings.HasPrefix(s.Namespace, prefix) {
			out[s.Namespace+"/"+s.Name] = s.Labels["status"]
		}
	}
	return out
}

// condition writes a condition of somebody else's into a status.
func condition(ctx context.Context, name, message string) error {
	var cr v1alpha1.Controller
	if err := world.client.Get(ctx, types.NamespacedName{Name: name}, &cr); err != nil {
		return err
	}
	before := cr.DeepCopy()
	meta.SetStatusCondition(&cr.Status.Conditions, metav1.Condition{Type: "Theirs", Status: metav1.ConditionTrue, Reason: "Theirs", Message: message})
	return world.client.Status().Patch(ctx, &cr, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// answers says that a URL does not answer well.
func answers(url string) error {
	answer, err := http.Get(url) //nolint:noctx // the test ends with its patience
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
