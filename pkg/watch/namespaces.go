package watch

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

// newNamespaces follows which namespaces the cluster has: their names, and whether
// they are being deleted.
func newNamespaces(client metadata.Interface, meter meter, onChange func()) (cache.SharedIndexInformer, error) {
	informer := metadatainformer.NewFilteredMetadataInformer(client,
		corev1.SchemeGroupVersion.WithResource("namespaces"), metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer()
	if err := informer.SetTransform(slimNamespace); err != nil {
		return nil, err
	}
	_, err := informer.AddEventHandler(meter.of("namespaces", cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { onChange() },
		UpdateFunc: func(before, after any) {
			if lives(before) != lives(after) {
				onChange()
			}
		},
		DeleteFunc: func(any) { onChange() },
	}))
	return informer, err
}

// Lives says that a namespace exists and is not being deleted, as last seen.
func (w *Watcher) Lives(namespace string) bool {
	item, exists, _ := w.existing.GetStore().GetByKey(namespace)
	return exists && lives(item)
}

func lives(item any) bool {
	o, ok := item.(*metav1.PartialObjectMetadata)
	return ok && o.DeletionTimestamp == nil
}

func slimNamespace(object any) (any, error) {
	o, ok := object.(*metav1.PartialObjectMetadata)
	if !ok {
		return object, nil
	}
	slimmed := &metav1.PartialObjectMetadata{TypeMeta: o.TypeMeta, ObjectMeta: identity(o.ObjectMeta)}
	slimmed.DeletionTimestamp = o.DeletionTimestamp
	return slimmed, nil
}
