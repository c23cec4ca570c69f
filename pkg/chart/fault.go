package chart

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"oras.land/oras-go/v2/registry/remote/errcode"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// fault is one sentence of a kind that tenancy knows.
type fault struct {
	kind error
	text string
}

func (f fault) Error() string { return f.text }
func (f fault) Unwrap() error { return f.kind }

func pending(ref tenancy.ChartRef) error {
	return fault{tenancy.ErrChartPending, fmt.Sprintf("chart %q is being fetched from repository %q", ref.Name, ref.Repository)}
}

// absent: the repository was read, and has nothing that fits.
func absent(ref tenancy.ChartRef, why string) error {
	return fmt.Errorf("%w: %q %s in repository %q", tenancy.ErrChartNotFound, ref.Name, why, ref.Repository)
}

// statusError is an answer that is none.
type statusError struct {
	url  *url.URL
	code int
}

func (e statusError) Error() string {
	return fmt.Sprintf("%s answers %d %s", place(e.url), e.code, http.StatusText(e.code))
}

// place is a URL without what may be secret in it.
func place(u *url.URL) string { return u.Scheme + "://" + u.Host + u.Path }

// explain makes an error of a source one sentence, without credentials and without
// the queries of URLs, which may sign them. An error that is one already is kept.
func explain(r tenancy.Repository, redact func(string) string, err error) error {
	for _, kind := range []error{tenancy.ErrChartNotFound, tenancy.ErrChartInvalid} {
		if errors.Is(err, kind) {
			return fault{kind, tenancy.Line(redact(err.Error()))}
		}
	}
	text, code := reason(err)
	switch {
	case code != http.StatusUnauthorized && code != http.StatusForbidden:
	case r.SecretName == "":
		text += "; name a Secret with credentials in secretName"
	default:
		text += fmt.Sprintf("; look at the credentials in Secret %q", r.SecretName)
	}
	return fault{tenancy.ErrSource, tenancy.Line(fmt.Sprintf("%s: repository %q: %s", tenancy.ErrSource, r.Name, redact(text)))}
}

// reason says what happened, and the status of HTTP if there was one.
func reason(err error) (text string, code int) {
	var status statusError
	var response *errcode.ErrorResponse
	var request *url.Error
	switch {
	case errors.As(err, &status):
		return status.Error(), status.code
	case errors.As(err, &response):
		return statusError{response.URL, response.StatusCode}.Error(), response.StatusCode
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "it does not answer in time", 0
	case errors.As(err, &request):
		text = network(request.Err)
		if u, bad := url.Parse(request.URL); bad == nil {
			text = place(u) + ": " + text
		}
		return text, 0
	}
	return strings.ToValidUTF8(err.Error(), ""), 0
}

// network says what is wrong with a connection without what differs at each try: ports
// of our own, and the time.
func network(err error) string {
	var lookup *net.DNSError
	var operation *net.OpError
	var certificate x509.CertificateInvalidError
	switch {
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return fmt.Sprintf("there is no host %q", lookup.Name)
	case errors.As(err, &lookup):
		return fmt.Sprintf("the name %q cannot be resolved now", lookup.Name)
	case errors.As(err, &operation) && operation.Addr != nil:
		return fmt.Sprintf("%s %s: %s", operation.Op, operation.Addr, operation.Err)
	case errors.As(err, &certificate) && certificate.Reason == x509.Expired:
		return "its certificate is not valid at this time"
	}
	return err.Error()
}

// useless: what was fetched is no good chart.
func useless(ref tenancy.ChartRef, version string, err error) error {
	return fmt.Errorf("%w: %s %s of repository %q: %w", tenancy.ErrChartInvalid, ref.Name, version, ref.Repository, err)
}
