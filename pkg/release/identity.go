package release

import (
	"context"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/transport"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// WithServiceAccount sets as which ServiceAccount of its namespace a release is
// uninstalled whose record names none; empty for the operator itself.
func WithServiceAccount(name string) Option {
	return func(c *Client) { c.account = name }
}

// as is the connection for what the chart of a release asks for. It has the rights of
// the release's ServiceAccount if that has one. Records are Helm's, and not the chart's.
func (s *shared) as(rel tenancy.Release) http.RoundTripper {
	if rel.ServiceAccount == "" {
		return s.config.Transport
	}
	// The API server adds the groups of a ServiceAccount by itself.
	user := fmt.Sprintf("system:serviceaccount:%s:%s", rel.Key.Namespace, rel.ServiceAccount)
	return transport.NewImpersonatingRoundTripper(transport.ImpersonationConfig{UserName: user}, s.config.Transport)
}

// identified says that the ServiceAccount of a release exists. Who impersonates one that
// does not still has the rights of its groups.
func (c *Client) identified(ctx context.Context, rel tenancy.Release) error {
	if rel.ServiceAccount == "" {
		return nil
	}
	_, err := c.shared.clientset.CoreV1().ServiceAccounts(rel.Key.Namespace).Get(ctx, rel.ServiceAccount, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("release %s %w: make ServiceAccount %s in namespace %s, or name another in serviceAccountName",
			rel.Key, tenancy.ErrIdentity, rel.ServiceAccount, rel.Key.Namespace)
	case err != nil:
		return fmt.Errorf("get ServiceAccount %s of release %s: %w", rel.ServiceAccount, rel.Key, weather(err))
	}
	return nil
}

// leaves says that a namespace is being deleted, or is gone.
func (c *Client) leaves(ctx context.Context, namespace string) bool {
	have, err := c.shared.clientset.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	return apierrors.IsNotFound(err) || err == nil && have.Status.Phase == corev1.NamespaceTerminating
}
