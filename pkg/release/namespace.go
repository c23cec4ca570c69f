package release

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// WithLives sets what knows, without asking, that a namespace exists and is not being
// deleted. It may be behind, and may say no of one that does.
func WithLives(lives func(namespace string) bool) Option {
	return func(c *Client) { c.lives = lives }
}

// EnsureNamespace makes a namespace that is missing. One that exists is left as
// it is.
func (c *Client) EnsureNamespace(ctx context.Context, name string) error {
	if c.lives(name) {
		return nil
	}
	namespaces := c.shared.clientset.CoreV1().Namespaces()
	want := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name:   name,
		Labels: map[string]string{"app.kubernetes.io/managed-by": "multi-tenancy-operator"},
	}}
	_, err := namespaces.Create(ctx, want, metav1.CreateOptions{})
	if err == nil {
		return nil
	}
	// It may exist, and then it need not be allowed to make it.
	have, missing := namespaces.Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(missing):
		return fmt.Errorf("create namespace %s: %w", name, err)
	case missing != nil:
		return fmt.Errorf("get namespace %s: %w", name, missing)
	case have.Status.Phase == corev1.NamespaceTerminating:
		return fmt.Errorf("%w: %s is made again when it is gone", tenancy.ErrTerminating, name)
	}
	return nil
}
