package tenancy

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// DefaultTimeout bounds an operation whose spec says nothing.
const DefaultTimeout = 5 * time.Minute

// DefaultRetries is how often an operation is tried again whose spec says nothing.
const DefaultRetries = 5

// defaultMaxRemovals is that of the CRD, for objects from before it.
const defaultMaxRemovals = 10

// MaxRemovals is how many releases an edit of a spec may take away.
func MaxRemovals(spec v1alpha1.ControllerSpec) int {
	if spec.MaxRemovals == nil {
		return defaultMaxRemovals
	}
	return int(*spec.MaxRemovals)
}

// Charts finds charts by reference. The error wraps ErrChartPending, ErrSource,
// ErrChartNotFound or ErrChartInvalid.
type Charts interface {
	Find(ref ChartRef) (Chart, error)
}

// FromSpec turns a spec into defaulted, checked and ordered releases. What is
// wrong with a release is in its Err: the others are not touched by it. So it is with
// a tenancy: all its releases have its Err. known gives tenancies of which the result is
// known already; it may be nil.
func FromSpec(spec v1alpha1.ControllerSpec, charts Charts, references References, known func(v1alpha1.TenancySpec) (Tenancy, bool)) []Tenancy {
	plans, bounds := blueprintsOf(spec.Plans), boundsOf(spec)
	charts = &remembered{charts: charts, found: map[ChartRef]answer{}}
	tenancies := make([]Tenancy, 0, len(spec.Tenancies))
	for _, t := range spec.Tenancies {
		if known != nil {
			if out, ok := known(t); ok {
				out.Guardrails = bounds.of(t, out.Guardrails)
				tenancies = append(tenancies, out)
				continue
			}
		}
		out := Tenancy{Namespace: t.Namespace, Suspended: spec.Suspend || t.Suspend}
		out.Guardrails = bounds.of(t, nil)
		out.Releases, out.Err = releases(t, plans, charts, references)
		for i := range out.Releases {
			rel := &out.Releases[i]
			rel.ClusterKinds = slices.Concat(spec.AllowedClusterKinds, t.AllowedClusterKinds)
			rel.ServiceAccount = cmp.Or(t.ServiceAccountName, out.Guardrails.account(), spec.ServiceAccountName)
			rel.NetworkClosed = out.Guardrails.closes()
		}
		tenancies = append(tenancies, out)
	}
	return tenancies
}

// releases are those of a tenancy, in order.
func releases(t v1alpha1.TenancySpec, plans map[string]*blueprint, charts Charts, references References) ([]Release, error) {
	all, err := expand(t, plans)
	out := make([]Release, 0, len(all))
	for i, c := range all {
		rel := release(t.Namespace, i, c)
		if rel.Err = err; rel.Err == nil {
			rel.Err = resolve(&rel, c, charts, references)
		}
		if rel.Err != nil {
			rel.Err = fmt.Errorf("release %s: %w", rel.Key, rel.Err)
		}
		out = append(out, rel)
	}
	order(out)
	return out, err
}

// release is a chart of the spec as a release, without what needs the chart and the values.
func release(namespace string, position int, c chart) Release {
	rel := Release{
		Key:        Key{Namespace: namespace, Name: c.ReleaseName},
		Chart:      Chart{Name: c.ChartName, Version: c.Version},
		References: referencesOf(namespace, c.Chart),
		Position:   position,
		Timeout:    time.Duration(c.TimeoutSeconds) * time.Second,
		DependsOn:  c.DependsOn,
		Suspended:  c.Suspend != nil && *c.Suspend,
		OnFailure:  cmp.Or(c.OnFailure, v1alpha1.FailureRetry),
		Retries:    DefaultRetries,
		Drift:      c.Drift,
		CRDs:       cmp.Or(c.CRDs, v1alpha1.CRDsSkip),
		Adopt:      c.Adopt != nil && *c.Adopt,
	}
	if c.Retries != nil {
		rel.Retries = int(*c.Retries)
	}
	if rel.Timeout <= 0 {
		rel.Timeout = DefaultTimeout
	}
	return rel
}

// resolve fills in what needs the chart and the values.
func resolve(rel *Release, c chart, charts Charts, references References) error {
	if c.err != nil {
		return c.err
	}
	found, err := charts.Find(refOf(c.Chart))
	if err != nil {
		return err
	}
	rel.Chart = found
	if rel.Values, err = valuesOf(rel.Key.Namespace, c, references); err != nil {
		return err
	}
	rel.Digest, err = DigestOf(found.Digest, rel.Values)
	return err
}

// remembered asks for each chart once: thousands of tenancies have the same.
type remembered struct {
	charts Charts
	found  map[ChartRef]answer
}

type answer struct {
	chart Chart
	err   error
}

// Find is the answer that was given first.
func (r *remembered) Find(ref ChartRef) (Chart, error) {
	a, asked := r.found[ref]
	if !asked {
		a.chart, a.err = r.charts.Find(ref)
		r.found[ref] = a
	}
	return a.chart, a.err
}
