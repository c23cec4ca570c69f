package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"multitenancy.dev/multi-tenancy-operator/pkg/admission"
	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/servingcert"
)

// webhookName is what the Service and both configurations of the webhooks are called, and
// webhookSecret what the Secret of their certificates is.
const (
	webhookName   = "multi-tenancy-operator"
	webhookSecret = "multi-tenancy-operator-webhook"
)

// webhooks are the answers to the API server, where it asks for any.
type webhooks struct {
	// keeper makes the certificates; nil when somebody else does.
	keeper *servingcert.Keeper
}

// server makes the server of the webhooks. Its certificate is in files that somebody else
// writes, such as cert-manager, or is the keeper's.
func (w *webhooks) server(opts options) webhook.Server {
	server := webhook.Options{Port: opts.webhookPort, CertDir: opts.webhookCerts}
	if opts.webhookCerts == "" {
		server.TLSOpts = []func(*tls.Config){func(c *tls.Config) {
			c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return w.keeper.GetCertificate(hello) }
		}}
	}
	return webhook.NewServer(server)
}

// keep has the certificates made and rotated.
func (w *webhooks) keep(mgr manager.Manager, client kubernetes.Interface, opts options) error {
	service := webhookName + "." + opts.namespace + ".svc"
	w.keeper = servingcert.New(client.CoreV1().Secrets(opts.namespace), webhookSecret,
		[]string{service, service + ".cluster.local", "localhost", "127.0.0.1"}, opts.webhookValidity,
		func(ctx context.Context, bundle []byte) error { return trust(ctx, client, bundle) })
	return mgr.Add(w.keeper)
}

// trust tells the API server whose certificates to take from the webhooks.
func trust(ctx context.Context, client kubernetes.Interface, bundle []byte) error {
	api := client.AdmissionregistrationV1()
	err := tell(ctx, api.ValidatingWebhookConfigurations(), bundle, func(c *admissionregistrationv1.ValidatingWebhookConfiguration) (all []*admissionregistrationv1.WebhookClientConfig) {
		for i := range c.Webhooks {
			all = append(all, &c.Webhooks[i].ClientConfig)
		}
		return all
	})
	if err != nil {
		return err
	}
	return tell(ctx, api.MutatingWebhookConfigurations(), bundle, func(c *admissionregistrationv1.MutatingWebhookConfiguration) (all []*admissionregistrationv1.WebhookClientConfig) {
		for i := range c.Webhooks {
			all = append(all, &c.Webhooks[i].ClientConfig)
		}
		return all
	})
}

// configurations are those of one kind.
type configurations[T any] interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (T, error)
	Update(ctx context.Context, configuration T, opts metav1.UpdateOptions) (T, error)
}

// tell puts the authorities into a configuration, where it has others. One that is not
// installed needs none.
func tell[T any](ctx context.Context, api configurations[T], bundle []byte, clients func(T) []*admissionregistrationv1.WebhookClientConfig) error {
	configuration, err := api.Get(ctx, webhookName, metav1.GetOptions{})
	if err == nil {
		changed := false
		for _, c := range clients(configuration) {
			if !bytes.Equal(c.CABundle, bundle) {
				c.CABundle, changed = bundle, true
			}
		}
		if changed {
			_, err = api.Update(ctx, configuration, metav1.UpdateOptions{})
		}
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("tell whose certificate to trust in %T %s: %w", configuration, webhookName, err)
	}
	return nil
}

// answer registers the webhooks.
func (w *webhooks) answer(ctx context.Context, mgr manager.Manager, client kubernetes.Interface, validator admission.Validator, opts options) error {
	self, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("ask the API server who the operator is: %w", err)
	}
	validator.Self = self.Status.UserInfo.Username
	validator.Reader = mgr.GetAPIReader()
	validator.Manages = admission.Reviews(client.AuthorizationV1().SubjectAccessReviews())
	if opts.webhookCerts == "" {
		if err := w.keep(mgr, client, opts); err != nil {
			return fmt.Errorf("add the certificates to the manager: %w", err)
		}
	}
	err = ctrl.NewWebhookManagedBy(mgr, &v1alpha1.Controller{}).
		WithValidator(&validator).
		WithDefaulter(admission.Defaulter{Account: opts.account}).
		Complete()
	if err != nil {
		return fmt.Errorf("register the webhooks: %w", err)
	}
	if err := mgr.AddReadyzCheck("webhooks", mgr.GetWebhookServer().StartedChecker()); err != nil {
		return fmt.Errorf("add the readiness check of the webhooks: %w", err)
	}
	return nil
}
