package release

import (
	"fmt"

	"helm.sh/helm/v3/pkg/kube"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/resource"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Helm marks every object of a release with these.
const (
	managedBy        = "app.kubernetes.io/managed-by"
	releaseName      = "meta.helm.sh/release-name"
	releaseNamespace = "meta.helm.sh/release-namespace"
)

// own marks an object of the chart as Helm does when it writes it.
func own(object runtime.Object, key tenancy.Key) error {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	labels, annotations := accessor.GetLabels(), accessor.GetAnnotations()
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	labels[managedBy] = "Helm"
	annotations[releaseName], annotations[releaseNamespace] = key.Name, key.Namespace
	accessor.SetLabels(labels)
	accessor.SetAnnotations(annotations)
	return nil
}

// foreign says that an object is none of a release's: of another one, or of nobody,
// unless it may be adopted.
func foreign(object metav1.Object, rel tenancy.Release) bool {
	annotations := object.GetAnnotations()
	name, namespace := annotations[releaseName], annotations[releaseNamespace]
	if name == "" && rel.Adopt {
		return false
	}
	return name != rel.Key.Name || namespace != rel.Key.Namespace
}

// mine keeps of the objects that a record names those that are the release's, or gone
// already. A record can be written by others, and must not lead to what is theirs.
func (k *kubeClient) mine(resources kube.ResourceList) (kube.ResourceList, error) {
	var out kube.ResourceList
	for _, info := range resources {
		live, err := resource.NewHelper(info.Client, info.Mapping).Get(info.Namespace, info.Name)
		if apierrors.IsNotFound(err) {
			out = append(out, info)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look whose %s is: %w", identify(info), err)
		}
		object, err := meta.Accessor(live)
		if err != nil {
			return nil, err
		}
		if foreign(object, tenancy.Release{Key: k.key}) {
			k.Log("warning: %s is not of this release, and is left alone", identify(info))
			k.leave(identify(info))
			continue
		}
		out = append(out, info)
	}
	return out, nil
}

// leave notes an object that is not the release's.
func (k *kubeClient) leave(object tenancy.Object) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left == nil {
		k.left = map[tenancy.Object]bool{}
	}
	k.left[object] = true
}

// without keeps the objects that are not left alone.
func (k *kubeClient) without(resources kube.ResourceList) kube.ResourceList {
	k.mu.Lock()
	defer k.mu.Unlock()
	return resources.Filter(func(info *resource.Info) bool { return !k.left[identify(info)] })
}
