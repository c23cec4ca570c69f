package status

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// judgePod says in a pod's reason what kubectl get shows as its status.
func judgePod(p *corev1.Pod, nodes Nodes, now time.Time) pod {
	out := pod{uid: p.UID, PodStatus: v1alpha1.PodStatus{
		Name:  p.Name,
		Phase: string(p.Status.Phase),
		Ready: podReady(p),
	}}
	for _, c := range p.Status.InitContainerStatuses {
		out.Restarts += c.RestartCount
	}
	for _, c := range p.Status.ContainerStatuses {
		out.Restarts += c.RestartCount
	}
	if out.Phase == "" {
		out.Phase = "Pending"
	}
	if lost := nodes.lost(p); lost != "" {
		out.Ready, out.Reason, out.faulty = false, lost, true
		return out
	}
	if p.DeletionTimestamp != nil {
		out.Reason = "Terminating"
		return out
	}
	if out.Ready {
		return out
	}
	out.culprit = blame(p, now)
	out.Reason = out.reason
	return out
}

func restarted(p *corev1.Pod) bool {
	for _, c := range p.Status.ContainerStatuses {
		if c.RestartCount > 0 {
			return true
		}
	}
	return false
}

func podReady(p *corev1.Pod) bool {
	if p.DeletionTimestamp != nil {
		return false
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
