package watch

import (
	"bytes"
	"context"
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/sets"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// References follows the objects that values are taken from: each with an
// informer of its own, so that no other ConfigMap or Secret is ever read. The
// Watcher it belongs to runs it.
type References struct {
	client   kubernetes.Interface
	meter    meter
	onChange func()
	bell     chan<- struct{} // rung when other objects are wanted

	mu       sync.Mutex
	wanted   sets.Set[tenancy.Reference]
	followed map[tenancy.Reference]*referenced
	version  uint64
	stopping sync.WaitGroup
}

func newReferences(client kubernetes.Interface, meter meter, onChange func(), bell chan<- struct{}) *References {
	return &References{client: client, meter: meter, onChange: onChange, bell: bell, followed: map[tenancy.Reference]*referenced{}}
}

// Sync sets which objects are followed. Informers of others stop. Setting the same
// ones twice changes nothing.
func (r *References) Sync(objects []tenancy.Reference) {
	wanted := sets.New(objects...)
	r.mu.Lock()
	same := r.wanted.Equal(wanted)
	r.wanted = wanted
	r.mu.Unlock()
	if !same {
		ring(r.bell)
	}
}

// settle starts and stops informers so that the wanted objects are followed.
func (r *References) settle(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	settle(r.followed, r.wanted, &r.stopping, func(ref tenancy.Reference) *referenced {
		return refer(ctx, r.client, ref, r.meter, r.changed)
	})
}

// Following counts the objects whose informers run.
func (r *References) Following() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.followed)
}

// Version changes whenever Lookup may answer differently, and not when an object
// changes in anything but its data.
func (r *References) Version() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.version
}

// Lookup gives the data of a key of an object, which must not be changed.
func (r *References) Lookup(ref tenancy.Reference, key string) ([]byte, tenancy.ReferenceState) {
	r.mu.Lock()
	f := r.followed[ref]
	r.mu.Unlock()
	if f == nil || !f.registration.HasSynced() {
		return nil, tenancy.ReferenceUnknown
	}
	items := f.informer.GetStore().List()
	if len(items) == 0 {
		return nil, tenancy.ReferenceNoObject
	}
	data, ok := dataOf(items[0], key)
	if !ok {
		return nil, tenancy.ReferenceNoKey
	}
	return data, tenancy.ReferenceFound
}

// changed counts a change, then tells it.
func (r *References) changed() {
	r.mu.Lock()
	r.version++
	r.mu.Unlock()
	r.onChange()
}

// referenced is the informer of one object. It ends with its context.
type referenced struct {
	informer     cache.SharedIndexInformer
	registration cache.ResourceEventHandlerRegistration
	cancel       context.CancelFunc
	running      sync.WaitGroup
}

// refer starts the informer of an object.
func refer(ctx context.Context, client kubernetes.Interface, ref tenancy.Reference, meter meter, onChange func()) *referenced {
	ctx, cancel := context.WithCancel(ctx)
	resource, informer := informerOf(client, ref)
	f := &referenced{informer: informer, cancel: cancel}
	// These errors are for informers that have begun, or have stopped.
	_ = f.informer.SetTransform(slim)
	f.registration, _ = f.informer.AddEventHandler(meter.of(resource, cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(_ any, isInInitialList bool) {
			if !isInInitialList {
				onChange()
			}
		},
		UpdateFunc: func(before, after any) {
			if !sameData(before, after) {
				onChange()
			}
		},
		DeleteFunc: func(any) { onChange() },
	}))
	f.running.Go(func() { f.informer.RunWithContext(ctx) })
	// An object that is not there has no event to tell by that this is known.
	f.running.Go(func() {
		if cache.WaitForCacheSync(ctx.Done(), f.registration.HasSynced) {
			onChange()
		}
	})
	return f
}

func informerOf(client kubernetes.Interface, ref tenancy.Reference) (resource string, informer cache.SharedIndexInformer) {
	alone := func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, ref.Name).String()
	}
	if ref.Kind == v1alpha1.ReferenceSecret {
		return "secrets", coreinformers.NewFilteredSecretInformer(client, ref.Namespace, 0, cache.Indexers{}, alone)
	}
	return "configmaps", coreinformers.NewFilteredConfigMapInformer(client, ref.Namespace, 0, cache.Indexers{}, alone)
}

// stop ends the informer and waits for it.
func (f *referenced) stop() {
	f.cancel()
	f.running.Wait()
}

// dataOf is the data of a key of a ConfigMap or a Secret.
func dataOf(object any, key string) ([]byte, bool) {
	switch o := object.(type) {
	case *corev1.Secret:
		data, ok := o.Data[key]
		return data, ok
	case *corev1.ConfigMap:
		if text, ok := o.Data[key]; ok {
			return []byte(text), true
		}
		data, ok := o.BinaryData[key]
		return data, ok
	}
	return nil, false
}

func sameData(before, after any) bool {
	switch a := after.(type) {
	case *corev1.Secret:
		b, ok := before.(*corev1.Secret)
		return ok && maps.EqualFunc(a.Data, b.Data, bytes.Equal)
	case *corev1.ConfigMap:
		b, ok := before.(*corev1.ConfigMap)
		return ok && maps.Equal(a.Data, b.Data) && maps.EqualFunc(a.BinaryData, b.BinaryData, bytes.Equal)
	}
	return false
}
