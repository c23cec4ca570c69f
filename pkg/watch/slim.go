package watch

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// slim keeps of an object what is asked for, so that following a namespace
// costs little memory.
func slim(object any) (any, error) {
	switch o := object.(type) {
	case *corev1.Pod:
		return &corev1.Pod{
			ObjectMeta: slimMeta(o.ObjectMeta),
			Spec:       corev1.PodSpec{NodeName: o.Spec.NodeName},
			Status: corev1.PodStatus{
				Phase: o.Status.Phase, Reason: o.Status.Reason, Message: cut(o.Status.Message), Conditions: slimConditions(o.Status.Conditions),
				InitContainerStatuses: slimContainers(o.Status.InitContainerStatuses),
				ContainerStatuses:     slimContainers(o.Status.ContainerStatuses),
			},
		}, nil
	case *appsv1.Deployment:
		return &appsv1.Deployment{
			ObjectMeta: slimMeta(o.ObjectMeta),
			Spec:       appsv1.DeploymentSpec{Replicas: o.Spec.Replicas, Selector: o.Spec.Selector},
			Status:     o.Status,
		}, nil
	case *appsv1.StatefulSet:
		return &appsv1.StatefulSet{
			ObjectMeta: slimMeta(o.ObjectMeta),
			Spec: appsv1.StatefulSetSpec{
				Replicas: o.Spec.Replicas, Selector: o.Spec.Selector, UpdateStrategy: o.Spec.UpdateStrategy,
			},
			Status: o.Status,
		}, nil
	case *appsv1.DaemonSet:
		return &appsv1.DaemonSet{
			ObjectMeta: slimMeta(o.ObjectMeta),
			Spec:       appsv1.DaemonSetSpec{Selector: o.Spec.Selector, UpdateStrategy: o.Spec.UpdateStrategy},
			Status:     o.Status,
		}, nil
	case *corev1.Node:
		return &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: o.Name, UID: o.UID, ResourceVersion: o.ResourceVersion},
			Status:     corev1.NodeStatus{Conditions: o.Status.Conditions},
		}, nil
	case *corev1.ConfigMap:
		return &corev1.ConfigMap{ObjectMeta: identity(o.ObjectMeta), Data: o.Data, BinaryData: o.BinaryData}, nil
	case *corev1.Secret:
		return &corev1.Secret{ObjectMeta: identity(o.ObjectMeta), Data: o.Data}, nil
	}
	return object, nil
}

// identity keeps what an informer needs itself.
func identity(m metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: m.Name, Namespace: m.Namespace, UID: m.UID, ResourceVersion: m.ResourceVersion}
}

func slimMeta(m metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: m.Name, Namespace: m.Namespace, UID: m.UID,
		ResourceVersion: m.ResourceVersion, Generation: m.Generation,
		DeletionTimestamp: m.DeletionTimestamp, CreationTimestamp: m.CreationTimestamp,
		Labels: m.Labels, Annotations: slimAnnotations(m.Annotations), OwnerReferences: m.OwnerReferences,
	}
}

// slimAnnotations keeps those that Helm marks the objects of a release with.
func slimAnnotations(all map[string]string) map[string]string {
	var out map[string]string
	for _, key := range []string{"meta.helm.sh/release-name", "meta.helm.sh/release-namespace"} {
		if value, ok := all[key]; ok {
			if out == nil {
				out = map[string]string{}
			}
			out[key] = value
		}
	}
	return out
}

func slimConditions(all []corev1.PodCondition) []corev1.PodCondition {
	var out []corev1.PodCondition
	for _, c := range all {
		switch c.Type {
		case corev1.PodReady, corev1.PodScheduled:
			kept := corev1.PodCondition{Type: c.Type, Status: c.Status, Reason: c.Reason}
			if c.Type == corev1.PodScheduled {
				kept.Message = cut(c.Message)
			}
			out = append(out, kept)
		}
	}
	return out
}

func slimContainers(all []corev1.ContainerStatus) []corev1.ContainerStatus {
	var out []corev1.ContainerStatus
	for _, c := range all {
		kept := corev1.ContainerStatus{Name: c.Name, Ready: c.Ready, RestartCount: c.RestartCount}
		if w := c.State.Waiting; w != nil {
			kept.State.Waiting = &corev1.ContainerStateWaiting{Reason: w.Reason, Message: cut(w.Message)}
		}
		if r := c.State.Running; r != nil && !c.Ready {
			kept.State.Running = &corev1.ContainerStateRunning{StartedAt: r.StartedAt}
		}
		kept.State.Terminated = slimEnd(c.State.Terminated)
		kept.LastTerminationState.Terminated = slimEnd(c.LastTerminationState.Terminated)
		out = append(out, kept)
	}
	return out
}

// slimEnd keeps how a container ended, and not what it wrote last.
func slimEnd(t *corev1.ContainerStateTerminated) *corev1.ContainerStateTerminated {
	if t == nil {
		return nil
	}
	return &corev1.ContainerStateTerminated{Reason: t.Reason, ExitCode: t.ExitCode}
}
