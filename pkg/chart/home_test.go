package chart_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/chart"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func nothing() {}

// pack makes a .tgz of a chart folder, as helm package does.
func pack(t *testing.T, folder, file string) {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(filepath.Dir(folder), path)
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644}); err != nil {
			return err
		}
		_, err = archive.Write(data)
		return err
	})
	if err := errors.Join(err, archive.Close(), zipped.Close(), os.WriteFile(file, out.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestFindPicksTheVersion(t *testing.T) {
	home := t.TempDir()
	for _, version := range []string{"1.0.0", "1.9.0", "1.10.0", "2.0.0-rc.1"} {
		c := fixture.ConfigMap("web")
		c.Version = version
		build := t.TempDir()
		c.Write(t, build)
		pack(t, filepath.Join(build, "web"), filepath.Join(home, "web-"+version+".tgz"))
	}
	early := fixture.ConfigMap("early")
	early.Version = "0.1.0-dev"
	early.Write(t, home)

	cases := map[string]struct {
		ref     tenancy.ChartRef
		want    string
		wantErr error
	}{
		"the newest stable one":                {tenancy.ChartRef{Name: "web"}, "1.10.0", nil},
		"an exact one":                         {tenancy.ChartRef{Name: "web", Version: "1.9.0"}, "1.9.0", nil},
		"the newest in a range":                {tenancy.ChartRef{Name: "web", Version: ">=1.0 <1.10"}, "1.9.0", nil},
		"a pre-release that is asked for":      {tenancy.ChartRef{Name: "web", Version: "2.0.0-rc.1"}, "2.0.0-rc.1", nil},
		"a pre-release when there is no other": {tenancy.ChartRef{Name: "early"}, "0.1.0-dev", nil},
		"none that fits":                       {tenancy.ChartRef{Name: "web", Version: "3.x"}, "", tenancy.ErrChartNotFound},
		"no range":                             {tenancy.ChartRef{Name: "web", Version: "newest"}, "", tenancy.ErrChartNotFound},
		"no such chart":                        {tenancy.ChartRef{Name: "we"}, "", tenancy.ErrChartNotFound},
	}
	h := chart.NewHome(home, nothing)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := h.Find(tc.ref)
			if !errors.Is(err, tc.wantErr) || got.Version != tc.want {
				t.Errorf("Find(%v) = %q, %v; want %q, %v", tc.ref, got.Version, err, tc.want, tc.wantErr)
			}
		})
	}
}

func TestPackedAndUnpackedAreTheSame(t *testing.T) {
	loose, packed := t.TempDir(), t.TempDir()
	fixture.ConfigMap("web").Write(t, loose)
	pack(t, filepath.Join(loose, "web"), filepath.Join(packed, "web-0.1.0.tgz"))
	a, err := chart.NewHome(loose, nothing).Find(tenancy.ChartRef{Name: "web"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := chart.NewHome(packed, nothing).Find(tenancy.ChartRef{Name: "web"})
	if err != nil {
		t.Fatal(err)
	}
	if a != b {
		t.Errorf("unpacked %+v, packed %+v", a, b)
	}
}

func TestLoadGivesEveryoneACopy(t *testing.T) {
	home := t.TempDir()
	fixture.ConfigMap("web").Write(t, home)
	h := chart.NewHome(home, nothing)
	found, err := h.Find(tenancy.ChartRef{Name: "web"})
	if err != nil {
		t.Fatal(err)
	}
	one, err := h.Load(found.Digest)
	if err != nil {
		t.Fatal(err)
	}
	one.Values["text"], one.Metadata.Name = "changed", "changed"
	two, err := h.Load(found.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if two.Values["text"] != "default" || two.Name() != "web" {
		t.Errorf("the second copy has %v and %s", two.Values, two.Name())
	}
	if _, err := h.Load("nothing"); !errors.Is(err, tenancy.ErrChartNotFound) {
		t.Errorf("Load() of an unknown digest = %v", err)
	}
}

func TestBadChartsAreNamedAndHarmNobody(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	fixture.ConfigMap("web").Write(t, home)
	fixture.ConfigMap("escape").Write(t, home)
	fixture.ConfigMap("folder").Write(t, home)
	fixture.Chart{Name: "library", Files: map[string]string{}}.Write(t, home)
	fixture.Chart{Name: "version", Version: "one"}.Write(t, home)
	for path, text := range map[string]string{
		"yaml/Chart.yaml":    "{{ not yaml",
		"broken-1.0.0.tgz":   "no archive",
		"library/Chart.yaml": "apiVersion: v2\nname: library\nversion: 1.0.0\ntype: library\n",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(home, path)), 0o755),
			os.WriteFile(filepath.Join(home, path), []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(
		os.Symlink(secret, filepath.Join(home, "escape", "leak")),
		os.Symlink("../web/templates", filepath.Join(home, "folder", "more")),
	); err != nil {
		t.Fatal(err)
	}
	h := chart.NewHome(home, nothing)
	for _, name := range []string{"yaml", "broken", "library", "version", "escape", "folder"} {
		if _, err := h.Find(tenancy.ChartRef{Name: name}); !errors.Is(err, tenancy.ErrChartInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("Find(%s) = %v, want ErrChartInvalid that names it", name, err)
		}
	}
	if _, err := h.Find(tenancy.ChartRef{Name: "web"}); err != nil {
		t.Errorf("Find(web) = %v", err)
	}
}

func TestHomeThatCannotBeRead(t *testing.T) {
	_, err := chart.NewHome(filepath.Join(t.TempDir(), "nowhere"), nothing).Find(tenancy.ChartRef{Name: "web"})
	if !errors.Is(err, tenancy.ErrChartNotFound) || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("Find() = %v", err)
	}
}

// TestChangesAreTakenWhole: a chart that is just being written is not taken by halves.
func TestChangesAreTakenWhole(t *testing.T) {
	home := t.TempDir()
	fixture.ConfigMap("web").Write(t, home)
	changed := make(chan struct{}, 10)
	h := chart.NewHome(home, func() { changed <- struct{}{} })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { _ = h.Start(ctx); close(ended) }()
	defer func() { cancel(); <-ended }()

	before, _ := h.Find(tenancy.ChartRef{Name: "web"})
	template := filepath.Join(home, "web", "templates", "configmap.yaml")
	whole, err := os.ReadFile(template)
	if err != nil {
		t.Fatal(err)
	}
	// For three looks the template changes all the time.
	busy := time.NewTicker(100 * time.Millisecond)
	defer busy.Stop()
	end := time.After(3 * time.Second)
	for writing := true; writing; {
		select {
		case <-busy.C:
			if err := os.WriteFile(template, whole[:len(whole)/2], 0o644); err != nil {
				t.Fatal(err)
			}
			if now, _ := h.Find(tenancy.ChartRef{Name: "web"}); now != before {
				t.Fatal("half a chart was taken")
			}
		case <-end:
			writing = false
		}
	}
	if err := os.WriteFile(template, append(whole, "# new\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Fatal("the change was not noticed")
	}
	after, err := h.Find(tenancy.ChartRef{Name: "web"})
	if err != nil || after.Digest == before.Digest {
		t.Errorf("Find() = %v, %v; want another digest", after, err)
	}
}
