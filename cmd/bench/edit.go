package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// editCount is how many single edits are timed, one after the other, each in
// another tenancy.
const editCount = 30

// edited is how long one edit took, from its sending. Those that have no Controller
// know Changed alone.
type edited struct {
	Answered time.Duration // until the API server answered: the Controller is stored
	Changed  time.Duration // until a watch showed the Deployment with the new setting
	Ready    time.Duration // until the Controller was Ready again; 0 when nobody looked
}

// fromStored is how long the Deployment took from when the Controller was stored: 0
// when a watch showed it before the answer had arrived.
func (e edited) fromStored() time.Duration { return max(e.Changed-e.Answered, 0) }

// timeEdit follows the Deployment of a tenancy, calls send, which gives it the grace
// period, and times the change. It returns when the new pods run.
func timeEdit(ctx context.Context, client kubernetes.Interface, tenancy int, grace int64, send func(context.Context) error) (edited, error) {
	following, err := client.AppsV1().Deployments(namespace(tenancy)).Watch(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, deploymentName).String(),
	})
	if err != nil {
		return edited{}, fmt.Errorf("watch Deployment %s/%s: %w", namespace(tenancy), deploymentName, err)
	}
	defer following.Stop()
	// The first event tells how it is now; from then on nothing is missed.
	if _, err := nextDeployment(ctx, following); err != nil {
		return edited{}, err
	}
	begin := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- send(ctx) }()
	var out edited
	for done := false; !done; {
		d, err := nextDeployment(ctx, following)
		if err != nil {
			return edited{}, errors.Join(err, <-sent)
		}
		if out.Changed == 0 && *d.Spec.Template.Spec.TerminationGracePeriodSeconds == grace {
			out.Changed = time.Since(begin)
		}
		done = out.Changed > 0 && rolledOut(d)
	}
	return out, <-sent
}

func nextDeployment(ctx context.Context, following watch.Interface) (*appsv1.Deployment, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Minute):
		return nil, errors.New("the Deployment did not change within a minute")
	case event := <-following.ResultChan():
		d, ok := event.Object.(*appsv1.Deployment)
		if !ok {
			return nil, fmt.Errorf("the watch of the Deployment ended: %v", event.Object)
		}
		return d, nil
	}
}

// rolledOut says that all pods of a Deployment are as its spec says, and no others are left.
func rolledOut(d *appsv1.Deployment) bool {
	want := *d.Spec.Replicas
	s := d.Status
	return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == want && s.ReadyReplicas == want && s.Replicas == want
}

// settle waits until all pods of the workload run, of the revision that was made last.
func settle(ctx context.Context, client kubernetes.Interface, w workload) error {
	for {
		left, err := unsettled(ctx, client, w)
		if err != nil || left == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// unsettled counts the workloads that are missing or not rolled out.
func unsettled(ctx context.Context, client kubernetes.Interface, w workload) (int, error) {
	fromCache := metav1.ListOptions{ResourceVersion: "0"}
	deployments, err := client.AppsV1().Deployments("").List(ctx, fromCache)
	if err != nil {
		return 0, fmt.Errorf("list Deployments: %w", err)
	}
	sets, err := client.AppsV1().StatefulSets("").List(ctx, fromCache)
	if err != nil {
		return 0, fmt.Errorf("list StatefulSets: %w", err)
	}
	left := 2 * w.Tenancies
	for i := range deployments.Items {
		if rolledOut(&deployments.Items[i]) {
			left--
		}
	}
	for _, s := range sets.Items {
		if s.Status.ObservedGeneration >= s.Generation && s.Status.ReadyReplicas == *s.Spec.Replicas {
			left--
		}
	}
	return left, nil
}
