// Package watch keeps the only informers: the records of all Helm releases
// (their metadata, never their content), the nodes, the namespaces, the guardrails of
// tenancies, the Warning events, the workloads and pods of each namespace it is told to follow, and the
// objects that values are taken from. It answers from memory and says when something
// changed.
package watch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
)

// Watcher follows the cluster. Make one with New, run it with Start.
type Watcher struct {
	clients    Clients
	meter      meter
	few        int // up to so many namespaces have informers of their own
	releases   *releases
	holdings   *holdings
	references *References
	guardrails *guardrails
	nodes      cache.SharedIndexInformer
	existing   cache.SharedIndexInformer // the namespaces
	warnings   cache.SharedIndexInformer
	onReleases func()
	onObjects  func()

	bell chan struct{} // rung when other namespaces, kinds or references may be wanted

	mu         sync.Mutex
	wanted     sets.Set[string]
	namespaces map[string]*contents // those that have informers of their own
	everywhere *contents            // of the whole cluster; nil while none are needed
	stopping   sync.WaitGroup

	views views
}

// Clients are the connections of a watcher.
type Clients struct {
	Kube     kubernetes.Interface
	Metadata metadata.Interface
	// Namespaced follows single namespaces. It should pace its requests: four informers
	// for each of them all begin, and come back, at once.
	Namespaced kubernetes.Interface
}

// New makes a watcher that follows nothing until Start. Up to few namespaces have
// informers of their own; more than that are followed by one set of informers for
// the whole cluster. onReleases is called after the record of a release, what it
// holds or a referenced object changed, onObjects after anything else did; both must
// not block.
func New(clients Clients, few int, onReleases, onObjects func(), opts ...Option) (*Watcher, error) {
	bell := make(chan struct{}, 1)
	w := &Watcher{
		clients: clients, few: few, meter: func(string) {},
		onReleases: onReleases, onObjects: onObjects,
		bell:       bell,
		namespaces: map[string]*contents{},
	}
	for _, opt := range opts {
		opt(w)
	}
	var err error
	if w.releases, err = newReleases(clients.Metadata, w.meter, onReleases, func() { ring(bell) }); err != nil {
		return nil, fmt.Errorf("watch release records: %w", err)
	}
	if w.nodes, err = newNodes(clients.Kube, w.meter, onObjects); err != nil {
		return nil, fmt.Errorf("watch nodes: %w", err)
	}
	if w.guardrails, err = newGuardrails(clients.Kube, w.meter, onReleases); err != nil {
		return nil, fmt.Errorf("watch guardrails: %w", err)
	}
	if w.existing, err = newNamespaces(clients.Metadata, w.meter, onObjects, w.guardrails.changed); err != nil {
		return nil, fmt.Errorf("watch namespaces: %w", err)
	}
	w.holdings = newHoldings(clients.Metadata, w.meter, onReleases)
	w.references = newReferences(clients.Kube, w.meter, onReleases, bell)
	if w.warnings, err = newWarnings(clients.Kube, w.meter, w.views.change, w.changed); err != nil {
		return nil, fmt.Errorf("watch events: %w", err)
	}
	return w, nil
}

// Start follows the cluster until ctx ends, and returns when every informer has
// stopped.
func (w *Watcher) Start(ctx context.Context) error {
	var informers sync.WaitGroup
	informers.Go(func() { w.releases.informer.RunWithContext(ctx) })
	informers.Go(func() { w.nodes.RunWithContext(ctx) })
	informers.Go(func() { w.existing.RunWithContext(ctx) })
	informers.Go(func() { w.warnings.RunWithContext(ctx) })
	informers.Go(func() { w.guardrails.run(ctx) })
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

// settle starts and stops informers so that the wanted namespaces are followed: each
// by its own, or all by one set for the whole cluster when they are many. A process
// that has begun with the latter keeps to it until nothing is wanted.
func (w *Watcher) settle(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.everywhere == nil && w.wanted.Len() > w.few:
		w.everywhere = follow(ctx, w.clients.Kube, metav1.NamespaceAll, w.meter, w.changed, func() {
			ring(w.bell) // those of single namespaces have had their day
			w.onObjects()
		})
	case w.everywhere != nil && w.wanted.Len() == 0:
		w.stopping.Go(w.everywhere.stop)
		w.everywhere = nil
	}
	wanted := w.wanted
	if w.everywhere != nil {
		wanted = sets.New[string]()
		if !w.everywhere.known() {
			wanted = w.wanted.Intersection(sets.KeySet(w.namespaces))
		}
	}
	settle(w.namespaces, wanted, &w.stopping, func(name string) *contents {
		return follow(ctx, w.clients.Namespaced, name, w.meter, w.changed, w.onObjects)
	})
}

// changed says that something changed if it was in a namespace that is followed.
func (w *Watcher) changed(namespace string) {
	w.views.change(namespace)
	w.mu.Lock()
	wanted := w.wanted.Has(namespace)
	w.mu.Unlock()
	if wanted {
		w.onObjects()
	}
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

// Following lists the namespaces that have informers of their own.
func (w *Watcher) Following() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.namespaces))
}
