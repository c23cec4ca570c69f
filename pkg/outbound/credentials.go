package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

// Credentials are what a source asks for, and what is trusted of it.
type Credentials struct {
	auth.Credential
	// certificates are for TLS servers that ask for one.
	certificates []tls.Certificate
	// roots are the only ones trusted; nil for those of the system.
	roots *x509.CertPool
}

// Parse reads the data of a Secret for a host, with its port if it has one: username
// and password, or token, or .dockerconfigjson; tls.crt and tls.key; ca.crt. Errors
// name the key and never what it holds.
func Parse(ctx context.Context, data map[string][]byte, host string) (Credentials, error) {
	var c Credentials
	switch {
	case data["username"] != nil || data["password"] != nil:
		c.Username, c.Password = string(data["username"]), string(data["password"])
		if c.Username == "" || c.Password == "" {
			return Credentials{}, errors.New("it has only one of username and password")
		}
	case data["token"] != nil:
		c.AccessToken = strings.TrimSpace(string(data["token"]))
	case data[".dockerconfigjson"] != nil:
		store, err := credentials.NewMemoryStoreFromDockerConfig(data[".dockerconfigjson"])
		if err != nil {
			return Credentials{}, errors.New("its .dockerconfigjson is not one")
		}
		if host == "registry-1.docker.io" {
			host = "index.docker.io" // as docker login calls it
		}
		if c.Credential, err = store.Get(ctx, host); err != nil {
			return Credentials{}, errors.New("its .dockerconfigjson cannot be used")
		}
	}
	if data["tls.crt"] != nil || data["tls.key"] != nil {
		pair, err := tls.X509KeyPair(data["tls.crt"], data["tls.key"])
		if err != nil {
			return Credentials{}, errors.New("its tls.crt and tls.key are no certificate with its key")
		}
		c.certificates = []tls.Certificate{pair}
	}
	if data["ca.crt"] != nil {
		c.roots = x509.NewCertPool()
		if !c.roots.AppendCertsFromPEM(data["ca.crt"]) {
			return Credentials{}, errors.New("its ca.crt holds no certificate")
		}
	}
	return c, nil
}

// header is the Authorization header; empty for none.
func (c Credentials) header() string {
	switch {
	case c.Username != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.Username+":"+c.Password))
	case c.AccessToken != "":
		return "Bearer " + c.AccessToken
	}
	return ""
}

// Redact takes every secret of the credentials out of a text.
func (c Credentials) Redact(text string) string {
	_, encoded, _ := strings.Cut(c.header(), " ")
	for _, secret := range []string{encoded, c.Password, c.AccessToken, c.RefreshToken} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// check says what is wrong with credentials that go over a connection.
func (c Credentials) check(scheme string) error {
	if scheme != "https" && (c.certificates != nil || c.roots != nil) {
		return fmt.Errorf("it has certificates, and the URL begins with %s", scheme)
	}
	return nil
}
