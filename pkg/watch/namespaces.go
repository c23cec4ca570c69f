package watch

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

// newNamespaces follows which namespaces the cluster has, whether they are being deleted,
// and their labels and annotations; onMarks is told where these change.
func newNamespaces(client metadata.Interface, meter meter, onChange func(), onMarks func(namespace string)) (cache.SharedIndexInformer, error) {
	informer := metadatainformer.NewFilteredMetadataInformer(client,
		corev1.SchemeGroupVersion.WithResource("namespaces"), metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer()
	if err := informer.SetTransform(slimNamespace); err != nil {
		return nil, err
	}
	_, err := informer.AddEventHandler(meter.of("namespaces", cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { onMarks(nameOf(obj)); onChange() },
		UpdateFunc: func(before, after any) {
			if lives(before) != lives(after) {
				onChange()
			}
			if !sameMarks(before, after) {
				onMarks(nameOf(after))
			}
		},
		DeleteFunc: func(obj any) { onMarks(nameOf(obj)); onChange() },
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
	slimmed.DeletionTimestamp, slimmed.Labels, slimmed.Annotations = o.DeletionTimestamp, o.Labels, o.Annotations
	delete(slimmed.Annotations, corev1.LastAppliedConfigAnnotation)
	return slimmed, nil
}

func nameOf(obj any) string {
	if o, err := meta.Accessor(last(obj)); err == nil {
		return o.GetName()
	}
	return ""
}

func sameMarks(a, b any) bool {
	before, ok := a.(*metav1.PartialObjectMetadata)
	after, also := b.(*metav1.PartialObjectMetadata)
	return ok && also && maps.Equal(before.Labels, after.Labels) && maps.Equal(before.Annotations, after.Annotations)
}
