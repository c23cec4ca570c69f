package main

import (
	"io"
	"log"
	"net/http"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// meter counts the requests that go through a proxy.
type meter struct {
	next http.RoundTripper

	mu       sync.Mutex
	at       []time.Time
	answered map[int]int // by status
}

// startMeteredProxy starts a proxy that counts, and that speaks to the API server as
// the one whose kubeconfig it is.
func startMeteredProxy(t testing.TB, kubeconfig string) (*proxy, *meter) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{}
	if m.next, err = rest.TransportFor(config); err != nil {
		t.Fatal(err)
	}
	m.reset()
	p := closedProxy(t)
	p.forward.Transport, p.forward.ErrorLog = m, log.New(io.Discard, "", 0) // it tells of each watch that ends
	p.open()
	return p, m
}

// RoundTrip implements http.RoundTripper.
func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	m.mu.Lock()
	m.at = append(m.at, time.Now())
	m.mu.Unlock()
	answer, err := m.next.RoundTrip(req)
	if err == nil {
		m.mu.Lock()
		m.answered[answer.StatusCode]++
		m.mu.Unlock()
	}
	return answer, err
}

// reset begins to count anew.
func (m *meter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at, m.answered = nil, map[int]int{}
}

// counts are how many requests there were in all, at most in a second, and with that
// answer.
func (m *meter) counts(status int) (all, inASecond, answered int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := 0
	for last, at := range m.at {
		for at.Sub(m.at[first]) >= time.Second {
			first++
		}
		inASecond = max(inASecond, last-first+1)
	}
	return len(m.at), inASecond, m.answered[status]
}
