// Package outbound makes HTTP clients that connect only where they may, and show
// credentials only to the host they are for. It knows nothing of what is fetched.
package outbound

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
	"oras.land/oras-go/v2/registry/remote/auth"
)

const (
	maxRedirects = 5
	userAgent    = "multi-tenancy-operator"
)

// ErrTooLarge says that a body is larger than the limit.
var ErrTooLarge = errors.New("it is larger than the limit")

// What a client refuses to do, whatever a server says.
var (
	errDowngrade = errors.New("it leads from https to http, which is refused")
	errRedirects = fmt.Errorf("it was redirected more than %d times", maxRedirects)
	errRealm     = errors.New("the registry sends credentials to a host that is not its own, which is refused")
)

// Limits bound how long a server may take.
type Limits struct {
	// Connect bounds a connection and its TLS handshake, each.
	Connect time.Duration
	// Header bounds the wait for the first byte of an answer.
	Header time.Duration
	// Request bounds a request with its redirects and its whole body.
	Request time.Duration
}

// Client is for one source and as short as one look at it, so that it
// has the newest credentials.
type Client struct {
	http *http.Client
	wire *wire
	cred Credentials
	host string
}

// New makes a client for the source at home. It connects to public addresses and
// those in allowed. The caller closes it.
func New(home *url.URL, cred Credentials, allowed []netip.Prefix, limits Limits) (*Client, error) {
	if err := cred.check(home.Scheme); err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: limits.Connect, Control: newGuard(allowed).control}
	transport := func(certificates []tls.Certificate) *http.Transport {
		return &http.Transport{
			// There is no Proxy: a proxy would be asked for any address.
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cred.roots, Certificates: certificates},
			TLSHandshakeTimeout:    limits.Connect,
			ResponseHeaderTimeout:  limits.Header,
			MaxResponseHeaderBytes: 256 << 10,
			DisableCompression:     true, // what is counted and hashed is what was sent
		}
	}
	w := &wire{home: home, own: transport(cred.certificates), other: transport(nil)}
	return &Client{
		http: &http.Client{Transport: w, CheckRedirect: redirect, Timeout: limits.Request},
		wire: w, cred: cred, host: home.Host,
	}, nil
}

// Close ends the client's idle connections.
func (c *Client) Close() {
	c.wire.own.CloseIdleConnections()
	c.wire.other.CloseIdleConnections()
}

// Redact takes every secret of the client out of a text.
func (c *Client) Redact(text string) string { return c.cred.Redact(text) }

// Do sends a request, with the credentials when it is for the client's own host.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	if header := c.cred.header(); header != "" && origin(req.URL) == origin(c.wire.home) {
		req.Header.Set("Authorization", header)
	}
	req.Header.Set("User-Agent", userAgent)
	return c.http.Do(req)
}

// Registry is the same client as OCI registries need it: credentials are shown
// when they are asked for.
func (c *Client) Registry() *auth.Client {
	client := &auth.Client{Client: c.http, Cache: auth.NewCache(), Credential: auth.StaticCredential(c.host, c.cred.Credential)}
	client.SetUserAgent(userAgent)
	return client
}

// redirect decides about going on to where a server points.
func redirect(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1]
	switch {
	case len(via) > maxRedirects:
		return errRedirects
	case last.URL.Scheme == "https" && req.URL.Scheme != "https":
		return errDowngrade
	case last.Method != http.MethodGet && last.Method != http.MethodHead:
		return http.ErrUseLastResponse // what is posted is meant for one host
	}
	return nil
}

// wire is where requests leave, those after redirects and for tokens too: whatever
// the layers above decided, no credentials go to a host they are not for.
type wire struct {
	home       *url.URL
	own, other *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && w.home.Scheme == "https" {
		return nil, refuse(req, errDowngrade)
	}
	req = req.Clone(req.Context())
	req.Header.Del("Cookie")
	req.Header.Del("Referer")
	if origin(req.URL) == origin(w.home) {
		return w.own.RoundTrip(req)
	}
	secret := req.Header.Get("Authorization") != "" || req.Body != nil && req.Body != http.NoBody
	switch {
	case req.Response != nil: // a redirect
		req.Header.Del("Authorization")
	case secret && !sameSite(w.home, req.URL):
		return nil, refuse(req, errRealm)
	}
	return w.other.RoundTrip(req)
}

// refuse gives up a request without sending it.
func refuse(req *http.Request, err error) error {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return err
}

// origin is scheme, host and port.
func origin(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	case u.Scheme == "http":
		port = "80"
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// sameSite says that a token server may see the credentials of a registry: it speaks
// https and has the registry's registrable domain, under a public suffix.
func sameSite(registry, realm *url.URL) bool {
	if realm.Scheme != "https" {
		return false
	}
	a, b := site(registry.Hostname()), site(realm.Hostname())
	return a != "" && a == b
}

// site is the registrable domain of a host; empty when it has none.
func site(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	if suffix, icann := publicsuffix.PublicSuffix(host); !icann && !strings.Contains(suffix, ".") {
		return ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return domain
}

// Read reads a body of at most limit bytes.
func Read(body io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%w of %d bytes", ErrTooLarge, limit)
	}
	return data, nil
}
