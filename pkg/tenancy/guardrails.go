package tenancy

import (
	"reflect"
	"slices"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// Guardrails are those of a tenancy, wherever in the spec they are written.
type Guardrails struct {
	v1alpha1.Guardrails
	// AllowTo are the namespaces of other tenancies that let this one's pods connect, in
	// order.
	AllowTo []string
}

// GuardrailsKey stands for the guardrails of a tenancy where releases have their keys: it
// is the name of none.
func GuardrailsKey(namespace string) Key { return Key{Namespace: namespace, Name: "(guardrails)"} }

// bounds gives each tenancy of a spec its guardrails.
type bounds struct {
	spec  *v1alpha1.Guardrails
	plans map[string]*v1alpha1.Guardrails
	// allowTo are the namespaces that let a namespace connect.
	allowTo map[string][]string
}

func boundsOf(spec v1alpha1.ControllerSpec) bounds {
	b := bounds{spec: spec.Guardrails, plans: map[string]*v1alpha1.Guardrails{}, allowTo: map[string][]string{}}
	for _, p := range spec.Plans {
		b.plans[p.Name] = p.Guardrails
	}
	for _, t := range spec.Tenancies {
		if g := b.merged(t); g != nil && g.NetworkPolicy != nil {
			for _, from := range g.NetworkPolicy.AllowFrom {
				b.allowTo[from] = append(b.allowTo[from], t.Namespace)
			}
		}
	}
	for _, to := range b.allowTo {
		slices.Sort(to)
	}
	return b
}

// merged are the guardrails of a tenancy: each one from where it is said most closely.
// It is nil when there is none.
func (b bounds) merged(t v1alpha1.TenancySpec) *v1alpha1.Guardrails {
	var out *v1alpha1.Guardrails
	for _, over := range []*v1alpha1.Guardrails{b.spec, b.plans[t.Plan], t.Guardrails} {
		switch {
		case over == nil:
		case out == nil:
			out = over
		default:
			out = lay(*out, *over)
		}
	}
	return out
}

// lay puts the guardrails that are set in place of others.
func lay(under, over v1alpha1.Guardrails) *v1alpha1.Guardrails {
	to, from := reflect.ValueOf(&under).Elem(), reflect.ValueOf(over)
	for i := range from.NumField() {
		if !from.Field(i).IsNil() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return &under
}

// of is what bounds a tenancy; nil for nothing. It is what it was before when that is
// the same.
func (b bounds) of(t v1alpha1.TenancySpec, before *Guardrails) *Guardrails {
	merged := b.merged(t)
	if merged == nil {
		return nil
	}
	now := &Guardrails{Guardrails: *merged, AllowTo: b.allowTo[t.Namespace]}
	if before != nil && reflect.DeepEqual(now, before) {
		return before
	}
	return now
}

// account names the ServiceAccount that the guardrails make; empty for none.
func (g *Guardrails) account() string {
	if g == nil || g.ServiceAccount == nil {
		return ""
	}
	return g.ServiceAccount.Name
}

// closes says that a chart may not have NetworkPolicies.
func (g *Guardrails) closes() bool {
	return g != nil && g.NetworkPolicy != nil && !g.NetworkPolicy.AllowCharts
}
