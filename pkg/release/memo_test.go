package release

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMemo: an object is asked for once while an update runs, anew after it was
// written, and always at other times.
func TestMemo(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.String())
		if strings.HasSuffix(r.URL.Path, "/missing") {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	defer server.Close()
	m := &memo{next: http.DefaultTransport}
	ask := func(method, path string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := m.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != req.URL.Path {
			t.Errorf("the answer to %s is %q, %v", path, body, err)
		}
	}
	ask("GET", "/before")
	ask("GET", "/before")
	m.during(func() {
		ask("GET", "/a")
		ask("GET", "/a")
		ask("GET", "/ab")
		ask("PATCH", "/a")
		ask("GET", "/a")
		ask("GET", "/ab")
		ask("GET", "/missing")
		ask("GET", "/missing")
		ask("GET", "/list?watch=true")
		ask("GET", "/list?watch=true")
	})
	ask("GET", "/a")
	want := []string{
		"GET /before", "GET /before",
		"GET /a", "GET /ab", "PATCH /a", "GET /a", "GET /missing", "GET /missing", "GET /list?watch=true", "GET /list?watch=true",
		"GET /a",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("what the server was asked (-want +got):\n%s", diff)
	}
}
