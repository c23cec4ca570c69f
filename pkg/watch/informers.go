package watch

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"multitenancy.dev/multi-tenancy-operator/pkg/status"
)

// contents are the informers of what lives in one namespace, or in all of them. They
// end with their context.
type contents struct {
	factory informers.SharedInformerFactory
	cancel  context.CancelFunc
	synced  []cache.InformerSynced
	first   sync.WaitGroup
}

// follow starts the informers of a namespace, or of all with metav1.NamespaceAll.
// onChange is told where something changed, onKnown when everything is known.
func follow(ctx context.Context, client kubernetes.Interface, namespace string, meter meter,
	onChange func(namespace string), onKnown func(),
) *contents {
	ctx, cancel := context.WithCancel(ctx)
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithNamespace(namespace), informers.WithTransform(slim))
	c := &contents{factory: factory, cancel: cancel}
	for resource, informer := range map[string]cache.SharedIndexInformer{
		"deployments.apps":  factory.Apps().V1().Deployments().Informer(),
		"statefulsets.apps": factory.Apps().V1().StatefulSets().Informer(),
		"daemonsets.apps":   factory.Apps().V1().DaemonSets().Informer(),
		"pods":              factory.Core().V1().Pods().Informer(),
	} {
		// The error is for informers that have stopped; this one has not begun.
		registration, _ := informer.AddEventHandler(meter.of(resource, cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { onChange(namespaceOf(obj)) },
			UpdateFunc: func(_, obj any) { onChange(namespaceOf(obj)) },
			DeleteFunc: func(obj any) { onChange(namespaceOf(obj)) },
		}))
		c.synced = append(c.synced, registration.HasSynced)
	}
	factory.StartWithContext(ctx)
	// An empty namespace has no event to tell by that it is known.
	c.first.Go(func() {
		if cache.WaitForCacheSync(ctx.Done(), c.synced...) {
			onKnown()
		}
	})
	return c
}

// stop ends the informers and waits for them.
func (c *contents) stop() {
	c.cancel()
	c.factory.Shutdown()
	c.first.Wait()
}

// known says that every informer has its first list.
func (c *contents) known() bool {
	for _, synced := range c.synced {
		if !synced() {
			return false
		}
	}
	return true
}

// in is what lives in a namespace.
func (c *contents) in(namespace string) (objects status.Objects) {
	all := labels.Everything()
	// Listers answer from memory and have no errors to give.
	objects.Deployments, _ = c.factory.Apps().V1().Deployments().Lister().Deployments(namespace).List(all)
	objects.StatefulSets, _ = c.factory.Apps().V1().StatefulSets().Lister().StatefulSets(namespace).List(all)
	objects.DaemonSets, _ = c.factory.Apps().V1().DaemonSets().Lister().DaemonSets(namespace).List(all)
	objects.Pods, _ = c.factory.Core().V1().Pods().Lister().Pods(namespace).List(all)
	return objects
}

func namespaceOf(obj any) string {
	if o, err := meta.Accessor(last(obj)); err == nil {
		return o.GetNamespace()
	}
	return ""
}

// last is the last that is known of an object that is gone.
func last(obj any) any {
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		return gone.Obj
	}
	return obj
}
