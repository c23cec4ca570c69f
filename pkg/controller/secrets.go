package controller

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// secretTimeout bounds the read of a Secret.
const secretTimeout = 10 * time.Second

// Credentials reads Secrets of the operator's namespace, anew each time. They are
// not watched: the operator would hold every Secret there.
func Credentials(secrets corev1client.SecretInterface) func(context.Context, string) (map[string][]byte, error) {
	return func(ctx context.Context, name string) (map[string][]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, secretTimeout)
		defer cancel()
		secret, err := secrets.Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil, errors.New("it is not in the namespace of the operator")
		case err != nil:
			return nil, err
		}
		return secret.Data, nil
	}
}
