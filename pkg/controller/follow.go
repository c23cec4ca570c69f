package controller

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Namespaces is what scheduling needs to make namespaces.
type Namespaces interface {
	EnsureNamespace(ctx context.Context, name string) error
}

// follow sets what the informers follow.
func (s *Schedule) follow(want []tenancy.Tenancy, have []tenancy.Observed) {
	s.Watch.Sync(namespaces(want, have))
	s.Desired.follow(want)
}

// follow sets which of the objects that values are taken from are followed.
func (d *Desired) follow(want []tenancy.Tenancy) {
	var all []tenancy.Reference
	for _, t := range want {
		for _, rel := range t.Releases {
			all = append(all, rel.References...)
		}
	}
	d.references.Sync(all)
}

// namespaces are those that have something to follow.
func namespaces(want []tenancy.Tenancy, have []tenancy.Observed) []string {
	var out []string
	for _, t := range want {
		out = append(out, t.Namespace)
	}
	for _, o := range have {
		out = append(out, o.Key.Namespace)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shelters remembers when the namespace of a tenancy was last made sure of.
type shelters struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (s *shelters) note(namespace string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[string]time.Time{}
	}
	s.at[namespace] = at
}

// due forgets the namespaces that need no shelter any more, and lists those to
// look at.
func (s *shelters) due(namespaces []string, now time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.at, func(ns string, _ time.Time) bool { return !slices.Contains(namespaces, ns) })
	return slices.DeleteFunc(namespaces, func(ns string) bool { return now.Sub(s.at[ns]) < resync })
}

// shelter has the namespaces made that people need to put into what a release
// takes its values from: without it no release is installed, and without
// a release there is no namespace. One is looked at again after a while.
func (s *Schedule) shelter(want []tenancy.Tenancy, steps []plan.Step, now time.Time) {
	lanes := s.Queue.Lanes()
	for _, ns := range s.shelters.due(homeless(want, steps), now) {
		if lanes[ns].Running != nil {
			continue
		}
		s.Queue.Replace(ns, []queue.Job{{
			ID:  "(namespace)", // the name of no release
			Run: func(ctx context.Context) error { return s.Namespaces.EnsureNamespace(ctx, ns) },
			Done: func(err error) {
				s.shelters.note(ns, time.Now())
				if err != nil {
					ctrl.Log.WithName("schedule").Error(err, "namespace not made", "namespace", ns)
				}
			},
		}})
	}
}

// homeless lists the namespaces of tenancies in which a release misses what its
// values are taken from and no operation runs that makes the namespace.
func homeless(want []tenancy.Tenancy, steps []plan.Step) []string {
	busy := map[string]bool{}
	for _, step := range steps {
		if step.Action.Runs() {
			busy[step.Key.Namespace] = true
		}
	}
	var out []string
	for _, t := range want {
		if t.Suspended || busy[t.Namespace] {
			continue
		}
		if slices.ContainsFunc(t.Releases, func(rel tenancy.Release) bool { return errors.Is(rel.Err, tenancy.ErrReference) }) {
			out = append(out, t.Namespace)
		}
	}
	return out
}
