package controller

import (
	"context"
	"fmt"
	"sync"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// pace is the least time between two writes of a status, and busyPace while tenancies
// wait for workers: what is written then is out of date soon.
const (
	pace     = time.Second
	busyPace = 2 * time.Second
)

// Known is what those who write statuses tell: the facts, and how they add up.
type Known struct {
	Desired *Desired
	Queue   Queue
	Watch   Watch
	Ledger  *Ledger
	Guards  *Guards

	memory status.Memory

	mu    sync.Mutex
	began time.Time
	// wasReady is the revision in which each release was last seen ready.
	wasReady map[tenancy.Key]int32
}

// due lists the Controllers, the active one first, when a pass may begin that tells how
// they are: not too soon after the last one that wrote, nor within a breather, and when
// what was asked for is known. The breather after a write is not taken while there is an
// edit of which the status does not tell: somebody waits for that. Without any, result
// is how the pass ends.
func (k *Known) due(ctx context.Context, c client.Reader, now, wrote time.Time, passed, breather breather) (all []v1alpha1.Controller, result ctrl.Result, err error) {
	if !k.Watch.Synced() {
		return nil, done(), nil // Wake is rung when it is
	}
	if all, err = list(ctx, c); err != nil {
		return nil, done(), fmt.Errorf("list Controllers: %w", err)
	}
	if len(all) == 0 {
		return nil, done(), nil
	}
	least, times := pace, breath
	if busy(k.Queue) {
		least, times = busyPace, busyBreath
	}
	active := &all[0]
	wait := max(least-now.Sub(wrote), passed.left(now, times))
	if active.Generation == active.Status.ObservedGeneration {
		wait = max(wait, breather.left(now, times))
	}
	if wait > 0 {
		return nil, ctrl.Result{RequeueAfter: wait}, nil
	}
	if wait := k.unsettled(active, now); wait > 0 {
		return nil, ctrl.Result{RequeueAfter: wait}, nil
	}
	return all, done(), nil
}

// unsettled is how long a process that has just begun keeps the status of the one
// before it: while it does not know all it asked for, what is ready would be told
// as not ready for a moment. Wake is rung when more is known.
func (k *Known) unsettled(cr *v1alpha1.Controller, now time.Time) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.began.IsZero() {
		k.began = now
	}
	left := resync - now.Sub(k.began)
	if left <= 0 || cr.Status.Summary == nil {
		return 0
	}
	known := k.Watch.Objects()
	for _, t := range k.Desired.Of(cr) {
		if _, ok := known[t.Namespace]; !ok {
			return left
		}
		for _, rel := range t.Releases {
			if tenancy.Pending(rel.Err) {
				return left
			}
		}
	}
	k.began = now.Add(-resync)
	return 0
}

// rollup gathers the facts about the active Controller.
func (k *Known) rollup(cr *v1alpha1.Controller, now time.Time) status.Rolled {
	desired := k.Desired.Of(cr)
	observed := own(cr.Name, k.Ledger.Overlay(k.Watch.Releases(), k.Watch.ReleasesUpTo(), now))
	return k.memory.Rollup(status.Facts{
		Now:        now,
		Generation: cr.Generation,
		Deleting:   deleting(cr),
		Suspended:  cr.Spec.Suspend,
		Desired:    desired,
		Observed:   observed,
		Guardrails: k.Guards.status(cr.Name, desired, observed),
		Work:       k.Ledger.View(k.Queue.Lanes()),
		Objects:    k.Watch.Objects(),
		Nodes:      k.Watch.Nodes(),
		WasReady:   k.was(),
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

// ready notes which releases a status shows as ready.
func (k *Known) ready(now v1alpha1.ControllerStatus) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wasReady = readyIn(now, k.wasReady)
}

// was is the revision in which each release was last seen ready.
func (k *Known) was() map[tenancy.Key]int32 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.wasReady
}
