package chart

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/repo"
)

// shelf is a Helm repository: a directory that is served.
type shelf struct {
	t   testing.TB
	dir string
	age time.Duration

	mu       sync.Mutex
	requests map[string]int    // by path and status
	secrets  map[string]string // Authorization headers, by path
}

func newShelf(t testing.TB) *shelf {
	return &shelf{t: t, dir: t.TempDir(), requests: map[string]int{}, secrets: map[string]string{}}
}

// publish adds a chart to the repository.
func (s *shelf) publish(name, version string) {
	s.t.Helper()
	s.put(name+"-"+version+".tgz", packedChart(s.t, name, version))
	s.reindex()
}

func (s *shelf) put(file string, data []byte) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, file), data, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) remove(file string) {
	s.t.Helper()
	if err := os.Remove(filepath.Join(s.dir, file)); err != nil {
		s.t.Fatal(err)
	}
	s.reindex()
}

func (s *shelf) reindex() {
	s.t.Helper()
	index, err := repo.IndexDirectory(s.dir, "")
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.dir, "index.yaml")
	s.age -= time.Minute // servers tell seconds
	written := time.Now().Add(-time.Hour - s.age)
	if err := errors.Join(index.WriteFile(file, 0o644), os.Chtimes(file, written, written)); err != nil {
		s.t.Fatal(err)
	}
}

// ServeHTTP serves the directory and counts.
func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	counted := &statusWriter{ResponseWriter: w, code: http.StatusOK}
	http.FileServer(http.Dir(s.dir)).ServeHTTP(counted, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[fmt.Sprintf("%s %d", r.URL.Path, counted.code)]++
	if h := r.Header.Get("Authorization"); h != "" {
		s.secrets[r.URL.Path] = h
	}
}

func (s *shelf) asked(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[what]
}

func (s *shelf) leaked() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	maps.Copy(out, s.secrets)
	return out
}

type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}
