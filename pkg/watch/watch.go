// Package watch keeps the only informers: the records of all Helm releases
// (their metadata, never their content), the nodes, the namespaces, the Warning
// events, the workloads and pods of each namespace it is told to follow, and the objects that values are
// taken from. It answers from memory and says when something changed.
package watch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"

	"multitenancy.dev/multi-tenancy-operator/pkg/status"
)

// Watcher follows the cluster. Make one with New, run it with Start.
type Watcher struct {
	namespaced kubernetes.Interface
	releases   *releases
	holdings   *holdings
	references *References
	nodes      cache.SharedIndexInformer
	existing   cache.SharedIndexInformer // the namespaces
	warnings   cache.SharedIndexInformer
	onReleases func()
	onObjects  func()

	bell chan struct{} // rung when other namespaces, kinds or references may be wanted

	mu         sync.Mutex
	wanted     sets.Set[string]
	namespaces map[string]*namespace
	stopping   sync.WaitGroup
}

// New makes a watcher that follows nothing until Start. onReleases is called
// after the record of a release, what it holds or a referenced object changed,
// onObjects after anything else did; both must not block.
//
// What lives in namespaces is followed with a client of its own, which should pace
// its requests: four informers for each of them all begin, and come back, at once.
func New(client, namespaced kubernetes.Interface, metadata metadata.Interface, onReleases, onObjects func()) (*Watcher, error) {
	bell := make(chan struct{}, 1)
	records, err := newReleases(metadata, onReleases, func() { ring(bell) })
	if err != nil {
		return nil, fmt.Errorf("watch release records: %w", err)
	}
	nodes := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(slim)).Core().V1().Nodes().Informer()
	if _, err := nodes.AddEventHandler(notify(onObjects)); err != nil {
		return nil, fmt.Errorf("watch nodes: %w", err)
	}
	existing, err := newNamespaces(metadata, onObjects)
	if err != nil {
		return nil, fmt.Errorf("watch namespaces: %w", err)
	}
	w := &Watcher{
		namespaced: namespaced, existing: existing, releases: records, holdings: newHoldings(metadata, onReleases), nodes: nodes,
		references: newReferences(client, onReleases, bell),
		onReleases: onReleases, onObjects: onObjects,
		bell:       bell,
		namespaces: map[string]*namespace{},
	}
	if w.warnings, err = newWarnings(client, w.warn); err != nil {
		return nil, fmt.Errorf("watch events: %w", err)
	}
	return w, nil
}

// warn says that something changed if a warning is about what is followed.
func (w *Watcher) warn(namespace string) {
	w.mu.Lock()
	_, followed := w.namespaces[namespace]
	w.mu.Unlock()
	if followed {
		w.onObjects()
	}
}

// Start follows the cluster until ctx ends, and returns when every informer has
// stopped.
func (w *Watcher) Start(ctx context.Context) error {
	var informers sync.WaitGroup
	informers.Go(func() { w.releases.informer.RunWithContext(ctx) })
	informers.Go(func() { w.nodes.RunWithContext(ctx) })
	informers.Go(func() { w.existing.RunWithContext(ctx) })
	informers.Go(func() { w.warnings.RunWithContext(ctx) })
	informers.Go(func() {
		if cache.WaitForCacheSync(ctx.Done(), w.releases.registration.HasSynced, w.nodes.HasSynced, w.existing.HasSynced) {
			w.onReleases()
		}
	})
	for ctx.Err() == nil {
		w.settle(ctx)
		w.holdings.settle(ctx, w.releases.kinds(), &w.stopping)
		w.references.settle(ctx)
		select {
		case <-ctx.Done():
		case <-w.bell:
		}
	}
	w.Sync(nil)
	w.settle(ctx)
	w.holdings.settle(ctx, nil, &w.stopping)
	w.references.Sync(nil)
	w.references.settle(ctx)
	informers.Wait()
	w.stopping.Wait()
	w.references.stopping.Wait()
	return nil
}

// Synced says that the release records, the nodes and the namespaces are known.
func (w *Watcher) Synced() bool {
	return w.releases.registration.HasSynced() && w.nodes.HasSynced() && w.existing.HasSynced()
}

// Sync sets which namespaces are followed. Informers of others stop. Setting the
// same ones twice changes nothing.
func (w *Watcher) Sync(namespaces []string) {
	wanted := sets.New(namespaces...)
	w.mu.Lock()
	same := w.wanted.Equal(wanted)
	w.wanted = wanted
	w.mu.Unlock()
	if !same {
		ring(w.bell)
	}
}

// ring rings a bell that may ring already.
func ring(bell chan<- struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// References are the objects that values are taken from.
func (w *Watcher) References() *References { return w.references }

// settle starts and stops informers so that the wanted namespaces are followed.
func (w *Watcher) settle(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	settle(w.namespaces, w.wanted, &w.stopping, func(name string) *namespace {
		return follow(ctx, w.namespaced, name, w.onObjects)
	})
}

// follower is what follows something until it is stopped; stop waits for it.
type follower interface{ stop() }

// settle starts and stops followers so that what is wanted is followed.
func settle[K comparable, F follower](followed map[K]F, wanted sets.Set[K], stopping *sync.WaitGroup, start func(K) F) {
	for key := range wanted {
		if _, runs := followed[key]; !runs {
			followed[key] = start(key)
		}
	}
	for key, f := range followed {
		if !wanted.Has(key) {
			delete(followed, key)
			stopping.Go(f.stop)
		}
	}
}

// Following lists the namespaces whose informers run.
func (w *Watcher) Following() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.namespaces))
}

// Objects is what lives in each namespace that is followed and known.
func (w *Watcher) Objects() map[string]status.Objects {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[string]status.Objects, len(w.namespaces))
	for name, n := range w.namespaces {
		if objects, known := n.objects(); known {
			objects.Warnings = w.warningsIn(name)
			out[name] = objects
		}
	}
	return out
}

// Nodes tells of each node whether it is ready.
func (w *Watcher) Nodes() status.Nodes {
	out := status.Nodes{}
	for _, item := range w.nodes.GetStore().List() {
		name, ready := nodeReady(item)
		out[name] = ready
	}
	return out
}

// notify makes a handler that only says that something happened.
func notify(fn func()) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { fn() },
		UpdateFunc: func(any, any) { fn() },
		DeleteFunc: func(any) { fn() },
	}
}
