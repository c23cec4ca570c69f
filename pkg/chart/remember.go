package chart

import "multitenancy.dev/multi-tenancy-operator/pkg/tenancy"

// wanted are the files of the records of all references.
func (s *Sources) wanted() map[string]bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[string]bool{}
	for _, src := range s.sources {
		for ref := range src.answers {
			out[recordOf(src.repository, ref).file()] = true
		}
	}
	return out
}

// remember writes the answer for a reference when it is a new one.
func (s *Sources) remember(src *source, ref tenancy.ChartRef, c *content, data []byte) {
	s.mu.RLock()
	r, before := src.repository, src.answers[ref]
	s.mu.RUnlock()
	if before == nil || before.content == c && data == nil {
		return
	}
	now := recordOf(r, ref)
	now.Version, now.Archive = c.chart.Version, c.archive
	s.cache.keep(now, data)
}

// cached makes a chart of an archive in the cache; nil when it is not there.
func (s *Sources) cached(a archive, ref tenancy.ChartRef) *content {
	data, ok := s.cache.archive(a.digest, s.limits.archive)
	if !ok {
		return nil
	}
	c, err := s.open(a, ref, data)
	if err != nil {
		return nil
	}
	return c
}

// restore makes the chart a reference meant last; nil when it is not known.
func (s *Sources) restore(src *source, ref tenancy.ChartRef) *content {
	s.mu.RLock()
	r := src.repository
	s.mu.RUnlock()
	last, ok := s.cache.last(recordOf(r, ref))
	if !ok {
		return nil
	}
	a := archive{version: last.Version, digest: last.Archive}
	if held := s.among(src, ref, a); held != nil {
		return held
	}
	return s.cached(a, ref)
}
