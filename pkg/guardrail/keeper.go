package guardrail

import (
	"context"
	"fmt"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// owner is who the API server notes as the manager of what is applied here.
const owner = client.FieldOwner("multi-tenancy-operator-guardrails")

// Keeper puts guardrails in place.
type Keeper struct {
	writer client.Writer
	reader client.Reader
}

// NewKeeper makes one that writes with writer, and reads what it must know for certain
// with reader, which should have no cache.
func NewKeeper(writer client.Writer, reader client.Reader) *Keeper {
	return &Keeper{writer: writer, reader: reader}
}

// Apply makes what there is in a namespace what is wanted, by server-side apply: what
// the verdict finds missing or other than wanted is written, what is surplus is deleted.
// The namespace must exist. An object of that name which is somebody else's is not
// touched, and is an error.
func (k *Keeper) Apply(ctx context.Context, want Wanted, live Live, verdict Verdict) error {
	fail := func(kind, name string, err error) error {
		return fmt.Errorf("guardrail %s %s of tenancy %s: %w", kind, name, want.Namespace, err)
	}
	for _, s := range verdict.Each {
		if s.Ready || s.Message == pending {
			continue
		}
		if s.Kind == "Namespace" {
			if err := k.namespace(ctx, want); err != nil {
				return fail(s.Kind, s.Name, err)
			}
			continue
		}
		i := slices.IndexFunc(want.Objects, func(o client.Object) bool {
			return o.GetObjectKind().GroupVersionKind().Kind == s.Kind && o.GetName() == s.Name
		})
		if err := k.object(ctx, want.Objects[i], live.find(want.Objects[i])); err != nil {
			return fail(s.Kind, s.Name, err)
		}
	}
	for _, o := range verdict.Surplus {
		if err := k.remove(ctx, o); err != nil {
			return fail(fmt.Sprintf("%T", o), o.GetName(), err)
		}
	}
	return nil
}

// namespace writes labels and annotations.
func (k *Keeper) namespace(ctx context.Context, want Wanted) error {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion("v1")
	o.SetKind("Namespace")
	o.SetName(want.Namespace)
	o.SetLabels(want.Labels)
	o.SetAnnotations(want.Annotations)
	return k.writer.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), owner, client.ForceOwnership)
}

// object writes one object. One that is not known to be a guardrail may be somebody
// else's: then it is written only where nobody says otherwise.
func (k *Keeper) object(ctx context.Context, want, have client.Object) error {
	data, err := runtime.DefaultUnstructuredConverter.ToUnstructured(want)
	if err != nil {
		return err
	}
	delete(data, "status")
	o := &unstructured.Unstructured{Object: data}
	if have != nil {
		if rebound(want, have) {
			if err := k.remove(ctx, have); err != nil {
				return err
			}
		}
		return k.writer.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), owner, client.ForceOwnership)
	}
	err = k.writer.Apply(ctx, client.ApplyConfigurationFromUnstructured(o.DeepCopy()), owner)
	if !apierrors.IsConflict(err) {
		return err
	}
	mine, err := k.mine(ctx, o)
	if err != nil {
		return err
	}
	if !mine {
		return fmt.Errorf("%w: it exists and is not the operator's; delete it, or rename it", tenancy.ErrNotOwned)
	}
	return k.writer.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), owner, client.ForceOwnership)
}

// rebound says that a RoleBinding gives other rights, which cannot be changed in it.
func rebound(want, have client.Object) bool {
	a, isA := want.(*rbacv1.RoleBinding)
	b, isB := have.(*rbacv1.RoleBinding)
	return isA && isB && !equality.Semantic.DeepEqual(a.RoleRef, b.RoleRef)
}

// mine says that an object was applied here, though somebody took its label off.
func (k *Keeper) mine(ctx context.Context, o *unstructured.Unstructured) (bool, error) {
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(o.GroupVersionKind())
	if err := k.reader.Get(ctx, client.ObjectKeyFromObject(o), live); err != nil {
		return false, err
	}
	return live.Labels[v1alpha1.LabelGuardrail] != "" || slices.ContainsFunc(live.ManagedFields, func(m metav1.ManagedFieldsEntry) bool {
		return m.Manager == string(owner) && m.Operation == metav1.ManagedFieldsOperationApply
	}), nil
}

// remove deletes an object as it was seen.
func (k *Keeper) remove(ctx context.Context, o client.Object) error {
	uid := o.GetUID()
	return client.IgnoreNotFound(k.writer.Delete(ctx, o, client.Preconditions{UID: &uid}))
}
