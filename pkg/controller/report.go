package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// pace is the least time between two writes of a status, and busyPace while tenancies
// wait for workers: a release that is installed is three writes then, and not five.
const (
	pace     = time.Second
	busyPace = 2 * time.Second
)

// Report writes the status of the Controllers and the Tenancy objects, and is the
// only one to.
type Report struct {
	Client  client.Client
	Desired *Desired
	Queue   Queue
	Watch   Watch
	Ledger  *Ledger
	Metrics *Metrics
	// Wake is rung when anything the status shows changes.
	Wake Wake

	began time.Time
	// wasReady is the revision in which each release was last seen ready.
	wasReady map[tenancy.Key]int32
	// wrote is when the last pass that wrote anything began.
	wrote time.Time
	// breather follows each write of a Controller.
	breather breather
}

// SetupWithManager registers the reconciler.
func (r *Report) SetupWithManager(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("report").
		Watches(&v1alpha1.Controller{}, everything(), r.Metrics.seen("controllers.multitenancy.dev")).
		Watches(&v1alpha1.Tenancy{}, everything(), r.Metrics.seen("tenancies.multitenancy.dev")).
		WatchesRawSource(source.Channel(r.Wake, everything())).
		Complete(r)
}

// Reconcile writes what is known now, at most once in a while.
func (r *Report) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	if !r.Watch.Synced() {
		return done(), nil // Wake is rung when it is
	}
	now := time.Now()
	least := pace
	if busy(r.Queue) {
		least = busyPace
	}
	if wait := least - now.Sub(r.wrote); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	all, err := list(ctx, r.Client)
	if err != nil {
		return done(), fmt.Errorf("list Controllers: %w", err)
	}
	if len(all) == 0 {
		return done(), nil
	}
	active := &all[0]
	if wait := r.unsettled(active, now); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	rolled := r.rollup(active, now)
	next := rolled.Controller(active.Status.Conditions)
	r.wasReady = readyIn(next, r.wasReady)
	r.Metrics.summary(next.Summary)
	var written bool
	wait := r.breather.left(now, breathOf(r.Queue))
	if wait == 0 {
		written, err = r.writeAll(ctx, active, next, all[1:])
	}
	if written {
		r.breather.take(now, time.Now(), longestAfterWrite)
	}
	mirrored, failed := r.mirror(ctx, active, rolled)
	if written || mirrored {
		r.wrote = now
	}
	switch {
	case err != nil:
		return again(err)
	case failed != nil:
		// What one tenancy's namespace refuses delays nobody else.
		log.FromContext(ctx).Error(failed, "Tenancy not written")
		return ctrl.Result{RequeueAfter: soonest(wait, resync)}, nil
	case wait > 0:
		return ctrl.Result{RequeueAfter: wait}, nil
	case unready(next.Summary):
		return ctrl.Result{RequeueAfter: resync}, nil // that time is up is no event
	}
	return done(), nil
}

// writeAll writes the status of each Controller that is another now.
func (r *Report) writeAll(ctx context.Context, active *v1alpha1.Controller, next v1alpha1.ControllerStatus, surplus []v1alpha1.Controller) (written bool, err error) {
	weight := rest(active)
	if written, err = r.write(ctx, active, status.Fit(next, status.Room(weight))); err == nil {
		r.Metrics.stored(active.Status, weight, written)
	}
	for i := range surplus {
		if err != nil {
			break
		}
		cr := &surplus[i]
		var wrote bool
		wrote, err = r.write(ctx, cr, status.NotActive(cr.Status.Conditions, cr.Generation, active.Name))
		written = written || wrote
	}
	return written, err
}

func unready(s *v1alpha1.Summary) bool { return s != nil && s.Releases.Ready < s.Releases.Total }

// unsettled is how long a process that has just begun keeps the status of the one
// before it: while it does not know all it asked for, what is ready would be told
// as not ready for a moment. Wake is rung when more is known.
func (r *Report) unsettled(cr *v1alpha1.Controller, now time.Time) time.Duration {
	if r.began.IsZero() {
		r.began = now
	}
	left := resync - now.Sub(r.began)
	if left <= 0 || cr.Status.Summary == nil {
		return 0
	}
	known := r.Watch.Objects()
	for _, t := range r.Desired.Of(cr) {
		if _, ok := known[t.Namespace]; !ok {
			return left
		}
		for _, rel := range t.Releases {
			if tenancy.Pending(rel.Err) {
				return left
			}
		}
	}
	r.began = now.Add(-resync)
	return 0
}

// rollup gathers the facts about the active Controller.
func (r *Report) rollup(cr *v1alpha1.Controller, now time.Time) status.Rolled {
	return status.Rollup(status.Facts{
		Now:        now,
		Generation: cr.Generation,
		Deleting:   deleting(cr),
		Suspended:  cr.Spec.Suspend,
		Desired:    r.Desired.Of(cr),
		Observed:   own(cr.Name, r.Ledger.Overlay(r.Watch.Releases(), r.Watch.ReleasesUpTo(), now)),
		Work:       r.Ledger.View(r.Queue.Lanes()),
		Objects:    r.Watch.Objects(),
		Nodes:      r.Watch.Nodes(),
		WasReady:   r.wasReady,
	})
}

// readyIn is the revision in which each release of a status was last ready.
func readyIn(now v1alpha1.ControllerStatus, before map[tenancy.Key]int32) map[tenancy.Key]int32 {
	out := map[tenancy.Key]int32{}
	for _, t := range now.Tenancies {
		for _, rel := range t.Releases {
			key := tenancy.Key{Namespace: t.Namespace, Name: rel.Name}
			if rel.Ready || before[key] == rel.Revision && rel.Revision > 0 {
				out[key] = rel.Revision
			}
		}
	}
	return out
}

// write patches the status of a Controller when it is different.
func (r *Report) write(ctx context.Context, cr *v1alpha1.Controller, next v1alpha1.ControllerStatus) (written bool, err error) {
	if equality.Semantic.DeepEqual(cr.Status, next) {
		return false, nil
	}
	patch, err := change(cr, next)
	if err != nil {
		return false, fmt.Errorf("write the status of Controller %s: %w", cr.Name, err)
	}
	// The answer is asked for without the content, which is large and known.
	target := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: cr.Name}}
	target.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Controller"))
	if err := r.Client.Status().Patch(ctx, target, patch); err != nil {
		return false, fmt.Errorf("write the status of Controller %s: %w", cr.Name, err)
	}
	cr.Status = next
	return true, nil
}
