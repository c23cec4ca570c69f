package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// hangChart is a chart whose install never ends.
const hangChart = "hanging-example"

// hangFiles are the files of the chart. The pod of its hook fits no node, as KWOK would
// let any other one of a Job end at once.
var hangFiles = map[string]string{
	"Chart.yaml": `apiVersion: v2
name: ` + hangChart + `
description: A chart whose hook never ends
version: 0.1.0
`,
	"templates/hook.yaml": `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
spec:
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {nowhere: "true"}
      containers:
        - name: main
          image: registry.k8s.io/pause:3.10
`,
}

// hung is what the scenario of hanging charts took.
type hung struct {
	*sample                 // until all other tenancies were installed
	Tenancies int           // that have a chart that hangs
	Others    time.Duration // until the last of the others was installed
	Usual     time.Duration // the same tenancies, without any that hang
}

// hangingOf is how many of the tenancies hang: as many as wanted, and at most one in 20.
func hangingOf(wanted, tenancies int) int { return max(min(wanted, tenancies/20), 0) }

// hangs spreads n hanging tenancies evenly over all.
func (w workload) hangs(tenancy, n int) bool {
	return (tenancy+1)*n/w.Tenancies > tenancy*n/w.Tenancies
}

// hanging is the Controller in which the first release of n tenancies never ends.
func (w workload) hanging(n int) *v1alpha1.Controller {
	cr := w.controller(firstGrace)
	for i := range cr.Spec.Tenancies {
		if w.hangs(i, n) {
			cr.Spec.Tenancies[i].Charts[0] = v1alpha1.Chart{ChartName: hangChart, ReleaseName: webRelease}
		}
	}
	return cr
}

// hang installs all tenancies on a cluster of its own, n of them with a chart that
// hangs, and times the others.
func (c *contest) hang(ctx context.Context, n int, usual *result) (err error) {
	if c.charts, err = os.MkdirTemp("", "multi-tenancy-bench-charts-"); err != nil {
		return fmt.Errorf("create a chart home: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.charts)) }()
	if err := writeChartHome(c.charts, c.opts.root); err != nil {
		return err
	}
	return c.run(ctx, func(ctx context.Context, who contender) error {
		op, w := asOperator(who), c.result.Workload
		op.abandoned = true
		other := func(i int) bool { return !w.hangs(i, n) }
		want := map[string]int{}
		for i := range w.Tenancies {
			if other(i) {
				w.first(want, i)
			}
		}
		s, err := c.timed(fmt.Sprintf("install all, %d of which hang", n), op, 0, func() (time.Duration, error) {
			return op.apply(ctx, w.hanging(n), want)
		})
		if err != nil {
			return err
		}
		for i := range w.Tenancies {
			if !other(i) && op.records.revision(namespace(i)+"/"+webRelease) > 0 {
				return fmt.Errorf("release %s/%s was to hang, and is deployed", namespace(i), webRelease)
			}
		}
		usual.Hang = &hung{sample: s, Tenancies: n, Others: latest(op.deployed(), other), Usual: latest(usual.Deployed, other)}
		return nil
	})
}

// writeChartHome fills a chart home with the charts of the repository and the one that hangs.
func writeChartHome(home, root string) error {
	if err := os.CopyFS(home, os.DirFS(filepath.Join(root, "charts"))); err != nil {
		return fmt.Errorf("copy the charts: %w", err)
	}
	for name, text := range hangFiles {
		path := filepath.Join(home, hangChart, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return fmt.Errorf("write chart %s: %w", hangChart, err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write chart %s: %w", hangChart, err)
		}
	}
	return nil
}
