// Package tenancy holds the nouns everybody shares: which releases are desired,
// which are observed, and how a release is named and told apart. It does no
// I/O and knows neither Helm nor the API server.
package tenancy

import (
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// Key names a release: its namespace, which is its tenancy, and its name.
type Key struct {
	Namespace string
	Name      string
}

// String is namespace/name.
func (k Key) String() string { return k.Namespace + "/" + k.Name }

// Tenancy is one customer: a namespace and the releases wanted in it, in order.
type Tenancy struct {
	Namespace string
	// Suspended holds every change in the namespace, uninstalls too.
	Suspended bool
	Releases  []Release
	// Guardrails bound the namespace; nil when there are none. Two that are the same
	// pointer are the same.
	Guardrails *Guardrails
	// Err says why it is not known which releases are wanted; nil when it is. Until then
	// nothing in the namespace is changed or uninstalled.
	Err error
}

// Release is a desired Helm release.
type Release struct {
	Key   Key
	Chart Chart
	// Values are the user's values, without the chart's defaults.
	Values map[string]any
	// References are the objects that values are taken from, found or not.
	References []Reference
	// Digest tells two desired states of a release apart; see DigestOf.
	Digest string
	// DependsOn names releases of the tenancy that must be ready before this one
	// is installed or upgraded.
	DependsOn []string
	// Position is the place in the tenancy, counted from 0: the spec's order, with
	// each release after those it depends on.
	Position int
	// Revision is the one the next operation makes; a plan knows it.
	Revision int
	// Timeout bounds one operation and each hook in it, and how long the release may
	// take to become ready after it; it is above zero.
	Timeout   time.Duration
	Suspended bool
	// OnFailure says what follows a failure, and Retries how often an operation is
	// tried again before it is given up.
	OnFailure v1alpha1.FailurePolicy
	Retries   int
	// Drift says what follows when somebody else changes objects of the release; empty
	// is as Correct, with replicas left alone.
	Drift v1alpha1.DriftPolicy
	// CRDs says what is done with the chart's crds directory.
	CRDs v1alpha1.CRDPolicy
	// Adopt allows to take over what exists already.
	Adopt bool
	// ServiceAccount names the one, in the namespace of the release, as which what the
	// chart contains is applied; empty for the operator itself.
	ServiceAccount string
	// ClusterKinds are the cluster-scoped kinds that the chart may contain.
	ClusterKinds []v1alpha1.ClusterKind
	// NetworkClosed says that the chart may have no NetworkPolicy, which would open what a
	// guardrail closes.
	NetworkClosed bool
	// Test is the outcome of the last test, which the next revision keeps; a plan
	// knows it.
	Test Test
	// Err says why the release cannot be acted on as it is written; nil when it can.
	Err error
}

// ChartRef is a chart as the spec asks for it. An empty Version means the
// newest stable one, an empty Repository the chart home.
type ChartRef struct {
	Repository string
	Name       string
	Version    string
}

// Chart is a chart that was found.
type Chart struct {
	Name       string
	Version    string
	AppVersion string
	// Digest tells the chart's content apart, whatever form it is stored in.
	Digest string
}

// Repository is a named chart source.
type Repository struct {
	Name string
	// URL begins with https, http or oci.
	URL string
	// SecretName names the Secret with the credentials; empty for none.
	SecretName string
	// Insecure allows plain HTTP to an OCI registry.
	Insecure bool
}
