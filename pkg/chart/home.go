// Package chart finds charts and hands out copies of them. Today they come
// from the chart home, a directory of charts, unpacked or packed as .tgz.
package chart

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/Masterminds/semver/v3"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// interval is how often the chart home is looked at. A chart that changed is
// taken when two looks in a row saw the same files, so that one that is just
// being copied is not rolled out by halves.
const interval = time.Second

// Home is a directory of charts, read again whenever its files change.
type Home struct {
	dir      string
	onChange func()

	mu      sync.RWMutex
	entries map[string]entry // by name in the directory
	pending map[string]string
	version uint64
	opened  error // why the directory cannot be read; nil when it can
}

// entry is a file or folder of the chart home.
type entry struct {
	print   string // changes when a file of the entry does
	name    string // the chart's name
	version *semver.Version
	chart   tenancy.Chart
	files   []*loader.BufferedFile
	err     error // why the entry is no usable chart
}

// NewHome makes a chart home on a directory and reads it once. What cannot be
// read is told by Find.
func NewHome(dir string, onChange func()) *Home {
	h := &Home{dir: dir, onChange: onChange, entries: map[string]entry{}}
	h.refresh(func(string, string) bool { return true })
	return h
}

// Start looks for changes until ctx ends, and calls onChange after each.
func (h *Home) Start(ctx context.Context) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if h.refresh(h.settled) {
				h.onChange()
			}
		}
	}
}

// Find tells which chart a reference means now. The error wraps
// tenancy.ErrChartNotFound or tenancy.ErrChartInvalid.
func (h *Home) Find(ref tenancy.ChartRef) (tenancy.Chart, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.opened != nil {
		return tenancy.Chart{}, fmt.Errorf("%w: the chart home cannot be read: %w", tenancy.ErrChartNotFound, h.opened)
	}
	fits, err := constraint(ref.Version)
	if err != nil {
		return tenancy.Chart{}, err
	}
	var best *entry
	var named bool
	for _, key := range slices.Sorted(maps.Keys(h.entries)) {
		e := h.entries[key]
		if e.name != ref.Name {
			continue
		}
		if e.err != nil {
			err = e.err
			continue
		}
		named = true
		if fits(e.version) && (best == nil || better(e.version, best.version, ref.Version)) {
			best = &e
		}
	}
	switch {
	case best != nil:
		return best.chart, nil
	case named:
		return tenancy.Chart{}, fmt.Errorf("%w: %q has no version that fits %q", tenancy.ErrChartNotFound, ref.Name, ref.Version)
	case err != nil:
		return tenancy.Chart{}, err
	}
	return tenancy.Chart{}, fmt.Errorf("%w: %q is not in the chart home", tenancy.ErrChartNotFound, ref.Name)
}

// Version changes whenever Find may answer differently.
func (h *Home) Version() uint64 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.version
}

// Load makes a copy of the chart with a digest that Find gave. Nobody else
// holds it, so that it may be changed.
func (h *Home) Load(digest string) (*helmchart.Chart, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, e := range h.entries {
		if e.err == nil && e.chart.Digest == digest {
			return parse(e.files)
		}
	}
	return nil, fmt.Errorf("%w: its source has another content now", tenancy.ErrChartNotFound)
}

// refresh reads the entries that changed and are accepted, and says whether
// anything is different now.
func (h *Home) refresh(accept func(key, print string) bool) bool {
	d, err := openDir(h.dir)
	if err != nil {
		return h.lose(err)
	}
	defer d.close()
	prints, err := d.prints()
	if err != nil {
		return h.lose(err)
	}

	h.mu.RLock()
	before, changed := h.entries, h.opened != nil
	h.mu.RUnlock()
	next := make(map[string]entry, len(prints))
	for key, print := range prints {
		e, known := before[key]
		switch {
		case known && e.print == print:
			next[key] = e
		case accept(key, print):
			next[key], changed = d.read(key, print), true
		case known:
			next[key] = e
		}
	}
	for key := range before {
		if _, still := prints[key]; !still {
			changed = true
		}
	}

	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries, h.pending, h.opened = next, prints, nil
	if changed {
		h.version++
	}
	return changed
}

// settled says that an entry looked the same the last time.
func (h *Home) settled(key, print string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.pending[key] == print
}

// lose notes that the directory cannot be read. The charts are kept for the
// operations that are under way.
func (h *Home) lose(err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	changed := h.opened == nil
	h.opened = err
	if changed {
		h.version++
	}
	return changed
}

// constraint makes the test of a version. No text fits every version.
func constraint(text string) (func(*semver.Version) bool, error) {
	if text == "" {
		return func(*semver.Version) bool { return true }, nil
	}
	c, err := semver.NewConstraint(text)
	if err != nil {
		return nil, fmt.Errorf("%w: version %q is neither a version nor a range", tenancy.ErrChartNotFound, text)
	}
	return c.Check, nil
}

// better says that a is to be preferred to b: stable before pre-release where
// nothing was asked for, then the newer one.
func better(a, b *semver.Version, asked string) bool {
	if asked == "" {
		if c := cmp.Compare(prerelease(b), prerelease(a)); c != 0 {
			return c > 0
		}
	}
	return a.GreaterThan(b)
}

func prerelease(v *semver.Version) int {
	if v.Prerelease() != "" {
		return 1
	}
	return 0
}
