package release

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// memo answers what was asked a moment ago without asking again. Helm reads each
// object of an update up to three times in a row. It is for the requests of one
// operation, and remembers only while it is told to.
type memo struct {
	next http.RoundTripper

	mu      sync.Mutex
	answers map[string]answer // nil while nothing is remembered
}

type answer struct {
	http.Response
	body []byte
}

// during remembers answers while do runs.
func (m *memo) during(do func()) {
	m.set(map[string]answer{})
	defer m.set(nil)
	do()
}

func (m *memo) set(answers map[string]answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers = answers
}

// RoundTrip implements http.RoundTripper.
func (m *memo) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.URL.RawQuery != "" {
		m.forget(req.URL.Path)
		return m.next.RoundTrip(req)
	}
	if known, ok := m.find(req); ok {
		return known, nil
	}
	resp, err := m.next.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK || !m.remembers() {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	known := answer{Response: *resp, body: body}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.answers != nil {
		m.answers[key(req)] = known
	}
	return known.again(req), nil
}

// key is what an answer depends on.
func key(req *http.Request) string { return req.URL.Path + " " + req.Header.Get("Accept") }

func (m *memo) remembers() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.answers != nil
}

func (m *memo) find(req *http.Request) (*http.Response, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.answers[key(req)]
	if !ok {
		return nil, false
	}
	return known.again(req), true
}

// forget drops what a request may change.
func (m *memo) forget(path string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for known := range m.answers {
		if len(known) > len(path) && known[:len(path)] == path && known[len(path)] == ' ' {
			delete(m.answers, known)
		}
	}
}

func (a answer) again(req *http.Request) *http.Response {
	resp := a.Response
	resp.Body, resp.Request = io.NopCloser(bytes.NewReader(a.body)), req
	return &resp
}

// WrappedRoundTripper lets client-go find the transport inside.
func (m *memo) WrappedRoundTripper() http.RoundTripper { return m.next }
