package chart

import (
	"context"
	"net/netip"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/outbound"
)

// Option sets what has a default.
type Option func(*Sources)

// Secrets reads the data of a Secret of the operator.
type Secrets func(ctx context.Context, name string) (map[string][]byte, error)

// WithCredentials sets where credentials are read, at each look at a source.
func WithCredentials(read Secrets) Option { return func(s *Sources) { s.secrets = read } }

// WithCacheDir sets where archives are kept for a restart; empty for nowhere. A
// directory that cannot be written to is no cache, and no error.
func WithCacheDir(dir string) Option { return func(s *Sources) { s.cache.dir = dir } }

// WithInterval sets how often a source is looked at, at most once a second.
func WithInterval(every time.Duration) Option {
	return func(s *Sources) { s.interval = max(every, time.Second) }
}

// WithAllowedNetworks sets which addresses that are not public may be connected to.
func WithAllowedNetworks(networks []netip.Prefix) Option {
	return func(s *Sources) { s.allowed = networks }
}

// WithOnChange sets what is called when Find may answer differently. It must not block.
func WithOnChange(f func()) Option { return func(s *Sources) { s.onChange = f } }

// WithOnFetch sets what is called after each look at a source that is still wanted:
// outcome is success, failure, or unchanged. It must neither block nor call the Sources.
func WithOnFetch(f func(repository, outcome string, took time.Duration)) Option {
	return func(s *Sources) { s.onFetch = f }
}

// WithOnForget sets what is called when a repository is no longer wanted; looks at it
// are not told of after that. It must neither block nor call the Sources.
func WithOnForget(f func(repository string)) Option {
	return func(s *Sources) { s.onForget = f }
}

// How a look at a source went.
const (
	outcomeSuccess   = "success"
	outcomeFailure   = "failure"
	outcomeUnchanged = "unchanged"
)

// limits bound what a source may take from us.
type limits struct {
	outbound.Limits
	turn    time.Duration // one look at a source, with all its charts
	retry   time.Duration // the first wait after a failure
	index   int64         // bytes
	archive int64         // bytes
	tags    int
	chart   bounds
}

func defaultLimits() limits {
	return limits{
		Limits:  outbound.Limits{Connect: 10 * time.Second, Header: 30 * time.Second, Request: 2 * time.Minute},
		turn:    5 * time.Minute,
		retry:   5 * time.Second,
		index:   50 << 20,
		archive: maxArchive,
		tags:    100_000,
		chart:   defaultBounds(),
	}
}

// atOnce is how many sources are looked at side by side.
const atOnce = 4
