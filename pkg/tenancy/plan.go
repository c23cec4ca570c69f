package tenancy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// blueprint is a plan of the spec, read once for all tenancies that name it.
type blueprint struct {
	name   string
	charts []planned
	// asks are the parameters that the plan asks for, with where it does so first.
	asks map[string]string
	// err says what makes the plan of no use.
	err error
}

// planned is a chart of a plan.
type planned struct {
	chart v1alpha1.Chart
	// open says that its options have parameters in them.
	open  bool
	layer *layer
	// err is what is wrong with its values, for its releases alone.
	err error
}

// blueprintsOf reads the plans of a spec, by name.
func blueprintsOf(plans []v1alpha1.Plan) map[string]*blueprint {
	out := make(map[string]*blueprint, len(plans))
	for _, p := range plans {
		b := &blueprint{name: p.Name, asks: map[string]string{}}
		for _, c := range p.Charts {
			b.add(v1alpha1.Chart(c))
		}
		out[p.Name] = b
	}
	return out
}

func (b *blueprint) add(c v1alpha1.Chart) {
	out := planned{chart: c}
	read := func(where, text string) (any, error) {
		t, err := parseTemplate(text)
		if err != nil {
			return nil, fmt.Errorf("%w (%s of chart %s in plan %s)", err, where, c.ChartName, b.name)
		}
		if len(t.names) == 0 {
			return t.literals[0], nil
		}
		for _, name := range t.names {
			place := fmt.Sprintf("%s of chart %s", where, c.ChartName)
			if had, asked := b.asks[name]; !asked || place < had {
				b.asks[name] = place
			}
		}
		return t, nil
	}
	for _, o := range optionsOf(&c) {
		value, err := read(o.name, *o.text)
		if err != nil {
			b.err = cmp.Or(b.err, err)
			continue
		}
		out.open = out.open || value != *o.text
	}
	out.layer, out.err = readLayer(c.Values, c.Settings, read)
	if errors.Is(out.err, ErrPlan) {
		b.err = cmp.Or(b.err, out.err)
	}
	out.chart.Values, out.chart.Settings = nil, nil
	b.charts = append(b.charts, out)
}

