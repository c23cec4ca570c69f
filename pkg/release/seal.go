package release

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// seal tells a record that the operator wrote from one that somebody else wrote or
// changed. Without a key it takes every record for genuine.
type seal struct {
	key []byte
	// namespace is that of the records: what Helm writes does not say.
	namespace string
}

// of is the seal of what is in a record. Helm's labels, and ours, are not under it: they
// are checked against what is in it, or decide about nothing but when.
func (s seal) of(secret *corev1.Secret) string {
	mac := hmac.New(sha256.New, s.key)
	fmt.Fprintf(mac, "%s/%s/", s.namespace, secret.Name)
	mac.Write(secret.Data["release"])
	return hex.EncodeToString(mac.Sum(nil))
}

func (s seal) genuine(secret *corev1.Secret) bool {
	return s.key == nil || hmac.Equal([]byte(secret.Annotations[v1alpha1.AnnotationSeal]), []byte(s.of(secret)))
}

// put seals a record.
func (s seal) put(secret *corev1.Secret) {
	if s.key != nil {
		metav1.SetMetaDataAnnotation(&secret.ObjectMeta, v1alpha1.AnnotationSeal, s.of(secret))
	}
}

// WithSealKey sets where the key is kept that records are sealed with: the Secret of that
// name, which is made when it is missing. Where its namespace is missing too, records
// have no seals. Without this they have none.
func WithSealKey(secrets corev1client.SecretInterface, name string) Option {
	return func(c *Client) { c.sealing = &sealing{secrets: secrets, name: name} }
}

// sealing gets the key when it is needed first.
type sealing struct {
	secrets corev1client.SecretInterface
	name    string

	mu    sync.Mutex
	known bool
	key   []byte
}

// sealKey is where the Secret has the key.
const sealKey = "key"

// of is the seal of records in a namespace.
func (s *sealing) of(ctx context.Context, namespace string) (seal, error) {
	if s == nil {
		return seal{}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known {
		if err := s.ask(ctx); err != nil {
			return seal{}, err
		}
		s.known = true
	}
	return seal{key: s.key, namespace: namespace}, nil
}

// ask gets the key, or makes it. The lock is held.
func (s *sealing) ask(ctx context.Context) error {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	secret, err := s.secrets.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: s.name}, Data: map[string][]byte{sealKey: key},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		secret, err = s.secrets.Get(ctx, s.name, metav1.GetOptions{})
	}
	switch {
	case apierrors.IsNotFound(err): // the namespace
		return nil
	case err != nil:
		return fmt.Errorf("get the key in Secret %s that records are sealed with: %w", s.name, weather(err))
	case len(secret.Data[sealKey]) < sha256.Size:
		return fmt.Errorf("Secret %s has no key of %d bytes to seal records with; delete it, and another one is made", s.name, sha256.Size) //nolint:staticcheck // the kind is a name
	}
	s.key = secret.Data[sealKey]
	return nil
}

// trusted is an error when a revision is not as the operator wrote it. One that was there
// before the release was adopted is nobody's work but the adopter's to judge.
func (op *operation) trusted(ctx context.Context, rel tenancy.Release, revision int) error {
	items, err := op.secrets.history(ctx, rel.Key.Name)
	if err != nil {
		return weather(err)
	}
	for i := range items {
		secret := &items[i]
		if secret.Name != recordName(rel.Key, revision) || op.secrets.seal.genuine(secret) {
			continue
		}
		if rel.Adopt && secret.Labels[v1alpha1.LabelController] == "" {
			continue
		}
		return fmt.Errorf("revision %d of release %s, in Secret %s, %w; have a new revision made by an edit of the spec", revision, rel.Key, secret.Name, tenancy.ErrTampered)
	}
	return nil
}
