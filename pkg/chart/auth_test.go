package chart

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

const (
	user   = "robot"
	secret = "canary-7c1f"
)

// authority signs certificates for a test.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{t, cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// issue makes a certificate, good for a server at 127.0.0.1 and for a client.
func (a authority) issue() (cert, key string) {
	a.t.Helper()
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: user},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &pair.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// serveTLS runs a handler with a certificate of the authority. When it is strict,
// clients must have one too.
func (a authority) serveTLS(h http.Handler, strict bool) *httptest.Server {
	a.t.Helper()
	cert, key := a.issue()
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		a.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	server := httptest.NewUnstartedServer(h)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool}
	if strict {
		server.TLS.ClientAuth = tls.RequireAndVerifyClientCert
	}
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	a.t.Cleanup(server.Close)
	return server
}

// guarded lets only requests through that have the header.
func guarded(header string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != header {
			http.Error(w, "who are you? "+r.Header.Get("Authorization"), http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func basic() string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret)) }

func dockerConfig(host string) string {
	return fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, strings.TrimPrefix(basic(), "Basic "))
}

func TestCredentials(t *testing.T) {
	shop := newShelf(t)
	shop.publish("web", "1.0.0")
	ca, stranger := newAuthority(t), newAuthority(t)
	cert, key := ca.issue()
	plain := serve(t, shop)
	byName := serve(t, guarded(basic(), shop))
	byToken := serve(t, guarded("Bearer "+secret, shop))
	encrypted := ca.serveTLS(shop, false)
	mutual := ca.serveTLS(shop, true)

	cases := map[string]struct {
		server *httptest.Server
		secret map[string]string // nil for no Secret
		want   string            // what the error says; empty for none
	}{
		"none":                       {plain, nil, ""},
		"none where some are needed": {byName, nil, "401 Unauthorized; name a Secret"},
		"name and password":          {byName, map[string]string{"username": user, "password": secret}, ""},
		"a wrong password":           {byName, map[string]string{"username": user, "password": secret + "x"}, `401 Unauthorized; look at the credentials in Secret "key"`},
		"a name alone":               {byName, map[string]string{"username": user}, "only one of username and password"},
		"a token":                    {byToken, map[string]string{"token": secret + "\n"}, ""},
		"docker config":              {byName, map[string]string{".dockerconfigjson": dockerConfig(byName.Listener.Addr().String())}, ""},
		"docker config of another":   {byName, map[string]string{".dockerconfigjson": dockerConfig("127.0.0.1:1")}, "401"},
		"docker config that is none": {byName, map[string]string{".dockerconfigjson": secret}, "its .dockerconfigjson is not one"},
		"an authority":               {encrypted, map[string]string{"ca.crt": ca.pem}, ""},
		"an authority of others":     {encrypted, map[string]string{"ca.crt": stranger.pem}, "certificate signed by unknown authority"},
		"no authority":               {encrypted, nil, "certificate signed by unknown authority"},
		"an authority that is none":  {encrypted, map[string]string{"ca.crt": "text"}, "its ca.crt holds no certificate"},
		"an authority over http":     {plain, map[string]string{"ca.crt": ca.pem}, "the URL begins with http"},
		"a client certificate":       {mutual, map[string]string{"ca.crt": ca.pem, "tls.crt": cert, "tls.key": key}, ""},
		"no client certificate":      {mutual, map[string]string{"ca.crt": ca.pem}, "certificate required"},
		"a certificate without key":  {mutual, map[string]string{"ca.crt": ca.pem, "tls.crt": cert}, "no certificate with its key"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := run(t, secretsOf(map[string]map[string]string{"key": tc.secret}))
			r := tenancy.Repository{Name: "shop", URL: tc.server.URL}
			if tc.secret != nil {
				r.SecretName = "key"
			}
			s.Sync([]tenancy.Repository{r}, []tenancy.ChartRef{wanting("")})
			if tc.want == "" {
				await(t, isVersion(s, wanting(""), "1.0.0"))
				return
			}
			await(t, isError(s, wanting(""), tenancy.ErrSource))
			says(t, s, wanting(""), tc.want)
		})
	}
}

// says checks an error: what it tells, and that it does not tell the secret.
func says(t *testing.T, s *Sources, ref tenancy.ChartRef, want string) {
	t.Helper()
	_, err := s.Find(ref)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Find() = %v, want an error that says %q", err, want)
	}
	for _, canary := range []string{secret, strings.TrimPrefix(basic(), "Basic ")} {
		if err != nil && (strings.Contains(err.Error(), canary) || len(err.Error()) > 1024) {
			t.Errorf("the error tells a secret, or too much: %v", err)
		}
	}
}

// TestSecretIsReadEachTime: a Secret that is missing is named, and taken when it comes.
func TestSecretIsReadEachTime(t *testing.T) {
	shop := newShelf(t)
	shop.publish("web", "1.0.0")
	server := serve(t, guarded(basic(), shop))
	all := make(chan map[string]map[string]string, 1)
	all <- nil
	s, _ := run(t, WithCredentials(func(_ context.Context, name string) (map[string][]byte, error) {
		now := <-all
		defer func() { all <- now }()
		if now[name] == nil {
			return nil, errors.New("it is not there")
		}
		return bytesOf(now[name]), nil
	}))
	s.Sync([]tenancy.Repository{{Name: "shop", URL: server.URL, SecretName: "key"}}, []tenancy.ChartRef{wanting("")})
	await(t, isError(s, wanting(""), tenancy.ErrSource))
	says(t, s, wanting(""), `secret "key" cannot be read`)
	<-all
	all <- map[string]map[string]string{"key": {"username": user, "password": secret}}
	await(t, isVersion(s, wanting(""), "1.0.0"))
}
