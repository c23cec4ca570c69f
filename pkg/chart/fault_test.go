package chart

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// TestExplain: an error is one sentence that stays the same from try to try, and has
// neither credentials nor the query of a URL in it.
func TestExplain(t *testing.T) {
	dialled := func(port int) error {
		return &net.OpError{
			Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: port},
			Addr: &net.TCPAddr{IP: net.IPv4(1, 2, 3, 4), Port: 443}, Err: errors.New("connection reset by peer"),
		}
	}
	of := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://u:" + secret + "@h.example/x?sig=" + secret, Err: err}
	}
	const start = `chart source is not available: repository "shop": `
	cases := map[string]struct {
		err  error
		want string
	}{
		"a connection":          {of(dialled(40001)), start + "https://h.example/x: read 1.2.3.4:443: connection reset by peer"},
		"a name that is none":   {of(&net.DNSError{Name: "h.example", IsNotFound: true}), start + `https://h.example/x: there is no host "h.example"`},
		"a name server is down": {of(&net.DNSError{Name: "h.example", Err: "read udp 10.0.0.1:4711: i/o timeout"}), start + `https://h.example/x: the name "h.example" cannot be resolved now`},
		"a secret in a text":    {errors.New("password=" + secret), start + "password=***"},
		"lines":                 {errors.New("a\nb\x1b[31m"), start + "a b[31m"},
	}
	redact := func(text string) string { return strings.ReplaceAll(text, secret, "***") }
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := explain(tenancy.Repository{Name: "shop"}, redact, tc.err)
			if diff := cmp.Diff(tc.want, got.Error()); diff != "" || !errors.Is(got, tenancy.ErrSource) {
				t.Errorf("explain() (-want +got):\n%s", diff)
			}
		})
	}
}
