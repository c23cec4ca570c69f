package main

import (
	"context"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

const (
	planName = "bench"
	// planGracePath is where a Controller has the grace period of the plan, as a JSON pointer.
	planGracePath = "/spec/plans/0/charts/0/settings/1/value"
	// manyTenancies are as many as a Controller may list.
	manyTenancies = 5000
)

// planned is what the work takes when the charts are written once.
type planned struct {
	Install, Upgrade *sample
	Spec, Written    int // bytes of the spec, and of the one that says the same without a plan
	Size             int // of the Controller in bytes
	Many             int // bytes of the spec of as many tenancies as there may be
}

// planned is the Controller that asks for the same as that of controller does: the
// charts are in a plan, how many pods they have is in the parameters of each tenancy.
func (w workload) planned() *v1alpha1.Controller {
	cr := empty()
	plan := v1alpha1.Plan{Name: planName}
	params := map[string]v1alpha1.Parameter{}
	for _, rel := range w.releases(firstGrace) {
		params[rel.name] = v1alpha1.Parameter(rel.settings[0].Value)
		rel.settings[0].Value = "$(" + rel.name + ")"
		plan.Charts = append(plan.Charts, v1alpha1.PlanChart{ChartName: rel.chart, ReleaseName: rel.name, Settings: rel.settings})
	}
	cr.Spec.Plans = []v1alpha1.Plan{plan}
	for i := range w.Tenancies {
		cr.Spec.Tenancies = append(cr.Spec.Tenancies, v1alpha1.TenancySpec{Namespace: namespace(i), Plan: planName, Params: params})
	}
	return cr
}

// sizes are those of the specs.
func (p *planned) sizes(w workload) (err error) {
	for _, one := range []struct {
		size *int
		cr   *v1alpha1.Controller
	}{
		{&p.Spec, w.planned()},
		{&p.Written, w.controller(firstGrace)},
		{&p.Many, workload{Tenancies: manyTenancies}.planned()},
	} {
		if *one.size, err = specSize(one.cr); err != nil {
			return err
		}
	}
	return nil
}

// plans installs all tenancies from a plan on a cluster of its own, and then changes all
// of them by one edit of it.
func (c *contest) plans(ctx context.Context, usual *result) error {
	return c.run(ctx, func(ctx context.Context, who contender) (err error) {
		op, w := asOperator(who), c.result.Workload
		out := &planned{}
		if err := out.sizes(w); err != nil {
			return err
		}
		want := map[string]int{}
		for i := range w.Tenancies {
			w.first(want, i)
		}
		if out.Install, err = c.timed("install all from a plan", op, 0, func() (time.Duration, error) {
			return op.apply(ctx, w.planned(), want)
		}); err != nil {
			return err
		}
		if out.Size, err = op.ready(ctx); err != nil {
			return err
		}
		if out.Upgrade, err = c.measure("upgrade all by one edit of the plan", op, 0, func() (time.Duration, error) {
			want, begin := op.next(), time.Now()
			if _, err := op.patch(ctx, replaceText(planGracePath, upgradeGrace)); err != nil {
				return 0, err
			}
			err := op.records.await(ctx, want)
			return time.Since(begin), err
		}); err != nil {
			return err
		}
		usual.Plans = out
		return nil
	})
}
