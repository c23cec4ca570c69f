package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// guarded is what the work takes within guardrails, as ServiceAccounts of the tenancies.
type guarded struct {
	Install *sample
}

// guarded is the Controller that asks for the same as that of controller does, with
// guardrails of each kind.
func (w workload) guarded() *v1alpha1.Controller {
	cr := w.controller(firstGrace)
	amounts := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	}
	cr.Spec.Guardrails = &v1alpha1.Guardrails{
		Labels:        map[string]string{"cost-center": "bench"},
		PodSecurity:   &v1alpha1.PodSecurity{Enforce: "baseline"},
		ResourceQuota: &v1alpha1.ResourceQuota{Hard: corev1.ResourceList{"requests.cpu": resource.MustParse("4"), "pods": resource.MustParse("50")}},
		LimitRange: &v1alpha1.LimitRange{Limits: []corev1.LimitRangeItem{{
			Type: corev1.LimitTypeContainer, DefaultRequest: amounts("10m", "16Mi"), Default: amounts("100m", "64Mi"),
		}}},
		NetworkPolicy:  &v1alpha1.NetworkPolicy{IngressControllers: []string{"ingress-nginx"}},
		ServiceAccount: &v1alpha1.ServiceAccount{},
		Access:         []v1alpha1.Access{{Role: v1alpha1.AccessView, People: v1alpha1.People{Groups: []string{"tenants"}}}},
	}
	return cr
}

// guarded installs all tenancies within guardrails, on a cluster of its own.
func (c *contest) guarded(ctx context.Context, usual *result) error {
	return c.run(ctx, func(ctx context.Context, who contender) error {
		op, w := asOperator(who), c.result.Workload
		if _, err := op.stage.cluster.Kubectl(ctx, "", "apply", "-f", filepath.Join(c.opts.root, "deploy", "rbac", "tenants.yaml")); err != nil {
			return fmt.Errorf("make the roles of tenants: %w", err)
		}
		want := map[string]int{}
		for i := range w.Tenancies {
			w.first(want, i)
		}
		s, err := c.timed("install all within guardrails", op, 0, func() (time.Duration, error) {
			return op.apply(ctx, w.guarded(), want)
		})
		if err != nil {
			return err
		}
		if _, err := op.ready(ctx); err != nil {
			return err
		}
		usual.Guarded = &guarded{Install: s}
		return nil
	})
}

// lines tell of guardrails; nothing when g is nil.
func (g *guarded) lines(r *result) []compared {
	if g == nil {
		return nil
	}
	line := compared{name: "guardrails and ServiceAccounts: install all", measured: g.Install.Wall.Seconds(), text: seconds}
	if r.Install != nil {
		line.usual = r.Install.Wall.Seconds()
	}
	return append([]compared{line}, g.Install.costs()...)
}

// goals are those of guardrails; none when g is nil.
func (g *guarded) goals(r *result) []verdict {
	if g == nil || r.Install == nil {
		return nil
	}
	q := ratio(g.Install.Wall.Seconds(), r.Install.Wall.Seconds())
	return []verdict{{
		fmt.Sprintf("guardrails and ServiceAccounts, T=%d: install all in at most 1.30 × the usual time", r.Workload.Tenancies), times(q), q > 0 && q <= 1.30,
	}}
}
