package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// publish packs a version of a chart into a directory, as helm package does, and
// lists everything in its index.
func publish(t *testing.T, dir string, c fixture.Chart) {
	t.Helper()
	build := t.TempDir()
	c.Write(t, build)
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	err := errors.Join(archive.AddFS(os.DirFS(build)), archive.Close(), zipped.Close())
	name := fmt.Sprintf("%s-%s.tgz", c.Name, c.Version)
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, name), out.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "index.yaml")
	index, err := os.ReadFile(file)
	if err != nil {
		index = []byte("apiVersion: v1\nentries:\n  " + c.Name + ":\n")
	}
	index = fmt.Appendf(index, "    - {name: %s, version: %s, urls: [%s], digest: %x}\n", c.Name, c.Version, name, sha256.Sum256(out.Bytes()))
	if err := errors.Join(os.WriteFile(file+".new", index, 0o644), os.Rename(file+".new", file)); err != nil {
		t.Fatal(err)
	}
}

// TestChartsOfARepository: a release follows a range of versions, and does not
// notice that the repository is down, fault row 109.
func TestChartsOfARepository(t *testing.T) {
	const name, user, password = "sourced", "robot", "canary-51d2"
	operatorNamespace(t)
	t.Setenv("POD_NAMESPACE", "multi-tenancy")
	kubectl(t, "", "create", "secret", "generic", "-n", "multi-tenancy", "shop-key",
		"--from-literal=username="+user, "--from-literal=password="+password)
	dir := t.TempDir()
	conf := fixture.ConfigMap("conf")
	conf.Version = "1.0.0"
	publish(t, dir, conf)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != user || p != password {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		http.FileServer(http.Dir(dir)).ServeHTTP(w, r)
	}))
	defer server.Close()

	flags := []string{"--chart-source-interval=1s", "--chart-cache=" + t.TempDir(), "--allowed-source-networks=127.0.0.0/8"}
	op := startOperator(t, fixture.Home(t, "", fixture.ConfigMap("home")), flags...)
	follows := install("conf", "follows")
	follows.Repository, follows.Version = "shop", "~1"
	goes := follows
	goes.ReleaseName = "goes"
	create(t, name, tenant(name, follows, goes, install("home", "home")))
	shop := v1alpha1.Repository{Name: "shop", URL: server.URL, SecretName: "shop-key"}
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Repositories = []v1alpha1.Repository{shop} })
	awaitReady(t, name)
	isVersion := func(version string, revision int32) func() error {
		return func() error {
			rel := find(get(t, name), name, "follows")
			if rel == nil || !rel.Ready || rel.Version != version || rel.Revision != revision {
				return fmt.Errorf("the release = %+v, want version %s in revision %d, ready", rel, version, revision)
			}
			return nil
		}
	}
	eventually(t, patience, isVersion("1.0.0", 1))

	conf.Version = "1.1.0"
	publish(t, dir, conf)
	eventually(t, patience, isVersion("1.1.0", 2))
	awaitReady(t, name)

	server.Close()
	before := records(t, name)
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		charts := s.Tenancies[0].Charts
		s.Tenancies[0].Charts = []v1alpha1.Chart{charts[0], charts[2]}
	})
	eventually(t, patience, func() error {
		if got := records(t, name); got["goes.v1"] != "" || got["goes.v2"] != "" {
			return fmt.Errorf("the records are %v, want the release gone that left the spec", got)
		}
		return nil
	})
	awaitReady(t, name)
	delete(before, "goes.v1")
	delete(before, "goes.v2")
	wantRecords(t, name, before)

	op.stop() // and what was fetched outlives a restart
	startOperator(t, op.home, flags...)
	eventually(t, patience, isVersion("1.1.0", 2))
	awaitReady(t, name)
	wantRecords(t, name, before)

	messages := op.log.String() + kubectl(t, "", "get", "controller", name, "-o", "yaml")
	if strings.Contains(messages, password) {
		t.Error("the password is in the log or in the status")
	}
	if _, err := world.kube.CoreV1().ConfigMaps(name).Get(t.Context(), "follows-conf", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}
