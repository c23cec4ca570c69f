package status

import (
	corev1 "k8s.io/api/core/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// judgePod says in a pod's reason what kubectl get shows as its status.
func judgePod(p *corev1.Pod, nodes Nodes) pod {
	out := pod{PodStatus: v1alpha1.PodStatus{
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
	out.Reason, out.faulty = whyNotReady(p)
	return out
}

// whyNotReady gives the reason of a pod that is not ready, and whether it is a
// fault rather than a start.
func whyNotReady(p *corev1.Pod) (reason string, faulty bool) {
	if p.Status.Reason != "" {
		return p.Status.Reason, true
	}
	for _, statuses := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for _, c := range statuses {
			if reason, faulty := whyContainer(c); reason != "" {
				return reason, faulty
			}
		}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Reason, c.Reason == corev1.PodReasonUnschedulable
		}
	}
	switch p.Status.Phase {
	case corev1.PodSucceeded:
		return "Completed", false
	case corev1.PodFailed:
		return "Failed", true
	case corev1.PodRunning:
		return "NotReady", restarted(p)
	}
	return "", false
}

// whyContainer gives why a container does not run; empty when it does, or has
// ended as it should.
func whyContainer(c corev1.ContainerStatus) (reason string, faulty bool) {
	switch {
	case c.State.Waiting != nil:
		switch c.State.Waiting.Reason {
		case "", "ContainerCreating", "PodInitializing":
			return c.State.Waiting.Reason, c.RestartCount > 0
		}
		return c.State.Waiting.Reason, true
	case c.State.Terminated != nil && c.State.Terminated.ExitCode != 0:
		if c.State.Terminated.Reason == "" {
			return "Error", true
		}
		return c.State.Terminated.Reason, true
	}
	return "", false
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
