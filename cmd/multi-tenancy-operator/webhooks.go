package main

import (
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

// webhookName is what the Service, the Secret and the configurations of the webhooks are
// called.
const (
	webhookName          = "multi-tenancy-operator"
	webhookSecret        = "multi-tenancy-operator-webhook"
	webhookConfiguration = "multi-tenancy-operator"
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

// trust tells the API server whose certificates to take from the webhooks. What is not
// installed needs none.
func trust(ctx context.Context, client kubernetes.Interface, bundle []byte) error {
	api := client.AdmissionregistrationV1()
	validating, err := api.ValidatingWebhookConfigurations().Get(ctx, webhookConfiguration, metav1.GetOptions{})
	if err == nil {
		var all []*admissionregistrationv1.WebhookClientConfig
		for i := range validating.Webhooks {
			all = append(all, &validating.Webhooks[i].ClientConfig)
		}
		if bundled(all, bundle) {
			_, err = api.ValidatingWebhookConfigurations().Update(ctx, validating, metav1.UpdateOptions{})
		}
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("tell whose certificate to trust in ValidatingWebhookConfiguration %s: %w", webhookConfiguration, err)
	}
	mutating, err := api.MutatingWebhookConfigurations().Get(ctx, webhookConfiguration, metav1.GetOptions{})
	if err == nil {
		var all []*admissionregistrationv1.WebhookClientConfig
		for i := range mutating.Webhooks {
			all = append(all, &mutating.Webhooks[i].ClientConfig)
		}
		if bundled(all, bundle) {
			_, err = api.MutatingWebhookConfigurations().Update(ctx, mutating, metav1.UpdateOptions{})
		}
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("tell whose certificate to trust in MutatingWebhookConfiguration %s: %w", webhookConfiguration, err)
	}
	return nil
}

// bundled puts the authorities into configurations, and says that this changed them.
func bundled(all []*admissionregistrationv1.WebhookClientConfig, bundle []byte) (changed bool) {
	for _, c := range all {
		if string(c.CABundle) != string(bundle) {
			c.CABundle, changed = bundle, true
		}
	}
	return changed
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
