// Package status says how things are: the verdict on each workload and pod,
// which of them belongs to which release, and the rollup of all facts into the
// status of a Controller. It does no I/O.
package status

import (
	"cmp"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// Helm puts these on every object of a release.
const (
	annotationReleaseName      = "meta.helm.sh/release-name"
	annotationReleaseNamespace = "meta.helm.sh/release-namespace"
)

// Objects is what lives in one namespace.
type Objects struct {
	Deployments  []*appsv1.Deployment
	StatefulSets []*appsv1.StatefulSet
	DaemonSets   []*appsv1.DaemonSet
	Pods         []*corev1.Pod
	// Warnings are the Warning events about what lives here.
	Warnings []*corev1.Event
	// Look is the number of the look at which all this was found; 0 for none. Two that
	// have the same are the same.
	Look uint64
}

// Nodes tells of each node whether it is ready. A nil map means that nodes are
// not known, and no pod is called lost.
type Nodes map[string]bool

// lost gives the reason why a pod cannot be trusted to run; empty when it can.
func (n Nodes) lost(pod *corev1.Pod) string {
	if n == nil || pod.Spec.NodeName == "" {
		return ""
	}
	ready, exists := n[pod.Spec.NodeName]
	switch {
	case !exists:
		return "NodeLost"
	case !ready:
		return "NodeNotReady"
	}
	return ""
}

// workload is the verdict on a Deployment, StatefulSet or DaemonSet.
type workload struct {
	v1alpha1.WorkloadStatus
	release  string
	uid      types.UID
	at       uint64 // its resource version
	selector labels.Selector
	// ready: everything wanted is updated and available.
	ready bool
	// settled: it was ready before, or cannot become so by waiting; not ready
	// then is a fault, not a start.
	settled bool
	// refused is why its pods are not even made, such as for a quota; empty when
	// they are.
	refused string
}

type pod struct {
	v1alpha1.PodStatus
	culprit
	release string
	uid     types.UID
}

// inventory is what a namespace holds, each thing with its release.
type inventory struct {
	workloads []workload
	pods      []pod
	warnings  map[types.UID]string // the last one about each object
}

// take judges every object of a namespace and finds its release.
func take(objects Objects, nodes Nodes, now time.Time) inventory {
	inv := inventory{warnings: warnings(objects.Warnings)}
	for _, d := range objects.Deployments {
		inv.workloads = append(inv.workloads, deployment(d))
	}
	for _, s := range objects.StatefulSets {
		inv.workloads = append(inv.workloads, statefulSet(s))
	}
	for _, d := range objects.DaemonSets {
		inv.workloads = append(inv.workloads, daemonSet(d))
	}
	slices.SortFunc(inv.workloads, func(a, b workload) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	for _, p := range objects.Pods {
		inv.addPod(p, nodes, now)
	}
	slices.SortFunc(inv.pods, func(a, b pod) int { return cmp.Compare(a.Name, b.Name) })
	return inv
}

// addPod judges a pod. What a lost node still claims is taken off its workload.
func (inv *inventory) addPod(p *corev1.Pod, nodes Nodes, now time.Time) {
	judged := judgePod(p, nodes, now)
	if w := inv.ownerOf(p); w != nil {
		judged.Workload, judged.release = w.Name, w.release
		if nodes.lost(p) != "" && podReady(p) {
			w.Ready = max(w.Ready-1, 0)
			w.Available = max(w.Available-1, 0)
			w.ready, w.settled = false, true
		}
	} else if metav1.GetControllerOf(p) == nil {
		judged.release = releaseOf(&p.ObjectMeta)
	}
	inv.pods = append(inv.pods, judged)
}

// ownerOf finds the workload that made a pod. A Deployment's ReplicaSet is named
// like the Deployment and the hash that its pods carry as a label.
func (inv *inventory) ownerOf(p *corev1.Pod) *workload {
	owner := metav1.GetControllerOf(p)
	if owner == nil {
		return nil
	}
	kind, name := owner.Kind, owner.Name
	if kind == "ReplicaSet" {
		hash := p.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
		stem, ok := strings.CutSuffix(name, "-"+hash)
		if !ok || hash == "" {
			return nil
		}
		kind, name = "Deployment", stem
	}
	for i := range inv.workloads {
		w := &inv.workloads[i]
		if w.Kind == kind && w.Name == name && w.selector.Matches(labels.Set(p.Labels)) {
			return w
		}
	}
	return nil
}

// releaseOf is the release an object was made by; empty when by none.
func releaseOf(meta *metav1.ObjectMeta) string {
	if meta.Annotations[annotationReleaseNamespace] != meta.Namespace {
		return ""
	}
	return meta.Annotations[annotationReleaseName]
}
