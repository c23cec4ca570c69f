package chart

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// holds says that a cache has another number of files.
func holds(dir string, want int) func() error {
	return func() error {
		got, err := filepath.Glob(filepath.Join(dir, "v1", "*"))
		if err != nil || len(got) != want {
			return fmt.Errorf("the cache holds %v (%v), want %d files", got, err, want) //nolint:errorlint // the error may be nil
		}
		return nil
	}
}

// spoil changes every archive of a cache.
func spoil(t *testing.T, dir string) {
	t.Helper()
	archives, err := filepath.Glob(filepath.Join(dir, "v1", "*.tgz"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("the cache has no archive: %v", err)
	}
	for _, name := range archives {
		if err := os.WriteFile(name, packedChart(t, "web", "1.2.0", item{name: "web/templates/evil.yaml"}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCacheOfOthersIsNotUsed: whoever may write to the cache chooses charts.
func TestCacheOfOthersIsNotUsed(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "v1"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "v1"), 0o777); err != nil { //nolint:gosec // that is the case
		t.Fatal(err)
	}
	c := cache{dir: dir}
	c.keep(record{URL: "https://example.com", Name: "web", Archive: "00"}, []byte("data"))
	if err := holds(dir, 0)(); err != nil {
		t.Error(err)
	}
}

// TestRestartWhileDown: what was fetched once is found after a restart, and the cache
// holds nothing else.
func TestRestartWhileDown(t *testing.T) {
	shop := newShelf(t)
	shop.publish("web", "1.0.0")
	server := serve(t, shop)
	dir := t.TempDir()
	ref := wanting("1.x")
	s, stop := run(t, WithCacheDir(dir))
	s.Sync(repositoryAt(server.URL), []tenancy.ChartRef{ref})
	await(t, isVersion(s, ref, "1.0.0"))
	shop.publish("web", "1.2.0")
	await(t, isVersion(s, ref, "1.2.0"))
	before, _ := s.Find(ref)
	await(t, holds(dir, 2)) // the old archive goes
	stop()
	server.Close()

	s, stop = run(t, WithCacheDir(dir))
	s.Sync(repositoryAt(server.URL), []tenancy.ChartRef{ref, wanting("2.x")})
	await(t, isVersion(s, ref, "1.2.0"))
	await(t, isError(s, wanting("2.x"), tenancy.ErrSource))
	if after, _ := s.Find(ref); after != before {
		t.Errorf("Find() = %v after the restart, %v before", after, before)
	}
	stop()

	spoil(t, dir)
	s, _ = run(t, WithCacheDir(dir))
	s.Sync(repositoryAt(server.URL), []tenancy.ChartRef{ref})
	await(t, isError(s, ref, tenancy.ErrSource))
	s.Sync(nil, nil)
	await(t, holds(dir, 0))
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	shop := newShelf(t)
	shop.publish("web", "1.0.0")
	s, _ := run(t, WithCacheDir("/proc/nowhere"))
	s.Sync(repositoryAt(serve(t, shop).URL), []tenancy.ChartRef{wanting("")})
	await(t, isVersion(s, wanting(""), "1.0.0"))
}
