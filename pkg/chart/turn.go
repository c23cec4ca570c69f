package chart

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Start looks at the chart home and at the sources until ctx ends, and returns when
// everything it began has ended.
func (s *Sources) Start(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { _ = s.home.Start(ctx) })

	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		timer.Reset(s.dispatch(ctx, &group))
	}
}

// dispatch begins the turns that are due, as many as may run side by side, and says
// when to look again. When nothing runs, it tidies the cache.
func (s *Sources) dispatch(ctx context.Context, group *sync.WaitGroup) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var waiting []*source
	running := 0
	for _, src := range s.sources {
		switch {
		case src.stop != nil:
			running++
		case len(src.answers) > 0:
			waiting = append(waiting, src)
		}
	}
	slices.SortFunc(waiting, func(a, b *source) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.repository.Name, b.repository.Name))
	})
	next := s.interval
	for _, src := range waiting {
		if wait := time.Until(src.due); wait > 0 {
			next = min(next, wait)
			break
		}
		if running == atOnce {
			break // the end of a turn rings
		}
		running++
		src.again = false
		turn, stop := context.WithTimeout(ctx, s.limits.turn)
		src.stop = stop
		group.Go(func() {
			defer stop()
			s.turn(turn, src)
			s.ring()
		})
	}
	if running == 0 && s.untidy {
		s.untidy = false
		group.Go(func() { s.cache.tidy(s.wanted) })
	}
	return next
}

// turn looks at a source once: at its index, and at each chart that is wanted.
func (s *Sources) turn(ctx context.Context, src *source) {
	began := time.Now()
	s.mu.RLock()
	r, refs := src.repository, make([]tenancy.ChartRef, 0, len(src.answers))
	for ref := range src.answers {
		refs = append(refs, ref)
	}
	s.mu.RUnlock()
	// One archive that hangs must not keep the same charts from being fetched each time.
	rand.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })

	changed, err := s.look(ctx, src, r, refs)
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(ctx.Err(), context.Canceled) || s.sources[r.Name] != src {
		err = nil // the operator stops, or nobody wants the source any more
	} else {
		s.onFetch(r.Name, outcome(changed, err), time.Since(began))
	}
	src.stop = nil
	src.failures++
	if err == nil {
		src.failures = 0
	}
	src.due = began.Add(s.wait(src.failures))
	if src.again {
		src.due = time.Time{}
	}
	s.untidy = s.untidy || changed
}

func outcome(changed bool, err error) string {
	switch {
	case err != nil:
		return outcomeFailure
	case changed:
		return outcomeSuccess
	}
	return outcomeUnchanged
}

// wait is how long to wait until the next look, after so many failures.
func (s *Sources) wait(failures int) time.Duration {
	wait := s.interval
	if failures > 0 {
		wait = min(wait, s.limits.retry<<min(failures-1, 16))
	}
	return wait - wait/5 + rand.N(2*wait/5+1)
}

// look asks a source for its charts and publishes each as soon as it is known. The
// error is the last that a retry may mend.
func (s *Sources) look(ctx context.Context, src *source, r tenancy.Repository, refs []tenancy.ChartRef) (changed bool, failure error) {
	redact := func(text string) string { return text }
	client, err := s.connect(ctx, r)
	if err == nil {
		defer client.Close()
		redact = client.Redact
		if src.upstream == nil {
			src.upstream = s.newUpstream(r)
		}
		err = src.upstream.begin(ctx, client, refs)
	}
	for _, ref := range refs {
		var found *content
		trouble := err
		if trouble == nil {
			found, trouble = s.resolve(ctx, src, ref)
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return changed, ctx.Err()
		}
		if trouble != nil {
			trouble = explain(r, redact, trouble)
			if !errors.Is(trouble, tenancy.ErrChartNotFound) {
				failure = trouble
			}
		}
		changed = s.publish(src, ref, found, trouble) || changed
	}
	return changed, failure
}

// publish notes the answer for a reference. While a source cannot be reached, the
// last answer stands; after a restart it is the one in the cache.
func (s *Sources) publish(src *source, ref tenancy.ChartRef, found *content, err error) (changed bool) {
	s.mu.RLock()
	before := src.answers[ref]
	s.mu.RUnlock()
	if before == nil {
		return false // nobody wants it any more
	}
	down := errors.Is(err, tenancy.ErrSource)
	if down && before.content == nil {
		found = s.restore(src, ref)
	}
	now := &answer{content: found, err: err}
	if down && before.content != nil {
		now.content = before.content
	}
	s.mu.Lock()
	if src.answers[ref] != nil {
		src.answers[ref] = now
		if now.content != before.content {
			now.before = before.content
		}
		changed = now.content != before.content || text(now) != text(before)
	}
	if changed && s.sources[src.repository.Name] == src {
		s.version++
	}
	s.mu.Unlock()
	if changed {
		s.onChange()
	}
	return changed
}

// text is what Find says when there is no chart.
func text(a *answer) string {
	if a.content != nil || a.err == nil {
		return ""
	}
	return a.err.Error()
}
