package chart

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func TestSourcesFindTheVersion(t *testing.T) {
	shop := newShelf(t)
	for _, v := range []string{"1.0.0", "1.9.0", "1.10.0", "2.0.0-rc.1", "1.10.1-dev"} {
		shop.publish("web", v)
	}
	shop.publish("early", "0.1.0-dev")
	early := tenancy.ChartRef{Repository: "shop", Name: "early"}
	cases := map[string]struct {
		ref     tenancy.ChartRef
		want    string
		wantErr error
	}{
		"the newest stable one":                {wanting(""), "1.10.0", nil},
		"an exact one":                         {wanting("1.9.0"), "1.9.0", nil},
		"the newest in a range":                {wanting(">=1.0 <1.10"), "1.9.0", nil},
		"a pre-release that is asked for":      {wanting("2.0.0-rc.1"), "2.0.0-rc.1", nil},
		"a pre-release when there is no other": {early, "0.1.0-dev", nil},
		"none that fits":                       {wanting("3.x"), "", tenancy.ErrChartNotFound},
		"no range":                             {wanting("newest"), "", tenancy.ErrChartNotFound},
		"no such chart":                        {tenancy.ChartRef{Repository: "shop", Name: "we"}, "", tenancy.ErrChartNotFound},
		"no such repository":                   {tenancy.ChartRef{Repository: "none", Name: "web"}, "", tenancy.ErrChartNotFound},
		"the chart home":                       {tenancy.ChartRef{Name: "web"}, "", tenancy.ErrChartNotFound},
	}
	s, _ := run(t)
	var refs []tenancy.ChartRef
	for _, tc := range cases {
		refs = append(refs, tc.ref)
	}
	s.Sync(repositoryAt(serve(t, shop).URL), refs)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			check := isVersion(s, tc.ref, tc.want)
			if tc.wantErr != nil {
				check = isError(s, tc.ref, tc.wantErr)
			}
			await(t, check)
		})
	}
}

// TestOneFetchForAll: a thousand tenancies with one chart are one download, and one
// chart in memory.
func TestOneFetchForAll(t *testing.T) {
	shop := newShelf(t)
	shop.publish("web", "1.0.0")
	var changes atomic.Int32
	s, stop := run(t, WithOnChange(func() { changes.Add(1) }))
	url := serve(t, shop).URL
	refs := make([]tenancy.ChartRef, 1000)
	for i := range refs {
		refs[i] = wanting([]string{"", "1.0.0", "~1.0"}[i%3])
	}
	before := s.Version()
	s.Sync(repositoryAt(url), refs)
	s.Sync(repositoryAt(url), refs)
	for _, ref := range refs[:3] {
		await(t, isVersion(s, ref, "1.0.0"))
	}
	await(t, func() error {
		if n := shop.asked("/index.yaml 304"); n < 2 {
			return fmt.Errorf("the index was asked for %d times with its stamp", n)
		}
		return nil
	})
	stop()
	if got := []int{shop.asked("/index.yaml 200"), shop.asked("/web-1.0.0.tgz 200")}; !cmp.Equal(got, []int{1, 1}) {
		t.Errorf("index and archive were fetched %v times, want once each", got)
	}
	if changes.Load() != 3 || s.Version() == before {
		t.Errorf("%d changes were told, want one for each reference", changes.Load())
	}
	if n := len(contents(s)); n != 1 {
		t.Errorf("%d charts are in memory, want 1", n)
	}
}

func contents(s *Sources) map[*content]bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[*content]bool{}
	for _, src := range s.sources {
		for _, a := range src.answers {
			if a.content != nil {
				out[a.content] = true
			}
		}
	}
	return out
}

