package status

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// deployment judges as kubectl rollout status does.
func deployment(d *appsv1.Deployment) workload {
	w := named("Deployment", &d.ObjectMeta, d.Spec.Selector)
	w.Desired = replicas(d.Spec.Replicas)
	w.Ready, w.Updated, w.Available = d.Status.ReadyReplicas, d.Status.UpdatedReplicas, d.Status.AvailableReplicas
	current := d.Status.ObservedGeneration >= d.Generation
	w.ready = current &&
		d.Status.UpdatedReplicas >= w.Desired &&
		d.Status.Replicas <= d.Status.UpdatedReplicas &&
		d.Status.AvailableReplicas >= w.Desired
	for _, c := range d.Status.Conditions {
		switch {
		case !current:
		case c.Type == appsv1.DeploymentProgressing:
			// The rollout is over: either it was complete once, or it gave up.
			w.settled = c.Reason == "NewReplicaSetAvailable" || c.Status == corev1.ConditionFalse
		case c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue:
			w.refused = steady(c.Message)
		}
	}
	return w
}

func statefulSet(s *appsv1.StatefulSet) workload {
	w := named("StatefulSet", &s.ObjectMeta, s.Spec.Selector)
	w.Desired = replicas(s.Spec.Replicas)
	w.Ready, w.Updated, w.Available = s.Status.ReadyReplicas, s.Status.UpdatedReplicas, s.Status.AvailableReplicas
	current := s.Status.ObservedGeneration >= s.Generation
	w.ready = current && s.Status.AvailableReplicas >= w.Desired && s.Status.Replicas <= w.Desired &&
		s.Status.UpdatedReplicas >= w.Desired-partition(s)
	return w
}

// partition is how many pods of a StatefulSet are meant to stay as they were.
func partition(s *appsv1.StatefulSet) int32 {
	switch u := s.Spec.UpdateStrategy; {
	case u.Type == appsv1.OnDeleteStatefulSetStrategyType:
		return replicas(s.Spec.Replicas)
	case u.RollingUpdate != nil && u.RollingUpdate.Partition != nil:
		return *u.RollingUpdate.Partition
	}
	return 0
}

func daemonSet(d *appsv1.DaemonSet) workload {
	w := named("DaemonSet", &d.ObjectMeta, d.Spec.Selector)
	w.Desired = d.Status.DesiredNumberScheduled
	w.Ready, w.Updated, w.Available = d.Status.NumberReady, d.Status.UpdatedNumberScheduled, d.Status.NumberAvailable
	current := d.Status.ObservedGeneration >= d.Generation
	w.ready = current && d.Status.NumberAvailable >= w.Desired &&
		(d.Status.UpdatedNumberScheduled >= w.Desired || d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType)
	return w
}

func named(kind string, meta *metav1.ObjectMeta, selector *metav1.LabelSelector) workload {
	w := workload{
		WorkloadStatus: v1alpha1.WorkloadStatus{Kind: kind, Name: meta.Name},
		release:        releaseOf(meta),
		uid:            meta.UID,
		at:             resourceVersion(meta),
		selector:       labels.Nothing(),
	}
	if s, err := metav1.LabelSelectorAsSelector(selector); err == nil {
		w.selector = s
	}
	return w
}

func resourceVersion(meta *metav1.ObjectMeta) uint64 {
	at, _ := strconv.ParseUint(meta.ResourceVersion, 10, 64)
	return at
}

// replicas is what Kubernetes takes a missing count for.
func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}