// usable says why a tenancy cannot use the plan; nil when it can.
func (b *blueprint) usable(p parameters) error {
	if b.err != nil {
		return b.err
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(b.asks)) {
		if _, has := p.lookup(name); !has {
			missing = append(missing, fmt.Sprintf("%q (%s)", name, b.asks[name]))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: plan %s asks for what params does not have: %s; add it to the params of the tenancy, or write $$( in the plan for a literal $(",
		ErrPlan, b.name, strings.Join(missing, ", "))
}

// chart is a chart of a tenancy: its options, and in Values and Settings what the
// tenancy itself sets.
type chart struct {
	v1alpha1.Chart
	// plan is what the plan sets below that; nil without a plan.
	plan       *layer
	parameters parameters
	err        error
}

// expand lists the charts of a tenancy: its plan's in the plan's order, its own laid
// over them by release name, and then those that are its own alone. The error says why
// they are not known for certain; the charts are then those that can be told.
func expand(t v1alpha1.TenancySpec, plans map[string]*blueprint) ([]chart, error) {
	e := expansion{namespace: t.Namespace, plan: t.Plan, index: map[string]int{}}
	if b := plans[t.Plan]; b != nil {
		e.add(b, parameters{namespace: t.Namespace, own: t.Params})
	} else if t.Plan != "" {
		e.fail(fmt.Errorf("%w: plan %q is not in spec.plans; add it, or name one of them", ErrPlan, t.Plan))
	}
	for _, c := range t.Charts {
		e.lay(c)
	}
	return e.charts, e.err
}

// Names tells which releases a spec asks for, each with the name of its chart. Of a
// tenancy whose plan cannot be used it tells what can be told.
func Names(spec v1alpha1.ControllerSpec) map[Key]string {
	plans := blueprintsOf(spec.Plans)
	out := make(map[Key]string, len(spec.Tenancies))
	for _, t := range spec.Tenancies {
		all, _ := expand(t, plans) // FromSpec tells what is wrong
		for _, c := range all {
			out[Key{Namespace: t.Namespace, Name: c.ReleaseName}] = c.ChartName
		}
	}
	return out
}

type expansion struct {
	namespace string
	plan      string
	charts    []chart
	index     map[string]int
	err       error
}

func (e *expansion) fail(err error) { e.err = cmp.Or(e.err, err) }

// add adds the charts of a plan.
func (e *expansion) add(b *blueprint, p parameters) {
	if err := b.usable(p); err != nil {
		e.fail(err)
	}
	for _, planned := range b.charts {
		c := planned.chart
		if planned.open {
			var err error
			if c, err = fillOptions(c, p); err != nil {
				e.fail(fmt.Errorf("%w (plan %s)", err, b.name))
				continue
			}
		}
		c.ReleaseName = cmp.Or(c.ReleaseName, e.namespace)
		if err := checkRelease(c.ReleaseName); err != nil {
			e.fail(fmt.Errorf("%w: %w (plan %s)", ErrPlan, err, b.name))
			continue
		}
		if _, twice := e.index[c.ReleaseName]; twice {
			e.fail(fmt.Errorf("%w: plan %s has two charts for release %s; a chart without releaseName uses the namespace", ErrPlan, b.name, c.ReleaseName))
			continue
		}
		e.index[c.ReleaseName] = len(e.charts)
		e.charts = append(e.charts, chart{Chart: c, plan: planned.layer, parameters: p, err: planned.err})
	}
}

// lay adds a chart of the tenancy's own, over the plan's where that has its release name.
func (e *expansion) lay(own v1alpha1.Chart) {
	own.ReleaseName = cmp.Or(own.ReleaseName, e.namespace)
	i, has := e.index[own.ReleaseName]
	switch {
	case !has && own.ChartName == "":
		e.fail(fmt.Errorf("%w: release %s has no chartName, and %s", ErrPlan, own.ReleaseName, e.nobody()))
	case !has:
		e.charts = append(e.charts, chart{Chart: own})
	case own.ChartName != "" && own.ChartName != e.charts[i].ChartName:
		e.fail(fmt.Errorf("%w: release %s has chart %s in plan %s and chart %s in the tenancy; leave chartName out to change the plan's, or set another releaseName",
			ErrPlan, own.ReleaseName, e.charts[i].ChartName, e.plan, own.ChartName))
	default:
		e.charts[i].Chart = overlay(e.charts[i].Chart, own)
	}
}

func (e *expansion) nobody() string {
	if e.plan == "" {
		return "the tenancy has no plan to take it from"
	}
	return fmt.Sprintf("plan %s has no release of that name; mend releaseName, or add chartName", e.plan)
}

// overlay is a chart of a plan with the options that the tenancy sets.
func overlay(plan, own v1alpha1.Chart) v1alpha1.Chart {
	out := v1alpha1.Chart{
		ChartName:      plan.ChartName,
		ReleaseName:    plan.ReleaseName,
		Repository:     cmp.Or(own.Repository, plan.Repository),
		Version:        cmp.Or(own.Version, plan.Version),
		Values:         own.Values,
		Settings:       own.Settings,
		ValuesFrom:     plan.ValuesFrom,
		DependsOn:      plan.DependsOn,
		TimeoutSeconds: cmp.Or(own.TimeoutSeconds, plan.TimeoutSeconds),
		OnFailure:      cmp.Or(own.OnFailure, plan.OnFailure),
		Retries:        cmp.Or(own.Retries, plan.Retries),
		Drift:          cmp.Or(own.Drift, plan.Drift),
		CRDs:           cmp.Or(own.CRDs, plan.CRDs),
		Adopt:          cmp.Or(own.Adopt, plan.Adopt),
		Suspend:        cmp.Or(own.Suspend, plan.Suspend),
	}
	// An empty list takes the plan's away.
	if own.ValuesFrom != nil {
		out.ValuesFrom = own.ValuesFrom
	}
	if own.DependsOn != nil {
		out.DependsOn = own.DependsOn
	}
	return out
}
