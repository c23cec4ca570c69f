package servingcert

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Keeper keeps certificates in a Secret, which all replicas share, and serves the one
// that is current.
type Keeper struct {
	secrets corev1client.SecretInterface
	name    string
	hosts   []string
	terms   terms
	publish func(ctx context.Context, bundle []byte) error

	serving atomic.Pointer[tls.Certificate]
	served  string // the certificate that is served, as PEM
}

// The longest times: between two looks, and until everybody knows what was told.
const (
	longestPause  = 10 * time.Second
	longestSettle = time.Minute
)

// New makes a keeper of certificates for hosts, names or addresses, which are valid for
// so long. publish tells those who call the webhooks whom to trust; it is called at each
// look, and no certificate is served before it has succeeded.
func New(secrets corev1client.SecretInterface, name string, hosts []string, validity time.Duration, publish func(ctx context.Context, bundle []byte) error) *Keeper {
	return &Keeper{
		secrets: secrets, name: name, hosts: hosts, publish: publish,
		terms: terms{validity: validity, settle: min(longestSettle, validity/12)},
	}
}

// NeedLeaderElection is false: every replica serves.
func (k *Keeper) NeedLeaderElection() bool { return false }

// Start looks after the certificates until ctx ends.
func (k *Keeper) Start(ctx context.Context) error {
	logger := log.FromContext(ctx).WithName("certificates")
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		if err := k.look(ctx, time.Now()); err != nil && ctx.Err() == nil {
			logger.Error(err, "certificate of the webhooks not looked after")
		}
	}, min(longestPause, k.terms.settle/4))
	return nil
}

// GetCertificate is the one to serve now, for tls.Config.
func (k *Keeper) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := k.serving.Load(); c != nil {
		return c, nil
	}
	return nil, errors.New("there is no certificate yet")
}

// look makes the step that is due, tells whom to trust, and serves what is current.
// Another replica may make the step; then it is seen at the next look.
func (k *Keeper) look(ctx context.Context, now time.Time) error {
	secret, err := k.secrets.Get(ctx, k.name, metav1.GetOptions{})
	exists := !apierrors.IsNotFound(err)
	if exists && err != nil {
		return fmt.Errorf("get Secret %s: %w", k.name, err)
	}
	s := read(secret)
	if exists && s.current.serves(now) {
		// A step is made on what everybody was told.
		if err := k.publish(ctx, s.bundle()); err != nil {
			return err
		}
	}
	next, moved, err := s.advance(now, k.terms, func() (pair, error) { return issue(k.hosts, k.terms.validity) })
	if err != nil {
		return err
	}
	if moved {
		if err := k.store(ctx, secret, exists, next); err != nil {
			return err
		}
		if err := k.publish(ctx, next.bundle()); err != nil {
			return err
		}
	}
	return k.serve(next.current)
}

// store writes the state over the Secret that was read.
func (k *Keeper) store(ctx context.Context, secret *corev1.Secret, exists bool, s state) (err error) {
	if !exists {
		secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: k.name}, Type: corev1.SecretTypeOpaque}
	}
	write(secret, s)
	if exists {
		_, err = k.secrets.Update(ctx, secret, metav1.UpdateOptions{})
	} else {
		_, err = k.secrets.Create(ctx, secret, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("write Secret %s: %w", k.name, err)
	}
	return nil
}

func (k *Keeper) serve(p pair) error {
	if k.served == string(p.cert) {
		return nil
	}
	c, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("read the certificate in Secret %s: %w", k.name, err)
	}
	k.serving.Store(&c)
	k.served = string(p.cert)
	return nil
}

// The keys of the Secret.
const (
	keyCurrent, keyCurrentKey = corev1.TLSCertKey, corev1.TLSPrivateKeyKey
	keyNext, keyNextKey       = "next.crt", "next.key"
	keyPrevious               = "previous.crt"
	keySince                  = "since"
)

func read(secret *corev1.Secret) state {
	if secret == nil {
		return state{}
	}
	since, _ := time.Parse(time.RFC3339Nano, string(secret.Data[keySince])) // long ago, if it is none
	return state{
		current:  pair{cert: secret.Data[keyCurrent], key: secret.Data[keyCurrentKey]},
		next:     pair{cert: secret.Data[keyNext], key: secret.Data[keyNextKey]},
		previous: secret.Data[keyPrevious],
		since:    since,
	}
}

func write(secret *corev1.Secret, s state) {
	secret.Data = map[string][]byte{
		keyCurrent: s.current.cert, keyCurrentKey: s.current.key,
		keyNext: s.next.cert, keyNextKey: s.next.key,
		keyPrevious: s.previous,
		keySince:    []byte(s.since.Format(time.RFC3339Nano)),
	}
	maps.DeleteFunc(secret.Data, func(_ string, data []byte) bool { return len(data) == 0 })
}
