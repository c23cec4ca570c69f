package transport_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/transport"
)

// TestBound: what the API server does not answer ends, a watch that speaks goes
// on, and one that falls silent ends, fault rows 72 and 77.
func TestBound(t *testing.T) {
	const patience = 200 * time.Millisecond
	cases := map[string]struct {
		path  string
		serve func(w http.ResponseWriter, over <-chan struct{})
		body  string
		ends  bool // for silence
	}{
		"an answer": {
			path:  "/x",
			serve: func(w http.ResponseWriter, _ <-chan struct{}) { _, _ = io.WriteString(w, "all") },
			body:  "all",
		},
		"no answer": {
			path:  "/x",
			serve: func(_ http.ResponseWriter, over <-chan struct{}) { <-over },
			ends:  true,
		},
		"half an answer": {
			path:  "/x",
			serve: func(w http.ResponseWriter, over <-chan struct{}) { say(w, "half"); <-over },
			body:  "half", ends: true,
		},
		"a watch that speaks": {
			path: "/x?watch=true",
			serve: func(w http.ResponseWriter, _ <-chan struct{}) {
				for range 8 {
					say(w, ".")
					<-time.After(patience / 2)
				}
			},
			body: "........",
		},
		"a watch that falls silent": {
			path:  "/x?watch=1",
			serve: func(w http.ResponseWriter, over <-chan struct{}) { say(w, "."); <-over },
			body:  ".", ends: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tc.serve(w, r.Context().Done()) }))
			defer server.Close()
			client := http.Client{Transport: transport.Bound(patience)(http.DefaultTransport)}
			got, err := fetch(t, client, server.URL+tc.path)
			if got != tc.body {
				t.Errorf("the body is %q, want %q", got, tc.body)
			}
			if silent := err != nil && strings.Contains(err.Error(), "no answer from the API server"); silent != tc.ends || (err != nil) != tc.ends {
				t.Errorf("the error is %v, want one of silence: %t", err, tc.ends)
			}
		})
	}
}

func fetch(t *testing.T, client http.Client, url string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	return string(data), err
}

func say(w http.ResponseWriter, text string) {
	_, _ = io.WriteString(w, text)
	w.(http.Flusher).Flush()
}
