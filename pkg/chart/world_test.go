package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// patience is how long a condition may take; the machine may be busy.
const patience = 30 * time.Second

// await waits until check finds nothing wrong.
func await(t testing.TB, check func() error) {
	t.Helper()
	end := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-end:
			t.Fatalf("after %s: %v", patience, err)
		case <-tick.C:
		}
	}
}

// entry of an archive.
type item struct {
	name, text string
	kind       byte
	size       int64 // of zeros, instead of text
}

// tgz makes an archive.
func tgz(t testing.TB, items ...item) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, i := range items {
		body := []byte(i.text)
		if i.size > 0 {
			body = make([]byte, i.size)
		}
		header := &tar.Header{Name: i.name, Size: int64(len(body)), Mode: 0o644, Typeflag: i.kind}
		if i.kind == tar.TypeSymlink || i.kind == tar.TypeLink {
			header.Linkname, header.Size, body = i.text, 0, nil
		}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func chartYAML(name, version string) string {
	return fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version)
}

// packed is a good chart, with more files if there are any.
func packedChart(t testing.TB, name, version string, more ...item) []byte {
	t.Helper()
	return tgz(t, append([]item{
		{name: name + "/Chart.yaml", text: chartYAML(name, version)},
		{name: name + "/values.yaml", text: "text: default\n"},
		{name: name + "/templates/conf.yaml", text: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\n"},
	}, more...)...)
}

// serve runs a handler at a real port.
func serve(t testing.TB, h http.Handler) *httptest.Server {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func local() Option {
	return WithAllowedNetworks([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")})
}

// quick makes limits small, so that a test need not wait.
func quick(s *Sources) {
	s.limits.retry = 10 * time.Millisecond
	s.limits.Connect, s.limits.Header, s.limits.Request = 5*time.Second, time.Second, 2*time.Second
	s.interval = 20 * time.Millisecond
}

// secrets are Secrets by name.
func secretsOf(all map[string]map[string]string) Option {
	return WithCredentials(func(_ context.Context, name string) (map[string][]byte, error) {
		of, ok := all[name]
		if !ok {
			return nil, errors.New("there is no such Secret")
		}
		return bytesOf(of), nil
	})
}

func bytesOf(of map[string]string) map[string][]byte {
	out := map[string][]byte{}
	for k, v := range of {
		out[k] = []byte(v)
	}
	return out
}

// quiet is for servers whose clients misbehave on purpose.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// run makes sources and runs them until the test ends, or until stop.
func run(t testing.TB, opts ...Option) (s *Sources, stop func()) {
	t.Helper()
	s = NewSources(NewHome(t.TempDir(), func() {}), append([]Option{local(), quick}, opts...)...)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Start(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Start() = %v", err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

// isVersion says that Find gives another version.
func isVersion(s *Sources, ref tenancy.ChartRef, want string) func() error {
	return func() error {
		got, err := s.Find(ref)
		if err != nil || got.Version != want {
			return fmt.Errorf("Find(%v) = %q, %w; want %q", ref, got.Version, err, want)
		}
		return nil
	}
}

// isError says that Find gives another error.
func isError(s *Sources, ref tenancy.ChartRef, want error) func() error {
	return func() error {
		got, err := s.Find(ref)
		if !errors.Is(err, want) {
			return fmt.Errorf("Find(%v) = %v, %w; want %w", ref, got, err, want)
		}
		return nil
	}
}

func repositoryAt(url string) []tenancy.Repository {
	return []tenancy.Repository{{Name: "shop", URL: url}}
}

func wanting(version string) tenancy.ChartRef {
	return tenancy.ChartRef{Repository: "shop", Name: "web", Version: version}
}

// stringBox is a text that a server and a test share.
type stringBox struct{ value atomic.Value }

func (b *stringBox) set(text string) { b.value.Store(text) }
func (b *stringBox) get() string     { text, _ := b.value.Load().(string); return text }
