package release

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// EnsureNamespace makes a namespace that is missing. One that exists is left as
// it is.
func (c *Client) EnsureNamespace(ctx context.Context, name string) error {
	namespaces := c.shared.clientset.CoreV1().Namespaces()
	have, err := namespaces.Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		want := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name:   name,
			Labels: map[string]string{"app.kubernetes.io/managed-by": "multi-tenancy-operator"},
		}}
		if _, err := namespaces.Create(ctx, want, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create namespace %s: %w", name, err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("get namespace %s: %w", name, err)
	case have.Status.Phase == corev1.NamespaceTerminating:
		return fmt.Errorf("%w: %s is made again when it is gone", tenancy.ErrTerminating, name)
	}
	return nil
}
