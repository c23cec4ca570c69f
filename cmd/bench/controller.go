package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// glance is what the bench wants to know of a Controller.
type glance struct {
	exists               bool
	generation, observed int64
	ready                bool
	pods, podsReady      int32
}

// controller follows the one Controller.
type controller struct {
	client client.Client
	rest   rest.Interface

	mu      sync.Mutex
	latest  glance
	changed chan struct{} // closed at the next change
}

// followController follows the Controller until ctx ends.
func followController(ctx context.Context, config *rest.Config) (*controller, error) {
	scheme, err := ourScheme()
	if err != nil {
		return nil, err
	}
	c := &controller{changed: make(chan struct{})}
	if c.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	c.rest = clientset.RESTClient()
	return c, follow(ctx, config, &v1alpha1.Controller{}, toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { c.see(o) },
		UpdateFunc: func(_, o any) { c.see(o) },
		DeleteFunc: func(any) { c.set(glance{}) },
	})
}

// follow tells the handlers of all objects of a kind until ctx ends. It returns when
// they have been told of those that exist.
func follow(ctx context.Context, config *rest.Config, kind client.Object, handlers toolscache.ResourceEventHandler) error {
	scheme, err := ourScheme()
	if err != nil {
		return err
	}
	informers, err := cache.New(config, cache.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("make an informer of %T: %w", kind, err)
	}
	informer, err := informers.GetInformer(ctx, kind)
	if err != nil {
		return fmt.Errorf("make an informer of %T: %w", kind, err)
	}
	registered, err := informer.AddEventHandler(handlers)
	if err != nil {
		return fmt.Errorf("follow %T: %w", kind, err)
	}
	go func() { _ = informers.Start(ctx) }() // ends with ctx
	if !toolscache.WaitForCacheSync(ctx.Done(), registered.HasSynced) {
		return ctx.Err()
	}
	return nil
}

func ourScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("make a scheme: %w", err)
	}
	return scheme, nil
}

func (c *controller) see(object any) {
	cr, ok := object.(*v1alpha1.Controller)
	if !ok {
		return
	}
	g := glance{
		exists: true, generation: cr.Generation, observed: cr.Status.ObservedGeneration,
		ready: meta.IsStatusConditionTrue(cr.Status.Conditions, v1alpha1.ConditionReady),
	}
	if s := cr.Status.Summary; s != nil {
		g.pods, g.podsReady = s.Pods.Total, s.Pods.Ready
	}
	c.set(g)
}

func (c *controller) set(g glance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest = g
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *controller) now() glance {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latest
}

// await waits until the Controller is as wanted, and returns when it was seen so.
func (c *controller) await(ctx context.Context, want func(glance) bool) (time.Time, error) {
	for {
		c.mu.Lock()
		now, changed := c.latest, c.changed
		c.mu.Unlock()
		if want(now) {
			return time.Now(), nil
		}
		select {
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case <-changed:
		case <-time.After(10 * time.Minute):
			return time.Time{}, fmt.Errorf("the Controller did not change for ten minutes; it is %+v", now)
		}
	}
}

func (c *controller) awaitReady(ctx context.Context, generation int64, pods int) (time.Time, error) {
	return c.await(ctx, func(g glance) bool {
		return g.exists && g.observed >= generation && g.ready && int(g.pods) == pods && int(g.podsReady) == pods
	})
}

func (c *controller) awaitGone(ctx context.Context) error {
	_, err := c.await(ctx, func(g glance) bool { return !g.exists })
	return err
}

// size is how large the Controller is as the API server hands it out, with its
// managedFields.
func (c *controller) size(ctx context.Context) (int, error) {
	body, err := c.rest.Get().AbsPath("/apis", v1alpha1.GroupVersion.Group, v1alpha1.GroupVersion.Version, "controllers", controllerName).DoRaw(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the Controller: %w", err)
	}
	return len(body), nil
}
