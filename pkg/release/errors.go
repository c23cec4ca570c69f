package release

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// weather marks an error that is the API server's and will pass, so that it does
// not count against a release.
func weather(err error) error {
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "because it is being terminated"):
		return fmt.Errorf("%w: %w", tenancy.ErrTerminating, err)
	case !passing(err):
		return err
	}
	return fmt.Errorf("%w: %w", tenancy.ErrUnavailable, err)
}

func passing(err error) bool {
	switch {
	case apierrors.IsServiceUnavailable(err), apierrors.IsTooManyRequests(err),
		apierrors.IsServerTimeout(err), apierrors.IsTimeout(err), apierrors.IsInternalError(err),
		utilnet.IsConnectionRefused(err), utilnet.IsConnectionReset(err), utilnet.IsHTTP2ConnectionLost(err), utilnet.IsProbableEOF(err):
		return true
	}
	// Helm keeps the text of many an error and drops the error.
	for _, text := range []string{
		"connection refused", "connection reset", "client connection lost", "unexpected EOF", "etcdserver: ", "TLS handshake timeout",
		"no answer from the API server",
	} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// kubeError tells a missing kind from other trouble, for people.
func kubeError(err error) error {
	if meta.IsNoMatchError(err) {
		return fmt.Errorf("%w; install what brings the kind first, or use a chart that does without it", err)
	}
	return err
}
