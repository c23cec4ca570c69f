package status_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/status"
)

// TestPodsFindTheirRelease: by owner, never by the beginning of a name.
func TestPodsFindTheirRelease(t *testing.T) {
	yes := true
	objects := status.Objects{
		Deployments:  []*appsv1.Deployment{deployment("web", "web", 1), deployment("web-x", "other", 1)},
		StatefulSets: []*appsv1.StatefulSet{{ObjectMeta: object("db", "web"), Spec: appsv1.StatefulSetSpec{Selector: selector("db")}}},
		DaemonSets:   []*appsv1.DaemonSet{{ObjectMeta: object("agent", "other"), Spec: appsv1.DaemonSetSpec{Selector: selector("agent")}}},
		Pods: []*corev1.Pod{
			owned("web-f57b-1", "web"),
			owned("web-x-f57b-1", "web-x"),
			owned("db-0", "db", func(p *corev1.Pod) {
				p.OwnerReferences = []metav1.OwnerReference{{Kind: "StatefulSet", Name: "db", Controller: &yes}}
			}),
			owned("agent-1", "agent", func(p *corev1.Pod) {
				p.OwnerReferences = []metav1.OwnerReference{{Kind: "DaemonSet", Name: "agent", Controller: &yes}}
			}),
			owned("job-1", "web", func(p *corev1.Pod) {
				p.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Name: "web-hook", Controller: &yes}}
			}),
			owned("foreign", "web", func(p *corev1.Pod) { p.OwnerReferences = nil }),
			{ObjectMeta: object("bare", "other"), Status: corev1.PodStatus{Phase: corev1.PodPending}},
			owned("stranger", "web", func(p *corev1.Pod) { p.Labels["app"] = "x" }),
		},
	}
	got := status.Rollup(facts(objects, "web", "other")).Controller(nil)
	want := map[string][]string{"web": {"db-0 db", "web-f57b-1 web"}, "other": {"agent-1 agent", "bare ", "web-x-f57b-1 web-x"}}
	for _, r := range got.Tenancies[0].Releases {
		var pods []string
		for _, p := range r.Pods {
			pods = append(pods, p.Name+" "+p.Workload)
		}
		if diff := cmp.Diff(want[r.Name], pods); diff != "" {
			t.Errorf("pods of %s (-want +got):\n%s", r.Name, diff)
		}
	}
}
