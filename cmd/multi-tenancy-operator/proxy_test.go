package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// proxy stands between an operator and the API server, and plays its faults.
type proxy struct {
	t          testing.TB
	address    string
	kubeconfig string
	server     *http.Server
	forward    *httputil.ReverseProxy

	mu      sync.Mutex
	faults  []*fault
	watches map[*http.Request]context.CancelFunc
}

// fault is what happens to some requests.
type fault struct {
	// verb is get, watch, post, patch, put or delete; empty for every one of them.
	verb string
	// path is matched against path and query.
	path *regexp.Regexp
	// times is how often it happens; 0 for until it is mended.
	times int
	// share is the percentage of requests it happens to; 0 for all.
	share int
	// status is what is answered; 0 leaves the request alone.
	status int
	// retryAfter is the seconds of a Retry-After header; 0 for none.
	retryAfter int
	// late is how much later the request, or each part of a watch, arrives.
	late time.Duration
	// silent lets nothing through until it is mended.
	silent bool

	hits   int
	mended chan struct{}
}

// startProxy starts a proxy that forwards everything, with a kubeconfig that
// points at it. When it is closed it listens from open on.
func startProxy(t testing.TB) *proxy {
	t.Helper()
	p := closedProxy(t)
	p.open()
	return p
}

func closedProxy(t testing.TB) *proxy {
	t.Helper()
	config := world.cluster.RESTConfig()
	next, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, watches: map[*http.Request]context.CancelFunc{}}
	p.forward = &httputil.ReverseProxy{
		Transport: next, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		// A request that ends early is what faults are made of.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	p.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "c",
		"clusters": [{"name": "c", "cluster": {"server": "http://%s"}}], "contexts": [{"name": "c", "context": {"cluster": "c"}}]}`, p.address)
	if err := os.WriteFile(p.kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// open begins to listen.
func (p *proxy) open() {
	p.t.Helper()
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	go func() { _ = p.server.Serve(l) }()
	p.t.Cleanup(func() { _ = p.server.Close() })
}

// play begins a fault; mend ends it.
func (p *proxy) play(f fault) (mend func()) {
	f.mended = make(chan struct{})
	played := &f
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, played)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if i := slices.Index(p.faults, played); i >= 0 {
			p.faults = slices.Delete(p.faults, i, i+1)
			close(played.mended)
		}
	}
}

// cut breaks the watches of a path that are under way.
func (p *proxy) cut(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for r, cancel := range p.watches {
		if strings.Contains(r.URL.RequestURI(), path) {
			cancel()
		}
	}
}

// match finds the fault of a request and counts that it happens.
func (p *proxy) match(r *http.Request, fits func(*fault) bool) *fault {
	verb := strings.ToLower(r.Method)
	if watching(r) {
		verb = "watch"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		switch {
		case !fits(f), f.verb != "" && f.verb != verb, f.path != nil && !f.path.MatchString(r.URL.RequestURI()):
		case f.times > 0 && f.hits >= f.times, f.share > 0 && rand.IntN(100) >= f.share:
		default:
			f.hits++
			return f
		}
	}
	return nil
}

func watching(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, "watch=true") }

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !watching(r) {
		if f := p.match(r, func(*fault) bool { return true }); f != nil && f.happens(w, r) {
			return
		}
		p.forward.ServeHTTP(w, r)
		return
	}
	if f := p.match(r, func(f *fault) bool { return f.status > 0 }); f != nil && f.happens(w, r) {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	r = r.WithContext(ctx)
	p.mu.Lock()
	p.watches[r] = cancel
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.watches, r)
	}()
	p.forward.ServeHTTP(&parts{ResponseWriter: w, proxy: p, request: r}, r)
}

// happens plays the fault, and says whether the request has had its answer.
func (f *fault) happens(w http.ResponseWriter, r *http.Request) bool {
	if f.late > 0 || f.silent {
		f.wait(r.Context())
	}
	if f.status == 0 {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(f.retryAfter))
	}
	w.WriteHeader(f.status)
	_, _ = fmt.Fprintf(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": %d, "reason": %q, "message": "a fault is played"}`,
		f.status, reasons[f.status])
	return true
}

var reasons = map[int]string{
	http.StatusForbidden: "Forbidden", http.StatusConflict: "Conflict", http.StatusGone: "Expired",
	http.StatusTooManyRequests: "TooManyRequests", http.StatusInternalServerError: "InternalError",
	http.StatusServiceUnavailable: "ServiceUnavailable", http.StatusGatewayTimeout: "Timeout",
}

func (f *fault) wait(ctx context.Context) {
	var late <-chan time.Time
	if !f.silent {
		late = time.After(f.late)
	}
	select {
	case <-late:
	case <-f.mended:
	case <-ctx.Done():
	}
}

// parts is the answer to a watch, each part of which may meet a fault.
type parts struct {
	http.ResponseWriter
	proxy   *proxy
	request *http.Request
}

// Write implements io.Writer.
func (p *parts) Write(data []byte) (int, error) {
	if f := p.proxy.match(p.request, func(f *fault) bool { return f.status == 0 }); f != nil {
		f.wait(p.request.Context())
	}
	return p.ResponseWriter.Write(data)
}

// Unwrap lets the reverse proxy flush.
func (p *parts) Unwrap() http.ResponseWriter { return p.ResponseWriter }
