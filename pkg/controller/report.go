package controller

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// pace is the least time between two writes of a status.
const pace = time.Second

// Report writes the status of the Controllers, and is the only one to.
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

	mu      sync.Mutex
	written time.Time
}

// SetupWithManager registers the reconciler.
func (r *Report) SetupWithManager(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("report").
		Watches(&v1alpha1.Controller{}, everything()).
		WatchesRawSource(source.Channel(r.Wake, everything())).
		Complete(r)
}

// Reconcile writes what is known now, at most once in a while.
func (r *Report) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	if !r.Watch.Synced() {
		return done(), nil // Wake is rung when it is
	}
	now := time.Now()
	if wait := r.wait(now); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	all, err := list(ctx, r.Client)
	if err != nil {
		return done(), fmt.Errorf("list Controllers: %w", err)
	}
	for i := range all {
		cr := &all[i]
		var next v1alpha1.ControllerStatus
		if i == 0 {
			if wait := r.unsettled(cr, now); wait > 0 {
				return ctrl.Result{RequeueAfter: wait}, nil
			}
			next = r.rollup(cr, now)
			r.Metrics.summary(next.Summary)
		} else {
			next = status.NotActive(cr.Status.Conditions, cr.Generation, all[0].Name)
		}
		result, err := again(r.write(ctx, cr, next))
		if err != nil {
			return done(), fmt.Errorf("write the status of Controller %s: %w", cr.Name, err)
		}
		if result.RequeueAfter > 0 {
			return result, nil
		}
	}
	if len(all) > 0 && unready(all[0].Status.Summary) {
		return ctrl.Result{RequeueAfter: resync}, nil // that time is up is no event
	}
	return done(), nil
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
	if left <= 0 || cr.Status.ObservedGeneration != cr.Generation {
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
func (r *Report) rollup(cr *v1alpha1.Controller, now time.Time) v1alpha1.ControllerStatus {
	out := status.Rollup(cr.Status.Conditions, status.Facts{
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
	r.wasReady = readyIn(out, r.wasReady)
	return out
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

// write patches the status when it is different.
func (r *Report) write(ctx context.Context, cr *v1alpha1.Controller, next v1alpha1.ControllerStatus) error {
	if equality.Semantic.DeepEqual(cr.Status, next) {
		return nil
	}
	before := cr.DeepCopy()
	cr.Status = next
	err := r.Client.Status().Patch(ctx, cr, since(before))
	if err == nil {
		r.mu.Lock()
		r.written = time.Now()
		r.mu.Unlock()
	}
	return err
}

// wait is how long a write must wait; 0 when it need not.
func (r *Report) wait(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(pace-now.Sub(r.written), 0)
}
