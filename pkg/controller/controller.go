// Package controller holds the two reconcilers. Schedule walks from the spec to
// the queue: read, decide, hand over. Report walks from the facts to the
// status, and is its only writer. Between them lies the ledger, which remembers
// how operations went for as long as the process lives.
package controller

import (
	"cmp"
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/guardrail"
	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Releases is what scheduling needs from Helm.
type Releases interface {
	Install(ctx context.Context, controller string, rel tenancy.Release) (tenancy.Applied, error)
	Upgrade(ctx context.Context, controller string, rel tenancy.Release) (tenancy.Applied, error)
	Recover(ctx context.Context, controller string, rel tenancy.Release) (tenancy.Applied, error)
	Rollback(ctx context.Context, controller string, rel tenancy.Release, to int, cause string) (tenancy.Applied, error)
	Correct(ctx context.Context, rel tenancy.Release, suspects []tenancy.Object, mend func(tenancy.Object) bool) (tenancy.Applied, error)
	Verify(ctx context.Context, rel tenancy.Release, revision int) error
	Test(ctx context.Context, rel tenancy.Release, request string) (tenancy.Applied, error)
	Uninstall(ctx context.Context, rel tenancy.Release) (tenancy.Applied, error)
}

// Queue is what scheduling needs from the queue.
type Queue interface {
	Replace(lane string, jobs []queue.Job)
	Lanes() map[string]queue.Lane
	Load() queue.Load
}

// Watch is what both need from the informers.
type Watch interface {
	Synced() bool
	Sync(namespaces []string)
	Releases() []tenancy.Observed
	// ReleasesUpTo is the resource version that Releases has come to; 0 for unknown.
	ReleasesUpTo() uint64
	Look(object tenancy.Object) (now tenancy.Object, known bool)
	Objects() map[string]status.Objects
	Nodes() status.Nodes
	// Guardrails is what there is of guardrails in a namespace; known is false while
	// nobody has looked. GuardrailsChange is the number of the last change to that.
	Guardrails(namespace string) (live guardrail.Live, known bool)
	GuardrailsChange(namespace string) uint64
	// Lives says that a namespace exists and is not being deleted.
	Lives(namespace string) bool
}

// Wake is a bell: ringing it makes a reconciler run soon. It never blocks, and
// ringing it twice before the reconciler ran is ringing it once.
type Wake chan event.GenericEvent

// NewWake makes a bell.
func NewWake() Wake { return make(Wake, 1) }

// Ring rings the bell.
func (w Wake) Ring() {
	select {
	case w <- event.GenericEvent{Object: &v1alpha1.Controller{}}:
	default:
	}
}

// everything is the one request both reconcilers know: there is one active
// Controller, and what belongs to it is looked at as a whole.
func everything() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: "all"}}}
	})
}

// list reads all Controllers, the active one first: the oldest, then the first
// by name. What they hold is the cache's, which copying would cost much: it is read and
// never changed.
func list(ctx context.Context, c client.Reader) ([]v1alpha1.Controller, error) {
	var all v1alpha1.ControllerList
	if err := c.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	slices.SortFunc(all.Items, func(a, b v1alpha1.Controller) int {
		return cmp.Or(
			a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
			cmp.Compare(a.Name, b.Name),
		)
	})
	return all.Items, nil
}

// deleting says that the releases are to go with the Controller.
func deleting(cr *v1alpha1.Controller) bool {
	return !cr.DeletionTimestamp.IsZero() && cr.Spec.DeletionPolicy != v1alpha1.DeletionOrphan
}

// own keeps the releases of one Controller.
func own(controller string, observed []tenancy.Observed) []tenancy.Observed {
	return slices.DeleteFunc(slices.Clone(observed), func(o tenancy.Observed) bool { return o.Controller != controller })
}

var _ reconcile.Reconciler = (*Schedule)(nil)

// since is the patch of what changed since before. It is refused when somebody else
// wrote in between, because a list, such as of finalizers, is replaced as a whole.
func since(before client.Object) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}

// done is the result of a pass that needs no other.
func done() ctrl.Result { return ctrl.Result{} }

// again makes a result of a write. A conflict is weather: somebody else wrote in
// between, and the cache will have it in a moment. What is gone needs no write.
func again(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: 20 * time.Millisecond}, nil
	}
	return done(), client.IgnoreNotFound(err)
}
