package chart

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// TestForget: that a repository left the spec is told once, when it did, and no look at
// it is told after that.
func TestForget(t *testing.T) {
	server := serve(t, http.NotFoundHandler())
	var told []string
	s := NewSources(NewHome(t.TempDir(), func() {}), local(), quick,
		WithOnFetch(func(name, _ string, _ time.Duration) { told = append(told, "look at "+name) }),
		WithOnForget(func(name string) { told = append(told, "forget "+name) }))
	refs := []tenancy.ChartRef{wanting("")}
	// look is a turn that began when the source was wanted.
	look := func(src *source) { s.turn(t.Context(), src) }

	s.Sync(repositoryAt(server.URL), refs)
	look(s.sources["shop"])
	before := s.sources["shop"]
	s.Sync(repositoryAt(server.URL+"/other"), refs)
	look(before)
	look(s.sources["shop"])
	if diff := cmp.Diff([]string{"look at shop", "look at shop"}, told); diff != "" {
		t.Errorf("while the repository is wanted, at one place and at another (-want +got):\n%s", diff)
	}

	told, before = nil, s.sources["shop"]
	s.Sync(nil, nil)
	s.Sync(nil, nil)
	look(before)
	late, stop := context.WithDeadline(t.Context(), time.Now())
	defer stop()
	s.turn(late, before) // its time was up before it was cancelled
	if diff := cmp.Diff([]string{"forget shop"}, told); diff != "" {
		t.Errorf("when it is wanted no more (-want +got):\n%s", diff)
	}
}
