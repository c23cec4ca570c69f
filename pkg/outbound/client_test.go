package outbound

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestSameSite: which token servers may see the credentials of a registry, fault row 127.
func TestSameSite(t *testing.T) {
	cases := map[string]struct {
		registry, realm string
		want            bool
	}{
		"Docker Hub":                      {"https://registry-1.docker.io", "https://auth.docker.io/token", true},
		"a sister":                        {"https://registry.example.co.uk", "https://gitlab.example.co.uk/jwt", true},
		"another port":                    {"https://registry.example.com", "https://registry.example.com:5001/auth", true},
		"plain HTTP":                      {"http://registry.example.com", "http://auth.example.com", false},
		"another domain":                  {"https://registry.example.com", "https://example.org/token", false},
		"a neighbour under a suffix":      {"https://registry.example.co.uk", "https://evil.co.uk/token", false},
		"a neighbour of a private suffix": {"https://mine.github.io", "https://evil.github.io", false},
		"a neighbour in a cluster":        {"https://registry.a.svc.cluster.local", "https://evil.b.svc.cluster.local", false},
		"addresses":                       {"https://10.0.0.1", "https://10.2.0.1", false},
		"an address at another port":      {"https://127.0.0.1:5000", "https://127.0.0.1:5001", false},
		"a name of one label":             {"https://registry", "https://registry:5001", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := sameSite(parse(t, tc.registry), parse(t, tc.realm)); got != tc.want {
				t.Errorf("sameSite(%s, %s) = %v, want %v", tc.registry, tc.realm, got, tc.want)
			}
		})
	}
}

func TestOrigin(t *testing.T) {
	if a, b := origin(parse(t, "https://A.example.com/x")), origin(parse(t, "https://a.example.com:443/y")); a != b {
		t.Errorf("%s and %s are two origins", a, b)
	}
	if a, b := origin(parse(t, "https://a.example.com")), origin(parse(t, "https://a.example.com:8443")); a == b {
		t.Errorf("two ports are the origin %s", a)
	}
}

// TestWireSendsNoSecretsElsewhere: the last layer trusts none above it.
func TestWireSendsNoSecretsElsewhere(t *testing.T) {
	w := &wire{home: parse(t, "https://registry.example.com")}
	for _, target := range []string{"http://registry.example.com", "https://evil.example.org"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader("password=x"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := w.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if !errors.Is(err, errRealm) && !errors.Is(err, errDowngrade) {
			t.Errorf("RoundTrip(%s) = %v, want it refused", target, err)
		}
	}
}

func TestRedact(t *testing.T) {
	c := Credentials{Credential: auth.Credential{Username: "robot", Password: "canary"}}
	if got := c.Redact("401 for robot:canary, Basic cm9ib3Q6Y2FuYXJ5"); strings.Contains(got, "canary") || strings.Contains(got, "cm9ib3Q6Y2FuYXJ5") {
		t.Errorf("Redact() = %s", got)
	}
}
