package status

import (
	"maps"
	"reflect"
	"slices"
	"sync"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Memory remembers how each tenancy stood and what that was found from: a pass looks
// closer at those about which a fact is new, and at those where time may tell more. It
// may be used side by side; the zero Memory remembers nothing.
type Memory struct {
	mu        sync.Mutex
	nodes     Nodes
	tenancies map[string]remembered
}

// remembered is how a tenancy at rest stands, and why.
type remembered struct {
	standing *Standing
	tenancy  tenancy.Tenancy
	observed []tenancy.Observed
	work     []Work // of the guardrails, and of each release in the order of the spec
	guards   []v1alpha1.GuardrailStatus
	look     uint64
}

// Rollup sums the facts up as the function of that name does.
func (m *Memory) Rollup(facts Facts) Rolled {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := newRollup(facts)
	if !maps.Equal(m.nodes, facts.Nodes) {
		m.tenancies = nil
	}
	next := make(map[string]remembered, len(facts.Desired))
	out := Rolled{generation: facts.Generation, deleting: facts.Deleting, suspended: facts.Suspended}
	for _, t := range facts.Desired {
		now := r.about(t)
		if before, ok := m.tenancies[t.Namespace]; ok && now.same(before) {
			now = before
		} else {
			now.standing = r.tenancy(t)
		}
		if now.look > 0 && now.standing.atRest() {
			next[t.Namespace] = now
		}
		out.Tenancies = append(out.Tenancies, now.standing)
	}
	m.tenancies, m.nodes = next, facts.Nodes
	out.Tenancies = append(out.Tenancies, r.leaving()...)
	return out
}

// about gathers what is known of a tenancy.
func (r *rollup) about(t tenancy.Tenancy) remembered {
	out := remembered{tenancy: t, observed: r.observed[t.Namespace], look: r.Objects[t.Namespace].Look, guards: r.Guardrails[t.Namespace]}
	out.work = append(out.work, r.Work[tenancy.GuardrailsKey(t.Namespace)])
	for _, rel := range t.Releases {
		out.work = append(out.work, r.Work[rel.Key])
	}
	return out
}

// same says that all that is known of a tenancy is what was known before. Releases of
// the spec are the same when they were made at once: see Facts.Desired.
func (m remembered) same(before remembered) bool {
	a, b := m.tenancy, before.tenancy
	made := len(a.Releases) == len(b.Releases) && (len(a.Releases) == 0 || &a.Releases[0] == &b.Releases[0])
	return m.look == before.look && made && a.Suspended == b.Suspended && a.Err == nil && b.Err == nil &&
		slices.Equal(m.guards, before.guards) && slices.Equal(m.work, before.work) && reflect.DeepEqual(m.observed, before.observed)
}
