package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	toolscache "k8s.io/client-go/tools/cache"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// flapper makes pods ready and not ready in turn.
type flapper struct {
	client    kubernetes.Interface
	workload  workload
	pods      []corev1.Pod // in the order in which they are changed
	readiness *readiness
}

// follow notes what the Tenancies tell of pods until ctx ends.
func (f *flapper) follow(ctx context.Context, s *stage) error {
	see := func(object any) {
		t, ok := object.(*v1alpha1.Tenancy)
		if !ok {
			return
		}
		now := time.Now()
		for _, rel := range t.Status.Releases {
			for _, pod := range rel.Pods {
				f.readiness.see(podKey{t.Namespace, pod.Name}, pod.Ready, now)
			}
		}
	}
	return follow(ctx, s.cluster.RESTConfig(), &v1alpha1.Tenancy{}, toolscache.ResourceEventHandlerFuncs{
		AddFunc:    see,
		UpdateFunc: func(_, o any) { see(o) },
	})
}

// play changes pods at a steady rate until the time is up, and the edits are made that
// are spread over it.
func (f *flapper) play(ctx context.Context, op *operator, long time.Duration) (took time.Duration, edits []edited, err error) {
	group, playing := errgroup.WithContext(ctx)
	begin, over := time.Now(), make(chan struct{})
	group.Go(func() (err error) {
		defer close(over)
		if edits, err = f.edit(playing, op, begin, long); err != nil {
			return err
		}
		return sleep(playing, time.Until(begin.Add(long)))
	})
	var next atomic.Int64
	for range flapAtOnce {
		group.Go(func() error {
			for {
				i := next.Add(1) - 1
				due := begin.Add(time.Duration(i) * flapPeriod / time.Duration(len(f.pods)))
				select {
				case <-playing.Done():
					return playing.Err()
				case <-over:
					return nil
				case <-time.After(time.Until(due)):
				}
				if err := f.change(playing, &f.pods[i%int64(len(f.pods))]); err != nil {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return 0, nil, err
	}
	took = time.Since(begin)
	return took, edits, f.readiness.await(ctx, flapPatience)
}

// edit changes other tenancies, one after the other.
func (f *flapper) edit(ctx context.Context, op *operator, begin time.Time, long time.Duration) ([]edited, error) {
	_, n := f.workload.flapping()
	var out []edited
	for i := range n {
		due := begin.Add(long * time.Duration(2*i+1) / time.Duration(2*n))
		if err := sleep(ctx, time.Until(due)); err != nil {
			return nil, err
		}
		one, _, err := op.editOne(ctx, f.workload.Tenancies-1-i, flapGrace)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// change makes a pod ready, or not ready, in its turn.
func (f *flapper) change(ctx context.Context, pod *corev1.Pod) error {
	key := podKey{pod.Namespace, pod.Name}
	ready, due := f.readiness.turn(key)
	if !due {
		return nil
	}
	if err := f.set(ctx, pod, ready); err != nil {
		return err
	}
	f.readiness.answered(key, time.Now())
	return nil
}

// restore makes all pods ready.
func (f *flapper) restore(ctx context.Context) error {
	unready := map[podKey]bool{}
	for _, key := range f.readiness.unready() {
		unready[key] = true
	}
	return each(ctx, len(f.pods), flapAtOnce, func(ctx context.Context, i int) error {
		pod := &f.pods[i]
		if !unready[podKey{pod.Namespace, pod.Name}] {
			return nil
		}
		return f.set(ctx, pod, true)
	})
}

func (f *flapper) set(ctx context.Context, pod *corev1.Pod, ready bool) error {
	patch, err := readinessPatch(pod, ready, metav1.Now())
	if err != nil {
		return err
	}
	_, err = f.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil {
		return fmt.Errorf("patch the status of pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return nil
}

// readinessPatch says of a pod what a kubelet says whose readiness probe succeeds or fails.
func readinessPatch(pod *corev1.Pod, ready bool, now metav1.Time) ([]byte, error) {
	containers := append([]corev1.ContainerStatus(nil), pod.Status.ContainerStatuses...)
	for i := range containers {
		containers[i].Ready = ready
	}
	status, reason := corev1.ConditionTrue, ""
	if !ready {
		status, reason = corev1.ConditionFalse, "ContainersNotReady"
	}
	var conditions []map[string]any
	for _, kind := range []corev1.PodConditionType{corev1.PodReady, corev1.ContainersReady} {
		conditions = append(conditions, map[string]any{"type": kind, "status": status, "reason": reason, "lastTransitionTime": now})
	}
	text, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": conditions, "containerStatuses": containers}})
	if err != nil {
		return nil, fmt.Errorf("encode the status of pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return text, nil
}
