package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// dismiss deletes surplus Controllers after a Warning event that names the active
// one. They never owned a release. While the active one is itself being
// deleted, a younger one waits for its place.
func (s *Schedule) dismiss(ctx context.Context, active *v1alpha1.Controller, surplus []v1alpha1.Controller) error {
	if !active.DeletionTimestamp.IsZero() {
		return nil
	}
	for i := range surplus {
		cr := &surplus[i]
		if !cr.DeletionTimestamp.IsZero() {
			continue
		}
		ctrl.Log.WithName("schedule").Info("surplus Controller deleted", "controller", cr.Name, "active", active.Name)
		s.Recorder.Eventf(cr, active, corev1.EventTypeWarning, reasonSurplus, "delete",
			"Controller %s is the active one and there is one per cluster: %s is deleted; add its tenancies to %s", active.Name, cr.Name, active.Name)
		uid := client.Preconditions{UID: &cr.UID}
		err := s.Client.Delete(ctx, cr, uid)
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("delete surplus Controller %s: %w", cr.Name, err)
		}
	}
	return nil
}
