package watch

import (
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// releases follows the Secrets Helm keeps its releases in: labels and annotations
// only.
type releases struct {
	informer     cache.SharedIndexInformer
	registration cache.ResourceEventHandlerRegistration

	onKinds func() // called when other kinds are held; must not block

	mu      sync.Mutex
	records map[types.UID]record
	held    map[schema.GroupVersionResource]int
}

// record is what a Secret tells of one revision.
type record struct {
	tenancy.Observed
	// early says that the record was there, and locked, at the first list: an
	// operation of a process before this one left it so.
	early bool
}

func newReleases(client metadata.Interface, meter meter, onChange, onKinds func()) (*releases, error) {
	informer := metadatainformer.NewFilteredMetadataInformer(client,
		corev1.SchemeGroupVersion.WithResource("secrets"), metav1.NamespaceAll, 0, cache.Indexers{},
		func(o *metav1.ListOptions) { o.LabelSelector = "owner=helm" }).Informer()
	if err := informer.SetTransform(slimRecord); err != nil {
		return nil, err
	}
	r := &releases{
		informer: informer, onKinds: onKinds,
		records: map[types.UID]record{}, held: map[schema.GroupVersionResource]int{},
	}
	registration, err := informer.AddEventHandler(meter.of("secrets", cache.ResourceEventHandlerDetailedFuncs{
		AddFunc:    func(obj any, isInInitialList bool) { r.set(obj, isInInitialList); onChange() },
		UpdateFunc: func(_, obj any) { r.set(obj, false); onChange() },
		DeleteFunc: func(obj any) { r.forget(obj); onChange() },
	}))
	r.registration = registration
	return r, err
}

func (r *releases) set(obj any, first bool) {
	meta, ok := obj.(*metav1.PartialObjectMetadata)
	if !ok {
		return
	}
	o := observe(meta)
	r.mu.Lock()
	defer r.mu.Unlock()
	early := r.records[meta.UID].early || first && o.Phase.Locked()
	o.Interrupted = o.Phase.Locked() && early
	r.hold(o.Objects, 1)
	r.hold(r.records[meta.UID].Objects, -1)
	r.records[meta.UID] = record{Observed: o, early: early}
}

func (r *releases) forget(obj any) {
	meta, ok := last(obj).(*metav1.PartialObjectMetadata)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hold(r.records[meta.UID].Objects, -1)
	delete(r.records, meta.UID)
}

// Releases lists the latest revision of every Helm release in the cluster, of
// whoever made it.
func (w *Watcher) Releases() []tenancy.Observed {
	r := w.releases
	r.mu.Lock()
	defer r.mu.Unlock()
	latest := make(map[tenancy.Key]tenancy.Observed, len(r.records))
	for _, rec := range r.records {
		if before, known := latest[rec.Key]; !known || rec.Revision > before.Revision {
			latest[rec.Key] = rec.Observed
		}
	}
	good := r.good(latest)
	out := make([]tenancy.Observed, 0, len(latest))
	for key, o := range latest {
		o.Good = good[key].Revision
		out = append(out, o)
	}
	return out
}

// ReleasesUpTo is the resource version that Releases has come to; 0 when it is not
// known.
func (w *Watcher) ReleasesUpTo() uint64 {
	at, _ := strconv.ParseUint(w.releases.informer.LastSyncResourceVersion(), 10, 64)
	return at
}

// good finds the revision of each release that may be gone back to: the last one
// that was seen ready, or else that was deployed. Helm calls one that failed
// superseded, too, once a rollback from it has failed.
func (r *releases) good(latest map[tenancy.Key]tenancy.Observed) map[tenancy.Key]tenancy.Observed {
	out := map[tenancy.Key]tenancy.Observed{}
	for _, rec := range r.records {
		deployed := rec.Phase == tenancy.PhaseDeployed || rec.Phase == tenancy.PhaseSuperseded
		last := latest[rec.Key]
		failed := !rec.Verified && rec.Digest != "" && rec.Digest == last.FailedDigest
		if rec.ByHand || !deployed || failed || rec.Revision >= last.Revision {
			continue
		}
		best, has := out[rec.Key]
		switch {
		case !has, rec.Verified && !best.Verified:
		case best.Verified && !rec.Verified, rec.Revision < best.Revision:
			continue
		}
		out[rec.Key] = rec.Observed
	}
	return out
}

// kinds are those of all objects that releases of the operator's hold.
func (r *releases) kinds() sets.Set[schema.GroupVersionResource] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return sets.KeySet(r.held)
}

// hold counts the objects of a record in, or out. The lock is held.
func (r *releases) hold(objects []tenancy.Object, n int) {
	for _, object := range objects {
		gvr := resourceOf(object)
		before := r.held[gvr]
		r.held[gvr] += n
		if r.held[gvr] == 0 {
			delete(r.held, gvr)
		}
		if before == 0 || before+n == 0 {
			r.onKinds()
		}
	}
}

// observe reads what the operator and Helm wrote on a record.
func observe(meta *metav1.PartialObjectMetadata) tenancy.Observed {
	number := func(label string) int { n, _ := strconv.Atoi(meta.Labels[label]); return n }
	controller := meta.Labels[v1alpha1.LabelController]
	o := tenancy.Observed{
		Key:            tenancy.Key{Namespace: meta.Namespace, Name: meta.Labels["name"]},
		Revision:       number("version"),
		Phase:          tenancy.Phase(meta.Labels["status"]),
		Controller:     controller,
		Digest:         meta.Labels[v1alpha1.LabelDigest],
		Chart:          meta.Labels[v1alpha1.LabelChart],
		ChartVersion:   meta.Labels[v1alpha1.LabelChartVersion],
		ChartDigest:    meta.Labels[v1alpha1.LabelChartDigest],
		Position:       number(v1alpha1.LabelPosition),
		Since:          meta.CreationTimestamp.Time,
		Settled:        meta.CreationTimestamp.Time,
		ByHand:         controller != "" && meta.Labels[v1alpha1.LabelRevision] != meta.Labels["version"],
		Verified:       meta.Labels[v1alpha1.LabelVerified] == meta.Labels["version"],
		FailedDigest:   meta.Annotations[v1alpha1.AnnotationFailedDigest],
		Cause:          meta.Annotations[v1alpha1.AnnotationFailedCause],
		ServiceAccount: meta.Annotations[v1alpha1.AnnotationServiceAccount],
		Test:           tenancy.ReadTestReport(meta.Annotations[v1alpha1.AnnotationTested]),
	}
	if seconds := number("modifiedAt"); seconds > 0 {
		o.Settled = time.Unix(int64(seconds), 0)
	}
	if controller != "" {
		o.Objects = tenancy.ReadInventory(meta.Annotations[v1alpha1.AnnotationInventory])
	}
	return o
}

// slimRecord keeps of a record what observe reads.
func slimRecord(object any) (any, error) {
	if o, ok := object.(*metav1.PartialObjectMetadata); ok {
		o.ManagedFields = nil
		for name := range o.Annotations {
			if !strings.HasPrefix(name, v1alpha1.GroupVersion.Group+"/") {
				delete(o.Annotations, name)
			}
		}
	}
	return object, nil
}
