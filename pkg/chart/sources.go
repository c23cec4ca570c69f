package chart

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Sources finds charts in the chart home, in Helm repositories and in OCI
// registries. Looking at the latter takes time and fails: it is done in the
// background, and Find tells what is known.
type Sources struct {
	home     *Home
	secrets  Secrets
	allowed  []netip.Prefix
	interval time.Duration
	limits   limits
	onChange func()
	onFetch  func(repository, outcome string, took time.Duration)
	onForget func(repository string)
	cache    cache
	wake     chan struct{}
	parsing  chan struct{} // holds a token while an index is parsed: large ones take much memory

	mu      sync.RWMutex
	sources map[string]*source // by the repository's name
	version uint64
	untidy  bool // the cache may hold what nobody wants
}

// source is a repository of the spec with the charts that are wanted of it.
type source struct {
	repository tenancy.Repository
	answers    map[tenancy.ChartRef]*answer
	due        time.Time
	failures   int
	again      bool               // something new is wanted since the turn began
	stop       context.CancelFunc // ends the turn; nil when there is none
	upstream   upstream           // of the turn alone
}

// answer is what is known of a reference: nothing at first, then a chart, or why
// there is none. A chart outlives that its source cannot be reached.
type answer struct {
	content *content
	err     error
	// before is what there was until the last look: an operation that was planned with
	// it may begin before everything is planned anew.
	before *content
}

// content is a chart that was fetched.
type content struct {
	chart   tenancy.Chart
	archive string // sha256 of the archive
	files   []*loader.BufferedFile
	place   string
	stamp   stamp
}

// NewSources makes sources of a chart home and whatever Sync names.
func NewSources(home *Home, opts ...Option) *Sources {
	s := &Sources{
		home: home, interval: 5 * time.Minute, limits: defaultLimits(),
		secrets: func(context.Context, string) (map[string][]byte, error) {
			return nil, fmt.Errorf("there are no Secrets")
		},
		onChange: func() {}, onFetch: func(string, string, time.Duration) {}, onForget: func(string) {},
		wake: make(chan struct{}, 1), parsing: make(chan struct{}, 1), sources: map[string]*source{},
	}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// Sync sets which charts are wanted of which repositories. What is new is fetched at
// once, what is no longer wanted is forgotten. Calling it twice changes nothing, and
// it does not wait for anything.
func (s *Sources) Sync(repositories []tenancy.Repository, refs []tenancy.ChartRef) {
	wanted := map[string]map[tenancy.ChartRef]bool{}
	for _, r := range repositories {
		wanted[r.Name] = map[tenancy.ChartRef]bool{}
	}
	for _, ref := range refs {
		if of := wanted[ref.Repository]; of != nil {
			of[ref] = true
		}
	}
	s.mu.Lock()
	changed := s.forget(repositories, wanted)
	for _, r := range repositories {
		changed = s.want(r, wanted[r.Name]) || changed
	}
	if changed {
		s.version++
		s.untidy = true
	}
	s.mu.Unlock()
	if changed {
		s.ring()
	}
}

// forget drops sources and references that are no longer wanted.
func (s *Sources) forget(repositories []tenancy.Repository, wanted map[string]map[tenancy.ChartRef]bool) (changed bool) {
	places := map[string]tenancy.Repository{}
	for _, r := range repositories {
		places[r.Name] = r
	}
	for name, src := range s.sources {
		now, still := places[name]
		if !still || now.URL != src.repository.URL || now.Insecure != src.repository.Insecure {
			if src.stop != nil {
				src.stop()
			}
			delete(s.sources, name)
			if !still {
				s.onForget(name)
			}
			changed = true
			continue
		}
		for ref := range src.answers {
			if !wanted[name][ref] {
				delete(src.answers, ref)
				changed = true
			}
		}
	}
	return changed
}

// want adds what is new of a repository.
func (s *Sources) want(r tenancy.Repository, refs map[tenancy.ChartRef]bool) (changed bool) {
	src := s.sources[r.Name]
	if src == nil {
		src = &source{repository: r, answers: map[tenancy.ChartRef]*answer{}}
		s.sources[r.Name] = src
		changed = true
	}
	if src.repository != r {
		src.repository, changed = r, true
	}
	for ref := range refs {
		if src.answers[ref] == nil {
			src.answers[ref] = &answer{}
			changed = true
		}
	}
	if changed {
		src.due, src.again = time.Time{}, true
	}
	return changed
}

// Find tells which chart a reference means now, as far as is known. The error wraps
// tenancy.ErrChartPending, ErrSource, ErrChartNotFound or ErrChartInvalid.
func (s *Sources) Find(ref tenancy.ChartRef) (tenancy.Chart, error) {
	if ref.Repository == "" {
		return s.home.Find(ref)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	src := s.sources[ref.Repository]
	if src == nil {
		return tenancy.Chart{}, fmt.Errorf("%w: repository %q is not in spec.repositories", tenancy.ErrChartNotFound, ref.Repository)
	}
	a := src.answers[ref]
	switch {
	case a == nil, a.content == nil && a.err == nil:
		return tenancy.Chart{}, pending(ref)
	case a.content == nil:
		return tenancy.Chart{}, a.err
	}
	return a.content.chart, nil
}

// Load makes a copy of the chart with a digest that Find gave. Nobody else holds
// it, so that it may be changed.
func (s *Sources) Load(digest string) (*helmchart.Chart, error) {
	if c := s.held(digest); c != nil {
		return parse(c.files)
	}
	return s.home.Load(digest)
}

// held is the content with a chart digest; nil when there is none.
func (s *Sources) held(digest string) *content {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, src := range s.sources {
		for _, a := range src.answers {
			for _, c := range []*content{a.content, a.before} {
				if c != nil && c.chart.Digest == digest {
					return c
				}
			}
		}
	}
	return nil
}

// Version changes whenever Find may answer differently.
func (s *Sources) Version() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.home.Version() + s.version
}

// ring makes the dispatcher look at what is due.
func (s *Sources) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