// TestSourceOverTime: a newer version is taken, an outage changes nothing, and what
// leaves the index or the spec is gone, fault row 109.
func TestSourceOverTime(t *testing.T) {
	shop := newShelf(t)
	shop.publish("web", "1.0.0")
	var down atomic.Bool
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(w, "out of order", http.StatusBadGateway)
			return
		}
		shop.ServeHTTP(w, r)
	}))
	outcomes := make(chan string, 1000)
	s, _ := run(t, WithOnFetch(func(name, outcome string, _ time.Duration) {
		select {
		case outcomes <- name + " " + outcome:
		default:
		}
	}))
	awaitOutcome := func(want string) {
		t.Helper()
		await(t, func() error {
			select {
			case got := <-outcomes:
				if got == want {
					return nil
				}
			default:
			}
			return errors.New("no look ended with " + want)
		})
	}
	ref, old := wanting("1.x"), wanting("1.0.0")
	s.Sync(repositoryAt(server.URL), []tenancy.ChartRef{ref, old})
	await(t, isVersion(s, ref, "1.0.0"))
	awaitOutcome("shop unchanged")
	shop.publish("web", "1.1.0")
	await(t, isVersion(s, ref, "1.1.0"))
	await(t, isVersion(s, old, "1.0.0"))

	down.Store(true)
	awaitOutcome("shop failure")
	awaitOutcome("shop failure")
	if err := errors.Join(isVersion(s, ref, "1.1.0")(), isVersion(s, old, "1.0.0")()); err != nil {
		t.Errorf("while the source is down: %v", err)
	}
	fresh := tenancy.ChartRef{Repository: "shop", Name: "other"}
	s.Sync(repositoryAt(server.URL), []tenancy.ChartRef{ref, old, fresh})
	await(t, isError(s, fresh, tenancy.ErrSource))

	down.Store(false)
	shop.remove("web-1.0.0.tgz")
	await(t, isError(s, old, tenancy.ErrChartNotFound))
	await(t, isError(s, fresh, tenancy.ErrChartNotFound))
	await(t, isVersion(s, ref, "1.1.0"))

	found, err := s.Find(ref)
	if err != nil {
		t.Fatal(err)
	}
	one, err := s.Load(found.Digest)
	if err != nil {
		t.Fatal(err)
	}
	one.Values["text"] = "changed"
	if two, err := s.Load(found.Digest); err != nil || two.Values["text"] != "default" {
		t.Errorf("the second copy is %v, %v", two, err)
	}
	s.Sync(nil, nil)
	if _, err := s.Load(found.Digest); !errors.Is(err, tenancy.ErrChartNotFound) || len(contents(s)) != 0 {
		t.Errorf("after the repository left, Load() = %v", err)
	}
	if err := isError(s, ref, tenancy.ErrChartNotFound)(); err != nil {
		t.Error(err)
	}
}

func TestPendingSaysWhatIsFetched(t *testing.T) {
	release := make(chan struct{})
	server := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer close(release)
	shop := newShelf(t)
	shop.publish("web", "1.0.0")
	good := serve(t, shop)
	s, _ := run(t, func(s *Sources) { s.limits.Header, s.limits.Request = time.Hour, time.Hour })
	all := []tenancy.Repository{{Name: "good", URL: good.URL}}
	refs := []tenancy.ChartRef{{Repository: "good", Name: "web"}}
	for i := range atOnce - 1 {
		name := fmt.Sprint("hang", i)
		all = append(all, tenancy.Repository{Name: name, URL: server.URL})
		refs = append(refs, tenancy.ChartRef{Repository: name, Name: "web"})
	}
	s.Sync(all, refs)
	await(t, isVersion(s, refs[0], "1.0.0")) // the others hang, and delay nobody
	_, err := s.Find(refs[1])
	if want := `chart "web" is being fetched from repository "hang0"`; !errors.Is(err, tenancy.ErrChartPending) || err.Error() != want {
		t.Errorf("Find() = %v, want %s", err, want)
	}
}

// TestNothingIsLeftRunning: when Start has returned, so has all it began.
func TestNothingIsLeftRunning(t *testing.T) {
	hang := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	shop := newShelf(t)
	shop.publish("web", "1.0.0")
	good := serve(t, shop)
	s, stop := run(t)
	refs := []tenancy.ChartRef{wanting(""), {Repository: "hang", Name: "web"}}
	s.Sync(append(repositoryAt(good.URL), tenancy.Repository{Name: "hang", URL: hang.URL}), refs)
	await(t, isVersion(s, refs[0], "1.0.0"))
	stop()
	await(t, func() error {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			if strings.Contains(stack, "chart.(*Sources)") || strings.Contains(stack, "http.(*persistConn)") {
				return fmt.Errorf("still running: %s", stack)
			}
		}
		return nil
	})
}
