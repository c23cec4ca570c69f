package main

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// KWOK acts on nodes with this label only: a real kubelet may join beside them.
const nodeLabel, nodeLabelValue = "type", "kwok"

// createObjects makes what a new cluster has from the start: the nodes and the
// default StorageClass.
func createObjects(ctx context.Context, client kubernetes.Interface, nodes int) error {
	if _, err := client.StorageV1().StorageClasses().Create(ctx, storageClass(), metav1.CreateOptions{}); ignoreExists(err) != nil {
		return fmt.Errorf("create StorageClass standard: %w", err)
	}
	for i := range nodes {
		n := node("kwok-" + strconv.Itoa(i))
		if _, err := client.CoreV1().Nodes().Create(ctx, n, metav1.CreateOptions{}); ignoreExists(err) != nil {
			return fmt.Errorf("create node %s: %w", n.Name, err)
		}
	}
	return nil
}

// ignoreExists lets a creation be tried again when its answer was lost.
func ignoreExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func node(name string) *corev1.Node {
	room := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("256"),
		corev1.ResourceMemory:           resource.MustParse("1Ti"),
		corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
		corev1.ResourcePods:             resource.MustParse("5000"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			nodeLabel:              nodeLabelValue,
			corev1.LabelHostname:   name,
			corev1.LabelOSStable:   "linux",
			corev1.LabelArchStable: "amd64",
		}},
		Status: corev1.NodeStatus{Capacity: room, Allocatable: room},
	}
}

// storageClass is served by the stage volume-provision.
func storageClass() *storagev1.StorageClass {
	reclaim, binding := corev1.PersistentVolumeReclaimDelete, storagev1.VolumeBindingImmediate
	return &storagev1.StorageClass{
		ObjectMeta:        metav1.ObjectMeta{Name: "standard", Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}},
		Provisioner:       "localcluster/volumes",
		ReclaimPolicy:     &reclaim,
		VolumeBindingMode: &binding,
	}
}

// nodesReady returns an error that names a node which no pod can use yet.
func nodesReady(ctx context.Context, client kubernetes.Interface, want int) error {
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	if len(list.Items) < want {
		return fmt.Errorf("%d of %d nodes exist", len(list.Items), want)
	}
	for _, n := range list.Items {
		if !nodeReady(n) {
			return fmt.Errorf("node %s is not ready", n.Name)
		}
		if len(n.Spec.Taints) > 0 {
			return fmt.Errorf("node %s has the taint %s", n.Name, n.Spec.Taints[0].Key)
		}
	}
	return nil
}

func nodeReady(n corev1.Node) bool {
	for _, condition := range n.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// accountReady returns an error as long as pods in namespace default would be
// refused for want of a service account.
func accountReady(ctx context.Context, client kubernetes.Interface) error {
	_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
	return err
}
