package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
)

// Report writes the status of the Controllers, and is the only one to.
type Report struct {
	Client  client.Client
	Known   *Known
	Metrics *Metrics
	// Wake is rung when anything the status shows changes.
	Wake Wake

	// wrote is when the last pass that wrote anything began.
	wrote time.Time
	// passed follows each pass, and breather each write of a Controller.
	passed, breather breather
	weights          weights
	// withheld is since when nothing is told, as Tenancies are to be made first.
	withheld time.Time
}

// A Controller is not told to be ready before its Tenancies are there, which the other
// writer makes: whoever waited for the one looks for the other next. One that cannot be
// made is not waited for any longer than this.
const (
	tenanciesWithin = 3 * time.Second
	tenanciesLook   = 50 * time.Millisecond
)

// SetupWithManager registers the reconciler.
func (r *Report) SetupWithManager(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("report").
		Watches(&v1alpha1.Controller{}, everything(), r.Metrics.seen("controllers.multitenancy.dev")).
		WatchesRawSource(source.Channel(r.Wake, everything())).
		Complete(r)
}

// Reconcile writes what is known now, at most once in a while.
func (r *Report) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	now := time.Now()
	all, result, err := r.Known.due(ctx, r.Client, now, r.wrote, r.passed, r.breather)
	if len(all) == 0 {
		return result, err
	}
	active := &all[0]
	rolled := r.Known.rollup(active, now)
	if r.early(ctx, active, rolled, now) {
		return ctrl.Result{RequeueAfter: tenanciesLook}, nil
	}
	next := rolled.Controller(active.Status.Conditions)
	r.Known.ready(next)
	r.Metrics.summary(next.Summary)
	weight := r.weights.of(active)
	next = status.Fit(next, rolled.Sizes(), status.Room(weight))
	r.passed.take(now, time.Now(), longestAfterPass)
	written, err := r.writeAll(ctx, active, next, weight, all[1:])
	if written {
		r.wrote = now
		r.breather.take(now, time.Now(), longestAfterWrite)
	}
	switch {
	case err != nil:
		return again(err)
	case unready(next.Summary):
		return ctrl.Result{RequeueAfter: resync}, nil // that time is up is no event
	}
	return done(), nil
}

// early says that everything is ready and a Tenancy is still to be made.
func (r *Report) early(ctx context.Context, active *v1alpha1.Controller, rolled status.Rolled, now time.Time) bool {
	if !rolled.Ready() || r.mirrored(ctx, active, rolled) {
		r.withheld = time.Time{}
		return false
	}
	if r.withheld.IsZero() {
		r.withheld = now
	}
	return now.Sub(r.withheld) < tenanciesWithin
}

// mirrored says that each tenancy whose namespace exists has its Tenancy.
func (r *Report) mirrored(ctx context.Context, active *v1alpha1.Controller, rolled status.Rolled) bool {
	var list v1alpha1.TenancyList
	if err := r.Client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return true // not for this writer to tell
	}
	have := make(map[string]bool, len(list.Items))
	for i := range list.Items {
		have[list.Items[i].Namespace] = have[list.Items[i].Namespace] || list.Items[i].Name == active.Name
	}
	return !slices.ContainsFunc(rolled.Tenancies, func(s *status.Standing) bool {
		return !have[s.Namespace] && r.Known.Watch.Lives(s.Namespace)
	})
}

// writeAll writes the status of each Controller that is another now.
func (r *Report) writeAll(ctx context.Context, active *v1alpha1.Controller, next v1alpha1.ControllerStatus, weight int,
	surplus []v1alpha1.Controller,
) (written bool, err error) {
	if written, err = r.write(ctx, active, next); err == nil {
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

// write patches the status of a Controller when it is different.
func (r *Report) write(ctx context.Context, cr *v1alpha1.Controller, next v1alpha1.ControllerStatus) (written bool, err error) {
	patch, err := change(cr, next)
	if patch == nil || err != nil {
		return false, err
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
