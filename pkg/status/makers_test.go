package status_test

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func object(name, release string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: "a", Generation: 2,
		Annotations: map[string]string{"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": "a"},
	}
}

func selector(app string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
}

// deployment is one that runs as it should, before changes.
func deployment(name, release string, n int32, change ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: object(name, release),
		Spec:       appsv1.DeploymentSpec{Replicas: new(n), Selector: selector(name)},
		Status: appsv1.DeploymentStatus{
			ObservedGeneration: 2, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
			Conditions: []appsv1.DeploymentCondition{{
				Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "ReplicaSetUpdated",
			}},
		},
	}
	for _, c := range change {
		c(d)
	}
	return d
}

// owned is a ready pod of a Deployment.
func owned(name, deployment string, change ...func(*corev1.Pod)) *corev1.Pod {
	yes := true
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "a",
			Labels:          map[string]string{"app": deployment, "pod-template-hash": "f57b"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: deployment + "-f57b", Controller: &yes}},
		},
		Spec: corev1.PodSpec{NodeName: "node"},
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{Ready: true}},
		},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func notReady(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }

func crashing(p *corev1.Pod) {
	notReady(p)
	p.Status.ContainerStatuses[0] = corev1.ContainerStatus{
		RestartCount: 4,
		State:        corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
	}
}

func rel(name string) tenancy.Release {
	return tenancy.Release{
		Key: tenancy.Key{Namespace: "a", Name: name}, Digest: "d",
		Chart: tenancy.Chart{Name: "web", Version: "1.0.0", AppVersion: "1"},
	}
}

func deployed(name string) tenancy.Observed {
	return tenancy.Observed{
		Key: tenancy.Key{Namespace: "a", Name: name}, Revision: 3, Phase: tenancy.PhaseDeployed, Digest: "d",
		Chart: "web", ChartVersion: "1.0.0", Since: time.Unix(1e9, 0),
	}
}

// facts are those of one tenancy whose releases are deployed.
func facts(objects status.Objects, releases ...string) status.Facts {
	f := status.Facts{
		Generation: 7,
		Desired:    []tenancy.Tenancy{{Namespace: "a"}},
		Objects:    map[string]status.Objects{"a": objects},
		Work:       map[tenancy.Key]status.Work{},
	}
	for _, name := range releases {
		f.Desired[0].Releases = append(f.Desired[0].Releases, rel(name))
		f.Observed = append(f.Observed, deployed(name))
	}
	return f
}
