package watch

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"multitenancy.dev/multi-tenancy-operator/pkg/status"
)

// namespace is the informers of one namespace. They end with their context.
type namespace struct {
	factory informers.SharedInformerFactory
	cancel  context.CancelFunc
	synced  []cache.InformerSynced
	first   sync.WaitGroup
}

// follow starts the informers of a namespace.
func follow(ctx context.Context, client kubernetes.Interface, name string, onChange func()) *namespace {
	ctx, cancel := context.WithCancel(ctx)
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithNamespace(name), informers.WithTransform(slim))
	n := &namespace{factory: factory, cancel: cancel}
	for _, informer := range []cache.SharedIndexInformer{
		factory.Apps().V1().Deployments().Informer(),
		factory.Apps().V1().StatefulSets().Informer(),
		factory.Apps().V1().DaemonSets().Informer(),
		factory.Core().V1().Pods().Informer(),
	} {
		// The error is for informers that have stopped; this one has not begun.
		registration, _ := informer.AddEventHandler(notify(onChange))
		n.synced = append(n.synced, registration.HasSynced)
	}
	factory.StartWithContext(ctx)
	// An empty namespace has no event to tell by that it is known.
	n.first.Go(func() {
		if cache.WaitForCacheSync(ctx.Done(), n.synced...) {
			onChange()
		}
	})
	return n
}

// stop ends the informers and waits for them.
func (n *namespace) stop() {
	n.cancel()
	n.factory.Shutdown()
	n.first.Wait()
}

// objects is what lives in the namespace; known is false until every informer
// has its first list.
func (n *namespace) objects() (objects status.Objects, known bool) {
	for _, synced := range n.synced {
		if !synced() {
			return status.Objects{}, false
		}
	}
	all := labels.Everything()
	// Listers answer from memory and have no errors to give.
	objects.Deployments, _ = n.factory.Apps().V1().Deployments().Lister().List(all)
	objects.StatefulSets, _ = n.factory.Apps().V1().StatefulSets().Lister().List(all)
	objects.DaemonSets, _ = n.factory.Apps().V1().DaemonSets().Lister().List(all)
	objects.Pods, _ = n.factory.Core().V1().Pods().Lister().List(all)
	return objects, true
}
