package watch

import (
	"context"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"multitenancy.dev/multi-tenancy-operator/pkg/drift"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// annotationMark keeps the mark of an object when everything else about it is dropped.
const annotationMark = "mark"

// holdings follows the objects of releases, of whatever kind: how each looks, and
// no more. There is one informer for a kind, however many releases hold it.
type holdings struct {
	client   metadata.Interface
	meter    meter
	onChange func()

	mu    sync.Mutex
	kinds map[schema.GroupVersionResource]*kind
}

type kind struct {
	informer cache.SharedIndexInformer
	synced   cache.InformerSynced
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

func newHoldings(client metadata.Interface, meter meter, onChange func()) *holdings {
	return &holdings{client: client, meter: meter, onChange: onChange, kinds: map[schema.GroupVersionResource]*kind{}}
}

// settle starts and stops informers so that the wanted kinds are followed. What
// was stopped is waited for by stopping.
func (h *holdings) settle(ctx context.Context, wanted sets.Set[schema.GroupVersionResource], stopping *sync.WaitGroup) {
	h.mu.Lock()
	defer h.mu.Unlock()
	settle(h.kinds, wanted, stopping, func(gvr schema.GroupVersionResource) *kind { return h.follow(ctx, gvr) })
}

// stop ends the informer and waits for it.
func (k *kind) stop() {
	k.cancel()
	k.running.Wait()
}

func (h *holdings) follow(ctx context.Context, gvr schema.GroupVersionResource) *kind {
	ctx, cancel := context.WithCancel(ctx)
	informer := metadatainformer.NewFilteredMetadataInformer(h.client, gvr, metav1.NamespaceAll, 0, cache.Indexers{},
		func(o *metav1.ListOptions) { o.LabelSelector = "app.kubernetes.io/managed-by=Helm" }).Informer()
	// The errors are for informers that run already; this one does not.
	_ = informer.SetTransform(marked)
	registration, _ := informer.AddEventHandler(h.meter.of(gvr.GroupResource().String(), cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { h.onChange() },
		UpdateFunc: func(before, after any) {
			if markOf(before) != markOf(after) {
				h.onChange()
			}
		},
		DeleteFunc: func(any) { h.onChange() },
	}))
	k := &kind{informer: informer, synced: registration.HasSynced, cancel: cancel}
	k.running.Go(func() { informer.RunWithContext(ctx) })
	k.running.Go(func() {
		if cache.WaitForCacheSync(ctx.Done(), k.synced) {
			h.onChange() // what is missing has no event
		}
	})
	return k
}

// look tells how an object looks now. known is false as long as the informers may
// not have seen what the operator did to it last.
func (h *holdings) look(object tenancy.Object) (now tenancy.Object, known bool) {
	h.mu.Lock()
	k := h.kinds[resourceOf(object)]
	h.mu.Unlock()
	if k == nil || !k.synced() {
		return object, false
	}
	now = object.ID()
	name := object.Name
	if object.Namespace != "" {
		name = object.Namespace + "/" + object.Name
	}
	item, exists, _ := k.informer.GetStore().GetByKey(name)
	if !exists {
		last, err := strconv.ParseUint(k.informer.LastSyncResourceVersion(), 10, 64)
		return now, err == nil && last >= object.At
	}
	meta, ok := item.(*metav1.PartialObjectMetadata)
	if !ok {
		return object, false
	}
	now.Mark, now.At = meta.Annotations[annotationMark], drift.At(meta)
	return now, now.At >= object.At
}

// Look tells how an object of a release looks now. known is false as long as that
// is not known, or may be older than what the operator did to it last.
func (w *Watcher) Look(object tenancy.Object) (now tenancy.Object, known bool) {
	return w.holdings.look(object)
}

func resourceOf(o tenancy.Object) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: o.Group, Version: o.Version, Resource: o.Resource}
}

// marked keeps of an object its name and its mark.
func marked(object any) (any, error) {
	o, ok := object.(*metav1.PartialObjectMetadata)
	if !ok || o.Annotations[annotationMark] != "" && len(o.ManagedFields) == 0 {
		return object, nil
	}
	return &metav1.PartialObjectMetadata{TypeMeta: o.TypeMeta, ObjectMeta: metav1.ObjectMeta{
		Name: o.Name, Namespace: o.Namespace, UID: o.UID, ResourceVersion: o.ResourceVersion,
		Annotations: map[string]string{annotationMark: drift.Mark(o)},
	}}, nil
}

func markOf(object any) string {
	if o, ok := object.(*metav1.PartialObjectMetadata); ok {
		return o.Annotations[annotationMark]
	}
	return ""
}
