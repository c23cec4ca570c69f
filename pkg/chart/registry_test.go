package chart

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd" // the registry asks for a password
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory" // and keeps nothing
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"
	helmregistry "helm.sh/helm/v3/pkg/registry"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// newRegistry makes a real OCI registry that wants a password.
func newRegistry(t testing.TB) http.Handler {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(secret), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	passwords := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(passwords, fmt.Appendf(nil, "%s:%s\n", user, hash), 0o600); err != nil {
		t.Fatal(err)
	}
	config := &configuration.Configuration{
		Storage: configuration.Storage{
			"inmemory":    configuration.Parameters{},
			"maintenance": configuration.Parameters{"uploadpurging": map[any]any{"enabled": false}},
		},
		Auth: configuration.Auth{"htpasswd": configuration.Parameters{"realm": "test", "path": passwords}},
	}
	logrus.SetOutput(io.Discard) // the registry tells every request
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return handlers.NewApp(ctx, config)
}

// push puts charts into a registry, with Helm.
func push(t testing.TB, server *httptest.Server, name string, versions ...string) {
	t.Helper()
	pool := x509.NewCertPool()
	opts := []helmregistry.ClientOption{helmregistry.ClientOptBasicAuth(user, secret)}
	if server.Certificate() != nil {
		pool.AddCert(server.Certificate())
		opts = append(opts, helmregistry.ClientOptHTTPClient(&http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool},
		}}))
	} else {
		opts = append(opts, helmregistry.ClientOptPlainHTTP())
	}
	client, err := helmregistry.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range versions {
		ref := fmt.Sprintf("%s/charts/%s:%s", server.Listener.Addr(), name, version)
		if _, err := client.Push(packedChart(t, name, version), ref); err != nil {
			t.Fatal(err)
		}
	}
}

func ociAt(server *httptest.Server) tenancy.Repository {
	return tenancy.Repository{Name: "shop", URL: "oci://" + server.Listener.Addr().String() + "/charts", SecretName: "key"}
}

func TestRegistry(t *testing.T) {
	ca := newAuthority(t)
	server := ca.serveTLS(newRegistry(t), false)
	push(t, server, "web", "1.0.0", "1.9.0", "1.10.0", "2.0.0-rc.1", "1.2.3+build.5")
	credentials := map[string]string{"username": user, "password": secret, "ca.crt": ca.pem}
	docker := map[string]string{".dockerconfigjson": dockerConfig(server.Listener.Addr().String()), "ca.crt": ca.pem}
	cases := map[string]struct {
		ref     tenancy.ChartRef
		secret  map[string]string
		want    string
		wantErr error
	}{
		"the newest stable one":           {wanting(""), credentials, "1.10.0", nil},
		"docker config":                   {wanting(""), docker, "1.10.0", nil},
		"an exact one":                    {wanting("1.9.0"), credentials, "1.9.0", nil},
		"the newest in a range":           {wanting(">=1.0 <1.10"), credentials, "1.9.0", nil},
		"a pre-release that is asked for": {wanting("2.0.0-rc.1"), credentials, "2.0.0-rc.1", nil},
		"a build":                         {wanting("1.2.3+build.5"), credentials, "1.2.3+build.5", nil},
		"none that fits":                  {wanting("3.x"), credentials, "", tenancy.ErrChartNotFound},
		"no such version":                 {wanting("3.0.0"), credentials, "", tenancy.ErrChartNotFound},
		"no such chart":                   {tenancy.ChartRef{Repository: "shop", Name: "we"}, credentials, "", tenancy.ErrChartNotFound},
		"no name of a registry":           {tenancy.ChartRef{Repository: "shop", Name: "We"}, credentials, "", tenancy.ErrChartNotFound},
		"a wrong password":                {wanting(""), map[string]string{"username": user, "password": "no", "ca.crt": ca.pem}, "", tenancy.ErrSource},
		"no password":                     {wanting(""), map[string]string{"ca.crt": ca.pem}, "", tenancy.ErrSource},
		"an unknown authority":            {wanting(""), map[string]string{"username": user, "password": secret}, "", tenancy.ErrSource},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := run(t, secretsOf(map[string]map[string]string{"key": tc.secret}))
			s.Sync([]tenancy.Repository{ociAt(server)}, []tenancy.ChartRef{tc.ref})
			if tc.wantErr == nil {
				await(t, isVersion(s, tc.ref, tc.want))
				return
			}
			await(t, isError(s, tc.ref, tc.wantErr))
			says(t, s, tc.ref, "")
		})
	}
}

// TestRegistryOverTime: a new version is taken, and what is known is not downloaded again.
func TestRegistryOverTime(t *testing.T) {
	var blobs, looks atomic.Int32
	registry := newRegistry(t)
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			blobs.Add(1)
		}
		if r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/manifests/") {
			looks.Add(1)
		}
		registry.ServeHTTP(w, r)
	}))
	push(t, server, "web", "1.0.0")
	blobs.Store(0)
	looks.Store(0)
	s, stop := run(t, secretsOf(map[string]map[string]string{"key": {"username": user, "password": secret}}))
	ref := wanting("1.x")

	encrypted := ociAt(server)
	s.Sync([]tenancy.Repository{encrypted}, []tenancy.ChartRef{ref})
	await(t, isError(s, ref, tenancy.ErrSource)) // never over plain HTTP by itself
	plain := encrypted
	plain.Insecure = true
	s.Sync([]tenancy.Repository{plain}, []tenancy.ChartRef{ref})
	await(t, isVersion(s, ref, "1.0.0"))
	await(t, func() error {
		if looks.Load() < 4 {
			return fmt.Errorf("%d looks at the tag", looks.Load())
		}
		return nil
	})
	push(t, server, "web", "1.1.0")
	await(t, isVersion(s, ref, "1.1.0"))
	stop()
	if blobs.Load() > 2+2 { // Helm's push may look at blobs
		t.Errorf("%d blobs were downloaded, want 2", blobs.Load())
	}
}
