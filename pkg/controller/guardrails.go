package controller

import (
	"context"
	"errors"
	"slices"
	"sync"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/guardrail"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Keeper puts guardrails in place.
type Keeper interface {
	Apply(ctx context.Context, want guardrail.Wanted, live guardrail.Live, verdict guardrail.Verdict) error
}

// Guards tells which guardrails are not in place. It compares those of a tenancy anew
// when something about them changed.
type Guards struct {
	keeper Keeper
	watch  Watch

	mu    sync.Mutex
	known map[string]checked
}

// checked is a verdict and what it was found from.
type checked struct {
	controller string
	guardrails *tenancy.Guardrails
	accounts   []string
	change     uint64
	verdict    guardrail.Verdict
	unseen     bool // nobody has looked
}

// NewGuards makes one that looks with watch, and puts in place with keeper.
func NewGuards(keeper Keeper, watch Watch) *Guards {
	return &Guards{keeper: keeper, watch: watch, known: map[string]checked{}}
}

// unknown is the verdict while nobody has looked.
func unknown(namespace string) guardrail.Verdict {
	return guardrail.Verdict{Each: []v1alpha1.GuardrailStatus{{Kind: "Namespace", Name: namespace, Message: "is not known yet"}}}
}

// verdicts tells how the guardrails of each tenancy stand, and as which ServiceAccounts
// its releases were made.
func (g *Guards) verdicts(controller string, want []tenancy.Tenancy, have []tenancy.Observed) map[string]checked {
	accounts := map[string][]string{}
	for _, o := range have {
		if all := accounts[o.Key.Namespace]; o.Controller == controller && o.ServiceAccount != "" && !slices.Contains(all, o.ServiceAccount) {
			accounts[o.Key.Namespace] = append(all, o.ServiceAccount)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	next := make(map[string]checked, len(want))
	for _, t := range want {
		c := checked{controller: controller, guardrails: t.Guardrails, accounts: accounts[t.Namespace], change: g.watch.GuardrailsChange(t.Namespace)}
		slices.Sort(c.accounts)
		if before, ok := g.known[t.Namespace]; ok && c.same(before) {
			c = before
		} else if live, known := g.watch.Guardrails(t.Namespace); known {
			c.verdict = guardrail.Check(guardrail.Of(t, controller), live, c.uses)
		} else if c.unseen = true; t.Guardrails != nil {
			c.verdict = unknown(t.Namespace)
		}
		next[t.Namespace] = c
	}
	g.known = next
	return next
}

func (c checked) same(before checked) bool {
	return !before.unseen && c.controller == before.controller && c.guardrails == before.guardrails && c.change == before.change && slices.Equal(c.accounts, before.accounts)
}

func (c checked) uses(account string) bool { return slices.Contains(c.accounts, account) }

// gaps are the guardrails that are not in place, as plans need them.
func (g *Guards) gaps(controller string, want []tenancy.Tenancy, have []tenancy.Observed) map[string]plan.Gap {
	out := map[string]plan.Gap{}
	for ns, c := range g.verdicts(controller, want, have) {
		if why := c.verdict.Why(); why != "" || c.verdict.Apply {
			out[ns] = plan.Gap{Why: why, Apply: c.verdict.Apply, Accounts: c.accounts}
		}
	}
	return out
}

// status is how each guardrail stands, as statuses show it.
func (g *Guards) status(controller string, want []tenancy.Tenancy, have []tenancy.Observed) map[string][]v1alpha1.GuardrailStatus {
	out := map[string][]v1alpha1.GuardrailStatus{}
	for ns, c := range g.verdicts(controller, want, have) {
		if len(c.verdict.Each) > 0 {
			out[ns] = c.verdict.Each
		}
	}
	return out
}

// errUnseen ends an attempt that began before anybody has looked.
var errUnseen = errors.New("the guardrails of the namespace are not known yet")

// protect makes the namespace of a tenancy, and puts its guardrails in place.
func (s *Schedule) protect(ctx context.Context, controller string, step plan.Step) error {
	if err := s.Namespaces.EnsureNamespace(ctx, step.Key.Namespace); err != nil {
		return err
	}
	return s.Guards.put(ctx, controller, step)
}

// put puts in place what is not, as it is now.
func (g *Guards) put(ctx context.Context, controller string, step plan.Step) error {
	live, known := g.watch.Guardrails(step.Key.Namespace)
	if !known {
		return errUnseen
	}
	want := guardrail.Of(tenancy.Tenancy{Namespace: step.Key.Namespace, Guardrails: step.Guardrails}, controller)
	c := checked{accounts: step.Accounts}
	return g.keeper.Apply(ctx, want, live, guardrail.Check(want, live, c.uses))
}
