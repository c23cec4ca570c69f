package controller

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
)

// mirrors is how many Tenancy objects are written side by side.
const mirrors = 8

// Mirror writes the Tenancy objects, and is the only one to. It does not wait for writes
// of the Controller, which take long when that is large.
type Mirror struct {
	Client  client.Client
	Known   *Known
	Metrics *Metrics
	// Wake is rung when anything the status of a tenancy shows changes.
	Wake Wake

	// wrote is when the last pass that wrote anything began.
	wrote time.Time
	// passed follows each pass.
	passed breather
	// told is what was found to be in each Tenancy last.
	told map[string]told
}

// told says that a Tenancy in a version of it holds how the tenancy stands.
type told struct {
	standing *status.Standing
	version  string
}

// SetupWithManager registers the reconciler.
func (m *Mirror) SetupWithManager(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("mirror").
		Watches(&v1alpha1.Controller{}, everything(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Tenancy{}, everything(), m.Metrics.seen("tenancies.multitenancy.dev")).
		WatchesRawSource(source.Channel(m.Wake, everything())).
		Complete(m)
}

// Reconcile writes what is known now, at most once in a while.
func (m *Mirror) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	now := time.Now()
	all, result, err := m.Known.due(ctx, m.Client, now, m.wrote, m.passed, breather{})
	if len(all) == 0 {
		return result, err
	}
	active := &all[0]
	rolled := m.Known.rollup(active, now)
	m.passed.take(now, time.Now(), longestAfterPass)
	written, complete := m.mirror(ctx, active, rolled)
	if written {
		m.wrote = now
	}
	if !complete || !rolled.Ready() {
		return ctrl.Result{RequeueAfter: resync}, nil // that time is up is no event
	}
	return done(), nil
}

// mirror writes the Tenancy objects that are other now, makes those that are missing
// where their namespace exists, and deletes those of tenancies that are gone. It is not
// complete when some could not be written: what one tenancy's namespace refuses delays
// nobody else.
func (m *Mirror) mirror(ctx context.Context, cr *v1alpha1.Controller, rolled status.Rolled) (written, complete bool) {
	var list v1alpha1.TenancyList
	// What the cache gives is read and never changed.
	if err := m.Client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		log.FromContext(ctx).Error(err, "Tenancies not listed")
		return false, false
	}
	have := map[string]*v1alpha1.Tenancy{}
	var surplus []*v1alpha1.Tenancy
	for i := range list.Items {
		if t := &list.Items[i]; t.Name == cr.Name {
			have[t.Namespace] = t
		} else if t.Labels[v1alpha1.LabelController] != "" {
			surplus = append(surplus, t)
		}
	}
	next := make(map[string]*status.Standing, len(rolled.Tenancies))
	for _, standing := range rolled.Tenancies {
		next[standing.Namespace] = standing
	}
	for ns, t := range have {
		if _, wanted := next[ns]; !wanted && t.Labels[v1alpha1.LabelController] != "" {
			surplus = append(surplus, t)
		}
	}
	maps.DeleteFunc(next, func(ns string, _ *status.Standing) bool { return !m.Known.Watch.Lives(ns) })
	written, err := m.writeTenancies(ctx, cr, have, next, surplus)
	if err != nil {
		log.FromContext(ctx).Error(err, "Tenancy not written")
	}
	return written, err == nil
}

// writeTenancies writes side by side. One that fails keeps no other from being written.
func (m *Mirror) writeTenancies(ctx context.Context, cr *v1alpha1.Controller, have map[string]*v1alpha1.Tenancy,
	next map[string]*status.Standing, surplus []*v1alpha1.Tenancy,
) (written bool, err error) {
	var some atomic.Bool
	var group errgroup.Group
	group.SetLimit(mirrors)
	write := func(namespace string, do func() error) {
		group.Go(func() error {
			some.Store(true)
			if err := do(); err != nil && !stale(err) {
				return fmt.Errorf("write Tenancy %s/%s: %w", namespace, cr.Name, err)
			}
			return nil
		})
	}
	held := make(map[string]told, len(next))
	for ns, standing := range next {
		before := have[ns]
		if before == nil {
			write(ns, func() error { return m.addTenancy(ctx, cr, ns, status.FitTenancy(standing.Status(nil))) })
			continue
		}
		telling := told{standing: standing, version: before.ResourceVersion}
		if m.told[ns] == telling {
			held[ns] = telling
			continue
		}
		now := status.FitTenancy(standing.Status(before.Status.Conditions))
		switch {
		case !before.DeletionTimestamp.IsZero():
		case !marked(before, cr):
			write(ns, func() error { return m.markTenancy(ctx, before, cr) })
		case !equality.Semantic.DeepEqual(before.Status, now):
			write(ns, func() error { return m.writeTenancy(ctx, before, now) })
		default:
			held[ns] = telling
		}
	}
	m.told = held
	for _, t := range surplus {
		write(t.Namespace, func() error { return m.Client.Delete(ctx, t, client.Preconditions{UID: &t.UID}) })
	}
	err = group.Wait()
	return some.Load(), err
}

// stale says that a write failed because the informers are behind. The event they
// wait for brings the next pass.
func stale(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) ||
		apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}

func (m *Mirror) addTenancy(ctx context.Context, cr *v1alpha1.Controller, namespace string, now v1alpha1.TenancyStatus) error {
	t := &v1alpha1.Tenancy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: cr.Name}}
	mark(t, cr)
	if err := m.Client.Create(ctx, t); err != nil {
		return err
	}
	return m.writeTenancy(ctx, t, now)
}

func (m *Mirror) writeTenancy(ctx context.Context, before *v1alpha1.Tenancy, now v1alpha1.TenancyStatus) error {
	after := before.DeepCopy()
	after.Status = now
	return m.Client.Status().Patch(ctx, after, since(before))
}

// markTenancy puts back what somebody took off.
func (m *Mirror) markTenancy(ctx context.Context, before *v1alpha1.Tenancy, cr *v1alpha1.Controller) error {
	after := before.DeepCopy()
	mark(after, cr)
	return m.Client.Patch(ctx, after, since(before))
}

// mark makes a Tenancy that of a Controller: when that is gone, so is it.
func mark(t *v1alpha1.Tenancy, cr *v1alpha1.Controller) {
	if t.Labels == nil {
		t.Labels = map[string]string{}
	}
	t.Labels[v1alpha1.LabelController] = cr.Name
	t.OwnerReferences = []metav1.OwnerReference{owner(cr)}
}

func marked(t *v1alpha1.Tenancy, cr *v1alpha1.Controller) bool {
	return t.Labels[v1alpha1.LabelController] == cr.Name &&
		equality.Semantic.DeepEqual(t.OwnerReferences, []metav1.OwnerReference{owner(cr)})
}

func owner(cr *v1alpha1.Controller) metav1.OwnerReference {
	return metav1.OwnerReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "Controller", Name: cr.Name, UID: cr.UID,
	}
}
