package tenancy

import (
	"cmp"
	"fmt"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// DefaultTimeout bounds an operation whose spec says nothing.
const DefaultTimeout = 5 * time.Minute

// defaultRetries is that of the CRD, for objects from before it.
const defaultRetries = 5

// Charts finds charts by reference. The error wraps ErrChartPending, ErrSource,
// ErrChartNotFound or ErrChartInvalid.
type Charts interface {
	Find(ref ChartRef) (Chart, error)
}

// FromSpec turns a spec into defaulted, checked and ordered releases. What is
// wrong with a release is in its Err: the others are not touched by it.
func FromSpec(spec v1alpha1.ControllerSpec, charts Charts, references References) []Tenancy {
	tenancies := make([]Tenancy, 0, len(spec.Tenancies))
	for _, t := range spec.Tenancies {
		out := Tenancy{Namespace: t.Namespace, Suspended: spec.Suspend || t.Suspend}
		for i, c := range t.Charts {
			out.Releases = append(out.Releases, release(t.Namespace, i, c, charts, references))
		}
		order(out.Releases)
		tenancies = append(tenancies, out)
	}
	return tenancies
}

func release(namespace string, position int, c v1alpha1.Chart, charts Charts, references References) Release {
	rel := Release{
		Key:        Key{Namespace: namespace, Name: c.ReleaseName},
		Chart:      Chart{Name: c.ChartName, Version: c.Version},
		References: referencesOf(namespace, c),
		Position:   position,
		Timeout:    time.Duration(c.TimeoutSeconds) * time.Second,
		DependsOn:  c.DependsOn,
		Suspended:  c.Suspend,
		OnFailure:  cmp.Or(c.OnFailure, v1alpha1.FailureRetry),
		Retries:    defaultRetries,
		Drift:      c.Drift,
		CRDs:       cmp.Or(c.CRDs, v1alpha1.CRDsSkip),
		Adopt:      c.Adopt,
	}
	if c.Retries != nil {
		rel.Retries = int(*c.Retries)
	}
	if rel.Key.Name == "" {
		rel.Key.Name = namespace
	}
	if rel.Timeout <= 0 {
		rel.Timeout = DefaultTimeout
	}
	rel.Err = resolve(&rel, c, charts, references)
	return rel
}

// resolve fills in what needs the chart and the values.
func resolve(rel *Release, c v1alpha1.Chart, charts Charts, references References) error {
	chart, err := charts.Find(refOf(c))
	if err != nil {
		return fmt.Errorf("release %s: %w", rel.Key, err)
	}
	rel.Chart = chart
	if rel.Values, err = valuesOf(rel.Key.Namespace, c, references); err != nil {
		return fmt.Errorf("release %s: %w", rel.Key, err)
	}
	if rel.Digest, err = DigestOf(chart.Digest, rel.Values); err != nil {
		return fmt.Errorf("release %s: %w", rel.Key, err)
	}
	return nil
}
