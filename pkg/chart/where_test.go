package chart

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// TestWhereRequestsGo: fault rows 123 and 125.
func TestWhereRequestsGo(t *testing.T) {
	ca := newAuthority(t)
	shop := newShelf(t)
	shop.publish("web", "1.0.0")
	other := newShelf(t)
	other.publish("web", "1.0.0")
	elsewhere := serve(t, other)
	secure := ca.serveTLS(other, false)
	to := func(url string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, strings.Replace(url, "PATH", r.URL.Path, 1), http.StatusFound)
		})
	}
	pointing := func(url string) http.Handler {
		return split(index("apiVersion: v1\nentries: {web: [{version: 1.0.0, urls: ['"+url+"']}]}"), shop)
	}
	port := func(s *httptest.Server) string { return s.URL[strings.LastIndex(s.URL, ":"):] }
	none := WithAllowedNetworks(nil)
	own := WithAllowedNetworks([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")})
	refused := "is a private or special address"
	plain, encrypted := func(h http.Handler) *httptest.Server { return serve(t, h) }, func(h http.Handler) *httptest.Server { return ca.serveTLS(h, false) }

	cases := map[string]struct {
		start   func(http.Handler) *httptest.Server
		handler http.Handler
		url     string // with PORT; empty for the server's own
		allowed Option
		text    string // what the error says; empty for none
	}{
		"row 125: an archive on another host":         {plain, pointing(elsewhere.URL + "/web-1.0.0.tgz"), "", local(), ""},
		"row 125: with credentials of the index":      {plain, pointing(strings.Replace(elsewhere.URL, "//", "//evil:"+secret+"@", 1) + "/web-1.0.0.tgz"), "", local(), ""},
		"row 125: a redirect to another host":         {plain, to(elsewhere.URL + "PATH"), "", local(), ""},
		"row 125: a redirect to another TLS host":     {encrypted, to(secure.URL + "PATH"), "", local(), ""},
		"a redirect from https to http":               {encrypted, to(elsewhere.URL + "PATH"), "", local(), "from https to http"},
		"an index that leads from https to http":      {encrypted, pointing(elsewhere.URL + "/web-1.0.0.tgz"), "", local(), "from https to http"},
		"row 123: a loopback address":                 {plain, shop, "", none, refused},
		"row 123: a name of a loopback address":       {plain, shop, "http://localhostPORT", none, refused},
		"row 123: an IPv4 address as IPv6":            {plain, shop, "http://[::ffff:127.0.0.1]PORT", none, refused},
		"row 123: the metadata of a cloud":            {plain, shop, "http://169.254.169.254", own, refused},
		"row 123: no address":                         {plain, shop, "http://0.0.0.0PORT", own, refused},
		"row 123: a redirect to a private address":    {plain, to("http://127.0.0.2" + port(elsewhere) + "PATH"), "", own, refused},
		"row 123: an archive at a private address":    {plain, pointing("http://127.0.0.2" + port(elsewhere) + "/web-1.0.0.tgz"), "", own, refused},
		"row 123: a private address that is allowed":  {plain, shop, "", own, ""},
		"row 123: a registry at a private address":    {plain, shop, "oci://127.0.0.1PORT", none, refused},
		"row 123: plain HTTP, where https is written": {plain, shop, "https://127.0.0.1PORT", own, "HTTP response to HTTPS client"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := tc.start(tc.handler)
			key := map[string]string{"username": user, "password": secret}
			if strings.HasPrefix(server.URL, "https") {
				key["ca.crt"] = ca.pem
			}
			url := strings.Replace(tc.url, "PORT", port(server), 1)
			if url == "" {
				url = server.URL
			}
			s, stop := run(t, tc.allowed, secretsOf(map[string]map[string]string{"key": key}))
			s.Sync([]tenancy.Repository{{Name: "shop", URL: url, SecretName: "key"}}, []tenancy.ChartRef{wanting("")})
			if tc.text == "" {
				await(t, isVersion(s, wanting(""), "1.0.0"))
			} else {
				await(t, func() error {
					_, err := s.Find(wanting(""))
					if err == nil || !strings.Contains(err.Error(), tc.text) {
						return fmt.Errorf("Find() = %w", err)
					}
					return nil
				})
				says(t, s, wanting(""), tc.text)
			}
			stop()
			if leaked := other.leaked(); len(leaked) > 0 {
				t.Errorf("another host was told credentials: %v", leaked)
			}
		})
	}
}

// TestRealmHijack: a registry does not choose who gets the credentials, fault row 127.
func TestRealmHijack(t *testing.T) {
	ca := newAuthority(t)
	var asked atomic.Int32
	thief := ca.serveTLS(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{"token":"t"}`))
	}), false)
	for name, key := range map[string]map[string]string{
		"a password":              {"username": user, "password": secret, "ca.crt": ca.pem},
		"a login that is renewed": {"ca.crt": ca.pem, ".dockerconfigjson": `{"auths":{"HOST":{"identitytoken":"` + secret + `"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			server := ca.serveTLS(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="`+thief.URL+`/token",service="x"`)
				w.WriteHeader(http.StatusUnauthorized)
			}), false)
			host := server.Listener.Addr().String()
			data := map[string]string{}
			for k, v := range key {
				data[k] = strings.Replace(v, "HOST", host, 1)
			}
			s, _ := run(t, secretsOf(map[string]map[string]string{"key": data}))
			s.Sync([]tenancy.Repository{ociAt(server)}, []tenancy.ChartRef{wanting("1.0.0")})
			await(t, isError(s, wanting("1.0.0"), tenancy.ErrSource))
			says(t, s, wanting("1.0.0"), "to a host that is not its own")
			if asked.Load() != 0 {
				t.Error("the thief was asked")
			}
		})
	}
}
