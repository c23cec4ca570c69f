package release

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v3/pkg/kube"
	helmrelease "helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/resource"

	"multitenancy.dev/multi-tenancy-operator/pkg/drift"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// fieldManager is what the API server calls the operator, as Helm names it.
const fieldManager = "multi-tenancy-operator"

// kubeClient is Helm's client of the cluster for one operation. It notes which
// objects were written and how they look then, and parks the worker while Helm waits.
type kubeClient struct {
	*kube.Client
	key  tenancy.Key
	park func(wait func() error) error
	memo *memo
	gate gate

	mu      sync.Mutex
	objects []tenancy.Object
	deletes []error
	// left are the objects that a record names and that are not the release's.
	left map[tenancy.Object]bool
}

func newKube(g getter, key tenancy.Key, park func(func() error) error, log func(string, ...any)) *kubeClient {
	return &kubeClient{
		Client: &kube.Client{Factory: factory{g}, Namespace: key.Namespace, Log: log},
		key:    key,
		park:   park,
		memo:   g.memo,
		gate:   g.gate,
	}
}

// IsReachable implements kube.Interface: the first request of the operation
// tells, without one more.
func (k *kubeClient) IsReachable() error { return nil }

// Create implements kube.Interface.
func (k *kubeClient) Create(resources kube.ResourceList) (*kube.Result, error) {
	result, err := k.Client.Create(resources)
	k.note(resources)
	return result, err
}

// Update implements kube.Interface.
func (k *kubeClient) Update(original, target kube.ResourceList, force bool) (*kube.Result, error) {
	return k.update(k.Client.Update, original, target, force)
}

// UpdateThreeWayMerge implements kube.InterfaceThreeWayMerge: Helm updates so what
// it adopts.
func (k *kubeClient) UpdateThreeWayMerge(original, target kube.ResourceList, force bool) (*kube.Result, error) {
	return k.update(k.Client.UpdateThreeWayMerge, original, target, force)
}

// update is an update of Helm's that deletes, of what the chart has no more, what is
// the release's.
func (k *kubeClient) update(
	helm func(original, target kube.ResourceList, force bool) (*kube.Result, error), original, target kube.ResourceList, force bool,
) (*kube.Result, error) {
	gone, err := k.mine(original.Difference(target))
	if err != nil {
		return &kube.Result{}, err
	}
	var result *kube.Result
	k.memo.during(func() {
		k.look(target)
		result, err = helm(append(original.Intersect(target), gone...), target, force)
	})
	k.note(target)
	return result, err
}

// looks is how many objects are asked for at a time.
const looks = 8

// look asks for objects side by side, for Helm to find them in the memo: it asks for one
// after the other. What fails is asked for again by Helm, which tells of it.
func (k *kubeClient) look(resources kube.ResourceList) {
	var group errgroup.Group
	group.SetLimit(looks)
	for _, info := range resources {
		group.Go(func() error {
			_, _ = resource.NewHelper(info.Client, info.Mapping).Get(info.Namespace, info.Name)
			return nil
		})
	}
	_ = group.Wait()
}

// untilGone is how long to wait before asking again for an object that is being deleted.
const untilGone = 2 * time.Second

// WaitForDelete implements kube.InterfaceExt: a finalizer may take long. It asks for
// each object until that is gone; Helm's own then asks for its namespace as well, and
// again for all those before it.
func (k *kubeClient) WaitForDelete(resources kube.ResourceList, timeout time.Duration) error {
	left := k.without(resources)
	return k.park(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), timeout) //nolint:forbidigo // Helm hands no context down to its client
		defer cancel()
		return wait.PollUntilContextCancel(ctx, untilGone, true, func(context.Context) (bool, error) {
			for len(left) > 0 {
				_, err := resource.NewHelper(left[0].Client, left[0].Mapping).Get(left[0].Namespace, left[0].Name)
				if !apierrors.IsNotFound(err) {
					return false, err
				}
				left = left[1:]
			}
			return true, nil
		})
	})
}

// GetPodList implements kube.InterfaceLogs, which Helm asks for when a hook wants its
// logs printed. There is nobody to read them, and values may be in them; Helm's
// own client panics.
func (k *kubeClient) GetPodList(string, metav1.ListOptions) (*corev1.PodList, error) {
	return &corev1.PodList{}, nil
}

// DeleteWithPropagationPolicy implements kube.InterfaceDeletionPropagation. Helm
// hides why a deletion failed, so it is kept here.
func (k *kubeClient) DeleteWithPropagationPolicy(resources kube.ResourceList, policy metav1.DeletionPropagation) (*kube.Result, []error) {
	resources, err := k.mine(resources)
	if err != nil {
		return nil, []error{err}
	}
	if len(resources) == 0 {
		return &kube.Result{}, nil
	}
	result, errs := k.Client.DeleteWithPropagationPolicy(resources, policy)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.deletes = append(k.deletes, errs...)
	return result, errs
}

// deleteError is why deletions failed; nil when none did.
func (k *kubeClient) deleteError() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return errors.Join(k.deletes...)
}

// note keeps what the API server has taken. Hooks are no part of the release.
func (k *kubeClient) note(resources kube.ResourceList) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, info := range resources {
		object, err := meta.Accessor(info.Object)
		if err != nil || object.GetUID() == "" {
			continue // never reached the API server
		}
		if _, hook := object.GetAnnotations()[helmrelease.HookAnnotation]; hook {
			continue
		}
		k.objects = append(k.objects, snapshot(info, object))
	}
}

// noted lists what was written.
func (k *kubeClient) noted() []tenancy.Object {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.objects)
}

// snapshot is an object as it looks now to those that follow it: without Helm's
// label it is not seen.
func snapshot(info *resource.Info, object metav1.Object) tenancy.Object {
	id := identify(info)
	id.At = drift.At(object)
	if object.GetLabels()[managedBy] == "Helm" {
		id.Mark = drift.Mark(object)
	}
	return id
}

// identify names the object of info.
func identify(info *resource.Info) tenancy.Object {
	gvk := info.Mapping.GroupVersionKind
	return tenancy.Object{
		Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Resource: info.Mapping.Resource.Resource,
		Namespace: info.Namespace, Name: info.Name,
	}
}

var (
	_ kube.Interface                    = (*kubeClient)(nil)
	_ kube.InterfaceLogs                = (*kubeClient)(nil)
	_ kube.InterfaceExt                 = (*kubeClient)(nil)
	_ kube.InterfaceThreeWayMerge       = (*kubeClient)(nil)
	_ kube.InterfaceDeletionPropagation = (*kubeClient)(nil)
)
