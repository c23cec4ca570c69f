package watch

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/guardrail"
)

// guardrails follows the objects of all namespaces that carry the label of guardrails.
type guardrails struct {
	factory   informers.SharedInformerFactory
	informers []cache.SharedIndexInformer
	synced    []cache.InformerSynced
	onChange  func()

	mu sync.Mutex
	// count counts changes, and last is the number of the last one in each namespace.
	count uint64
	last  map[string]uint64
}

func newGuardrails(client kubernetes.Interface, meter meter, onChange func()) (*guardrails, error) {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = v1alpha1.LabelGuardrail }),
		informers.WithTransform(unmanaged))
	g := &guardrails{factory: factory, onChange: onChange, last: map[string]uint64{}}
	for resource, informer := range map[string]cache.SharedIndexInformer{
		"networkpolicies.networking.k8s.io":      factory.Networking().V1().NetworkPolicies().Informer(),
		"limitranges":                            factory.Core().V1().LimitRanges().Informer(),
		"resourcequotas":                         factory.Core().V1().ResourceQuotas().Informer(),
		"serviceaccounts":                        factory.Core().V1().ServiceAccounts().Informer(),
		"rolebindings.rbac.authorization.k8s.io": factory.Rbac().V1().RoleBindings().Informer(),
	} {
		registration, err := informer.AddEventHandler(meter.of(resource, cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { g.changed(namespaceOf(obj)) },
			UpdateFunc: func(_, obj any) { g.changed(namespaceOf(obj)) },
			DeleteFunc: func(obj any) { g.changed(namespaceOf(obj)) },
		}))
		if err != nil {
			return nil, err
		}
		g.informers = append(g.informers, informer)
		g.synced = append(g.synced, registration.HasSynced)
	}
	return g, nil
}

// run follows until ctx ends, and waits for every informer.
func (g *guardrails) run(ctx context.Context) {
	g.factory.StartWithContext(ctx)
	if cache.WaitForCacheSync(ctx.Done(), g.synced...) {
		g.onChange() // what is missing has no event
	}
	<-ctx.Done()
	g.factory.Shutdown()
}

// changed notes that something changed in a namespace, or about it.
func (g *guardrails) changed(namespace string) {
	g.mu.Lock()
	g.count++
	g.last[namespace] = g.count
	g.mu.Unlock()
	g.onChange()
}

// GuardrailsChange is the number of the last change to guardrails in a namespace, or to
// its own labels.
func (w *Watcher) GuardrailsChange(namespace string) uint64 {
	w.guardrails.mu.Lock()
	defer w.guardrails.mu.Unlock()
	return w.guardrails.last[namespace]
}

// Guardrails is what there is of guardrails in a namespace: nothing when that does not
// exist. known is false while nobody has looked.
func (w *Watcher) Guardrails(namespace string) (live guardrail.Live, known bool) {
	g := w.guardrails
	for _, synced := range g.synced {
		if !synced() {
			return live, false
		}
	}
	item, exists, _ := w.existing.GetStore().GetByKey(namespace)
	if !exists || !lives(item) {
		return live, true
	}
	if o, err := meta.Accessor(item); err == nil {
		live.Labels, live.Annotations = o.GetLabels(), o.GetAnnotations()
	}
	for _, informer := range g.informers {
		items, _ := informer.GetIndexer().ByIndex(cache.NamespaceIndex, namespace) // the factory makes the index
		for _, item := range items {
			if o, ok := item.(client.Object); ok {
				live.Objects = append(live.Objects, o)
			}
		}
	}
	return live, true
}

// unmanaged drops who manages which field.
func unmanaged(object any) (any, error) {
	if o, err := meta.Accessor(object); err == nil {
		o.SetManagedFields(nil)
	}
	return object, nil
}
