package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// flapPods is how many pods flap, if there are as many, and flapPeriod how long each
	// stays as it is: 17 changes a second. Every change makes the controller-manager
	// write a workload, and the operator a Tenancy: 50 took all of two cores.
	flapPods   = 1000
	flapPeriod = time.Minute
	// flapAtOnce is how many changes are under way at most.
	flapAtOnce = 8
	// flapEdits is how many tenancies whose pods do not flap are edited meanwhile.
	flapEdits = 10
	// flapPatience is how long the last changes may take to be told.
	flapPatience = 30 * time.Second
)

// alone are labels that keep KWOK from making a pod ready again. It lets containers
// crash where one of them is set; with both of them, and no init containers, none of
// its stages fits a running pod.
const alone = `{"metadata":{"labels":{"pod-container-running-failed.stage.kwok.x-k8s.io":"true","pod-init-container-running-failed.stage.kwok.x-k8s.io":"true"}}}`

// flapped is what the scenario of flapping pods took.
type flapped struct {
	*sample
	Pods    int
	Told    []time.Duration // from each stored change until the Tenancy told it
	Late    int             // changes that were left out, as the one before was not told yet
	Missing int             // changes that were not told in the end
	Edits   []edited        // in other tenancies
}

// changed are the times of the edits until the Deployment changed.
func (f *flapped) changed() []time.Duration { return (&result{Edits: f.Edits}).changed() }

// flapping is in how many tenancies pods flap, the first ones, and how many of the
// others, the last ones, are edited meanwhile.
func (w workload) flapping() (tenancies, edits int) {
	edits = min(flapEdits, w.Tenancies/2)
	each := w.pods() / w.Tenancies
	return min((flapPods+each-1)/each, w.Tenancies-edits), edits
}

// flap lets pods flap, edits other tenancies meanwhile, and makes all ready again.
func (c *contest) flap(ctx context.Context, op *operator) error {
	f, err := c.prepareFlap(ctx)
	if err != nil {
		return err
	}
	following, stop := context.WithCancel(ctx)
	defer stop()
	if err := f.follow(following, c.stage); err != nil {
		return err
	}
	out := &flapped{Pods: len(f.pods)}
	out.sample, err = c.measure("flapping pods", op, 0, func() (took time.Duration, err error) {
		took, out.Edits, err = f.play(ctx, op, c.opts.flap)
		return took, err
	})
	if err != nil {
		return err
	}
	out.Told, out.Late, out.Missing = f.readiness.end(time.Now())
	c.result.Flap = out
	if err := f.restore(ctx); err != nil {
		return err
	}
	if err := settle(ctx, c.stage.admin, c.result.Workload); err != nil {
		return err
	}
	_, err = op.ready(ctx)
	return err
}

// prepareFlap chooses the pods and takes them from KWOK.
func (c *contest) prepareFlap(ctx context.Context) (*flapper, error) {
	f := &flapper{client: c.stage.admin, workload: c.result.Workload}
	tenancies, _ := f.workload.flapping()
	var keys []podKey
	for i := range tenancies {
		list, err := f.client.CoreV1().Pods(namespace(i)).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return nil, fmt.Errorf("list pods of %s: %w", namespace(i), err)
		}
		for _, pod := range list.Items {
			f.pods = append(f.pods, pod)
			keys = append(keys, podKey{pod.Namespace, pod.Name})
		}
	}
	// Those of a tenancy do not change one after the other, and are the same in every run.
	order := rand.New(rand.NewPCG(1, 2))
	order.Shuffle(len(f.pods), func(i, k int) { f.pods[i], f.pods[k] = f.pods[k], f.pods[i] })
	f.readiness = newReadiness(keys)
	c.progress(fmt.Sprintf("preparing %d pods of %d tenancies to flap", len(f.pods), tenancies))
	return f, each(ctx, len(f.pods), flapAtOnce, func(ctx context.Context, i int) error {
		pod := f.pods[i]
		_, err := f.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, []byte(alone), metav1.PatchOptions{})
		if err != nil {
			return fmt.Errorf("label pod %s/%s: %w", pod.Namespace, pod.Name, err)
		}
		return nil
	})
}
