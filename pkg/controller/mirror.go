package controller

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
)

// mirrors is how many Tenancy objects are written side by side.
const mirrors = 8

// mirror writes the Tenancy objects that are other now, makes those that are missing
// where their namespace exists, and deletes those of tenancies that are gone.
func (r *Report) mirror(ctx context.Context, cr *v1alpha1.Controller, rolled status.Rolled) (written bool, err error) {
	var list v1alpha1.TenancyList
	// What the cache gives is read and never changed.
	if err := r.Client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("list Tenancies: %w", err)
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
	next := rolled.Tenancies(func(ns string) []metav1.Condition {
		if t := have[ns]; t != nil {
			return t.Status.Conditions
		}
		return nil
	})
	for ns, t := range have {
		if _, wanted := next[ns]; !wanted && t.Labels[v1alpha1.LabelController] != "" {
			surplus = append(surplus, t)
		}
	}
	maps.DeleteFunc(next, func(ns string, _ v1alpha1.TenancyStatus) bool { return !r.Watch.Lives(ns) })
	return r.writeTenancies(ctx, cr, have, next, surplus)
}

// writeTenancies writes side by side. One that fails keeps no other from being written.
func (r *Report) writeTenancies(ctx context.Context, cr *v1alpha1.Controller, have map[string]*v1alpha1.Tenancy,
	next map[string]v1alpha1.TenancyStatus, surplus []*v1alpha1.Tenancy,
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
	for ns, now := range next {
		before, now := have[ns], status.FitTenancy(now)
		switch {
		case before == nil:
			write(ns, func() error { return r.addTenancy(ctx, cr, ns, now) })
		case !before.DeletionTimestamp.IsZero():
		case !marked(before, cr):
			write(ns, func() error { return r.markTenancy(ctx, before, cr) })
		case !equality.Semantic.DeepEqual(before.Status, now):
			write(ns, func() error { return r.writeTenancy(ctx, before, now) })
		}
	}
	for _, t := range surplus {
		write(t.Namespace, func() error { return r.Client.Delete(ctx, t, client.Preconditions{UID: &t.UID}) })
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

func (r *Report) addTenancy(ctx context.Context, cr *v1alpha1.Controller, namespace string, now v1alpha1.TenancyStatus) error {
	t := &v1alpha1.Tenancy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: cr.Name}}
	mark(t, cr)
	if err := r.Client.Create(ctx, t); err != nil {
		return err
	}
	return r.writeTenancy(ctx, t, now)
}

func (r *Report) writeTenancy(ctx context.Context, before *v1alpha1.Tenancy, now v1alpha1.TenancyStatus) error {
	after := before.DeepCopy()
	after.Status = now
	return r.Client.Status().Patch(ctx, after, since(before))
}

// markTenancy puts back what somebody took off.
func (r *Report) markTenancy(ctx context.Context, before *v1alpha1.Tenancy, cr *v1alpha1.Controller) error {
	after := before.DeepCopy()
	mark(after, cr)
	return r.Client.Patch(ctx, after, since(before))
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
