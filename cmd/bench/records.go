package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// records follows Helm's records, by their labels alone.
type records struct {
	mu       sync.Mutex
	deployed map[string]int       // by namespace/release: the latest revision that is or was deployed
	first    map[string]time.Time // when the first one was seen
	changed  chan struct{}        // closed at the next change
}

// followRecords follows the records until ctx ends.
func followRecords(ctx context.Context, config *rest.Config) (*records, error) {
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	r := &records{deployed: map[string]int{}, first: map[string]time.Time{}, changed: make(chan struct{})}
	factory := metadatainformer.NewFilteredSharedInformerFactory(client, 0, metav1.NamespaceAll,
		func(o *metav1.ListOptions) { o.LabelSelector = "owner=helm" })
	informer := factory.ForResource(corev1.SchemeGroupVersion.WithResource("secrets")).Informer()
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { r.see(o) },
		UpdateFunc: func(_, o any) { r.see(o) },
	}); err != nil {
		return nil, fmt.Errorf("follow the records: %w", err)
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return nil, ctx.Err()
	}
	return r, nil
}

func (r *records) see(object any) {
	secret, ok := object.(*metav1.PartialObjectMetadata)
	if !ok || secret.Labels["status"] != "deployed" {
		return
	}
	revision, err := strconv.Atoi(secret.Labels["version"])
	if err != nil {
		return // not Helm's
	}
	name := secret.Namespace + "/" + secret.Labels["name"]
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.first[name]; !known {
		r.first[name] = time.Now()
	}
	r.deployed[name] = max(r.deployed[name], revision)
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *records) revision(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.deployed[name]
}

// firstDeployed is when the last of the releases was first seen deployed; all says
// that each has been.
func (r *records) firstDeployed(names map[string]int) (last time.Time, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name := range names {
		at, known := r.first[name]
		if !known {
			return time.Time{}, false
		}
		if at.After(last) {
			last = at
		}
	}
	return last, len(names) > 0
}

// await waits until the releases have the revisions deployed.
func (r *records) await(ctx context.Context, want map[string]int) error {
	for {
		r.mu.Lock()
		missing, changed := r.missing(want), r.changed
		r.mu.Unlock()
		if len(missing) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-time.After(10 * time.Minute):
			return fmt.Errorf("no release was deployed for ten minutes; %d are missing: %s", len(missing), strings.Join(missing[:min(len(missing), 3)], ", "))
		}
	}
}

// missing forgets what is done, so that looking again is cheap.
func (r *records) missing(want map[string]int) []string {
	var out []string
	for name, revision := range want {
		if r.deployed[name] >= revision {
			delete(want, name)
			continue
		}
		out = append(out, name)
	}
	return out
}
