package status_test

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// many are the facts of n tenancies of two releases and five pods each, all ready.
func many(n int) status.Facts {
	out := status.Facts{Now: time.Unix(2e9, 0), Generation: 7, Objects: map[string]status.Objects{}, Nodes: status.Nodes{"node": true}}
	for i := range n {
		ns := fmt.Sprintf("school-%04d", i)
		t := tenancy.Tenancy{Namespace: ns}
		var objects status.Objects
		for name, pods := range map[string]int32{"web": 3, "store": 2} {
			want, have := rel(name), deployed(name)
			want.Key.Namespace, have.Key.Namespace = ns, ns
			t.Releases = append(t.Releases, want)
			out.Observed = append(out.Observed, have)
			objects.Deployments = append(objects.Deployments, deployment(name, name, pods, func(d *appsv1.Deployment) {
				d.Namespace, d.Annotations["meta.helm.sh/release-namespace"] = ns, ns
			}))
			for p := range pods {
				objects.Pods = append(objects.Pods, owned(fmt.Sprintf("%s-f57b-%05d", name, p), name, func(p *corev1.Pod) { p.Namespace = ns }))
			}
		}
		out.Desired = append(out.Desired, t)
		objects.Look = uint64(i + 1)
		out.Objects[ns] = objects
	}
	return out
}

// BenchmarkReport is what a pass of the report costs before it writes, step by step.
func BenchmarkReport(b *testing.B) {
	var memory status.Memory
	steps := []struct {
		name string
		do   func(status.Facts, status.Rolled, v1alpha1.ControllerStatus)
	}{
		{"rollup", func(f status.Facts, _ status.Rolled, _ v1alpha1.ControllerStatus) { status.Rollup(f) }},
		{"rollup with nothing new", func(f status.Facts, _ status.Rolled, _ v1alpha1.ControllerStatus) { memory.Rollup(f) }},
		{"controller", func(_ status.Facts, r status.Rolled, _ v1alpha1.ControllerStatus) { r.Controller(nil) }},
		{"fit", func(_ status.Facts, r status.Rolled, s v1alpha1.ControllerStatus) {
			status.Fit(s, r.Sizes(), status.Room(0))
		}},
		{"tenancies", func(_ status.Facts, r status.Rolled, _ v1alpha1.ControllerStatus) {
			for _, t := range r.Tenancies {
				status.FitTenancy(t.Status(nil))
			}
		}},
	}
	for _, step := range steps {
		b.Run(step.name, func(b *testing.B) {
			fixture.Growth(b, func(b *testing.B, n int) func() {
				facts := many(n)
				rolled := status.Rollup(facts)
				whole := rolled.Controller(nil)
				if whole.Summary.Tenancies.Ready != int32(n) || whole.Summary.Pods.Ready != 5*int32(n) {
					b.Fatalf("the summary is %v", whole.Summary)
				}
				return func() { step.do(facts, rolled, whole) }
			})
		})
	}
}
