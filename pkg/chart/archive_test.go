package chart

import (
	"archive/tar"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// TestHomeReadsArchivesTheSameWay: what a source may not send, the chart home may
// not hold, packed or not.
func TestHomeReadsArchivesTheSameWay(t *testing.T) {
	dir := t.TempDir()
	link := packedChart(t, "link", "1.0.0", item{name: "link/secret", text: "/etc/passwd", kind: tar.TypeSymlink})
	deep := tgz(t, item{name: "x/Chart.yaml", text: chartYAML("x", "1.0.0")})
	for range 4 {
		deep = tgz(t, item{name: "x/Chart.yaml", text: chartYAML("x", "1.0.0")}, item{name: "x/charts/x.tgz", text: string(deep)})
	}
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "link-1.0.0.tgz"), link, 0o644),
		os.MkdirAll(filepath.Join(dir, "loose", "charts"), 0o755),
		os.WriteFile(filepath.Join(dir, "loose", "Chart.yaml"), []byte(chartYAML("loose", "1.0.0")), 0o644),
		os.WriteFile(filepath.Join(dir, "loose", "charts", "x.tgz"), deep, 0o644),
		os.MkdirAll(filepath.Join(dir, "alias"), 0o755),
		os.WriteFile(filepath.Join(dir, "alias", "Chart.yaml"), []byte(chartYAML("alias", "1.0.0")), 0o644),
		os.WriteFile(filepath.Join(dir, "alias", "values.yaml"), []byte(billion("")), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	home := NewHome(dir, func() {})
	for name, want := range map[string]string{"link": "link or another special file", "loose": "more than 3 deep", "alias": "aliases"} {
		_, err := home.Find(tenancy.ChartRef{Name: name})
		if !errors.Is(err, tenancy.ErrChartInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("Find(%s) = %v, want an invalid chart and %q", name, err, want)
		}
	}
}

func TestPanicsAreErrors(t *testing.T) {
	read := func() (err error) {
		defer rescue(&err)
		panic("index out of range")
	}
	if err := read(); err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("a panic became %v", err)
	}
}

func TestCheckAliases(t *testing.T) {
	cases := map[string]struct {
		text string
		good bool
	}{
		"none":              {"a: 1\nb: [x, y]\n", true},
		"an ampersand":      {"a: salt & pepper\n", true},
		"a few":             {"a: &a {x: 1}\nb: *a\nc: {<<: *a}\n", true},
		"in a flow":         {"[&a x, *a]", true},
		"one that is large": {"a: &a '" + strings.Repeat("x", 1<<20) + "'\nb: [" + strings.Repeat("*a,", 20) + "]\n", false},
		"many small ones":   {billion(""), false},
		"of themselves":     {"a: &a {b: *a}", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := checkAliases([]byte(tc.text)); (err == nil) != tc.good {
				t.Errorf("checkAliases() = %v, want good %v", err, tc.good)
			}
		})
	}
}

// TestArchiveWithoutDigest: an index need not tell digests; then the archive is asked for
// with its stamp, and another content of the same version is noticed.
func TestArchiveWithoutDigest(t *testing.T) {
	shop := newShelf(t)
	shop.publish("web", "1.0.0")
	shop.put("index.yaml", []byte("apiVersion: v1\nentries: {web: [{name: web, version: 1.0.0, urls: [web-1.0.0.tgz]}]}\n"))
	var etag stringBox
	etag.set(`"one"`)
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag.get())
		shop.ServeHTTP(w, r)
	}))
	s, _ := run(t)
	s.Sync(repositoryAt(server.URL), []tenancy.ChartRef{wanting("")})
	await(t, isVersion(s, wanting(""), "1.0.0"))
	await(t, func() error {
		if shop.asked("/web-1.0.0.tgz 304") < 2 {
			return errors.New("the archive was not asked for with its stamp")
		}
		return nil
	})
	if n := shop.asked("/web-1.0.0.tgz 200"); n != 1 {
		t.Errorf("the archive was downloaded %d times, want once", n)
	}
	before, _ := s.Find(wanting(""))
	shop.put("web-1.0.0.tgz", packedChart(t, "web", "1.0.0", item{name: "web/templates/more.yaml", text: "# more\n"}))
	etag.set(`"two"`)
	await(t, func() error {
		if after, err := s.Find(wanting("")); err != nil || after.Digest == before.Digest {
			return errors.New("the new content was not noticed")
		}
		return nil
	})
}
