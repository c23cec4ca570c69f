package controller

import (
	"context"
	"errors"
	"testing"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/guardrail"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// fenced is a Watch of one namespace's guardrails, which counts how often it is asked.
type fenced struct {
	Watch
	live   guardrail.Live
	known  bool
	change uint64
	asked  int
}

func (f *fenced) Guardrails(string) (guardrail.Live, bool) {
	f.asked++
	return f.live, f.known
}
func (f *fenced) GuardrailsChange(string) uint64 { return f.change }

// put notes what is applied.
type put struct{ verdicts []guardrail.Verdict }

func (p *put) Apply(_ context.Context, _ guardrail.Wanted, _ guardrail.Live, v guardrail.Verdict) error {
	p.verdicts = append(p.verdicts, v)
	return nil
}

func TestGuards(t *testing.T) {
	rails := &tenancy.Guardrails{Guardrails: v1alpha1.Guardrails{Labels: map[string]string{"team": "x"}}}
	want := []tenancy.Tenancy{{Namespace: "a", Guardrails: rails}, {Namespace: "plain"}}
	watch := &fenced{}
	keeper := &put{}
	g := NewGuards(keeper, watch)
	gaps := func() map[string]plan.Gap { return g.gaps("one", want, nil) }

	// While nobody has looked, what has guardrails waits, and nothing is put in place.
	if got := gaps(); len(got) != 1 || got["a"].Why == "" || got["a"].Apply {
		t.Errorf("gaps() = %+v, want the tenancy to wait", got)
	}
	watch.known = true
	if got := gaps(); len(got) != 1 || !got["a"].Apply {
		t.Errorf("gaps() = %+v, want that they are missing", got)
	}
	asked := watch.asked
	if gaps(); watch.asked != asked {
		t.Error("what is known is looked at again")
	}
	wanted := guardrail.Of(want[0], "one")
	watch.live, watch.change = guardrail.Live{Labels: wanted.Labels, Annotations: wanted.Annotations}, 1
	if got := g.status("one", want, nil); len(got["a"]) != 1 || !got["a"][0].Ready || len(got["plain"]) != 1 {
		t.Errorf("status() = %+v, want it ready, and what is left of another tenancy's", got)
	}

	s := &Schedule{Guards: g, Namespaces: &makes{}}
	step := plan.Step{Action: plan.Protect, Key: tenancy.GuardrailsKey("a"), Guardrails: rails}
	if err := s.protect(t.Context(), "one", step); err != nil || len(keeper.verdicts) != 1 {
		t.Errorf("protect() = %v, %d applied", err, len(keeper.verdicts))
	}
	watch.known = false
	if err := s.protect(t.Context(), "one", step); !errors.Is(err, errUnseen) {
		t.Errorf("protect() = %v before anybody has looked", err)
	}
}

// makes is what makes namespaces.
type makes struct{}

func (makes) EnsureNamespace(context.Context, string) error { return nil }

// TestProtectPace: somebody who changes guardrails again and again is not answered more
// than once a second, and a failure is tried again later each time.
func TestProtectPace(t *testing.T) {
	l, now := NewLedger(func() {}), time.Now()
	step := plan.Step{Action: plan.Protect, Key: tenancy.GuardrailsKey("a")}
	end := func(err error) {
		if !l.Begin(step, now) {
			t.Fatal("it is not begun")
		}
		l.End("one", step, tenancy.Applied{}, err, now)
	}
	end(nil)
	if wait, given := l.Due(step, now.Add(protectPace/4)); given || wait != protectPace*3/4 {
		t.Errorf("Due() = %s, %v, want the rest of a second", wait, given)
	}
	now = now.Add(protectPace)
	if wait, _ := l.Due(step, now); wait != 0 {
		t.Errorf("Due() = %s after a second", wait)
	}
	end(errors.New("no"))
	if wait, _ := l.Due(step, now); wait < firstRetry {
		t.Errorf("Due() = %s after a failure", wait)
	}
	if got := l.View(nil)[step.Key].Failure; got != "no" {
		t.Errorf("the failure is told as %q", got)
	}
	step.Guardrails = &tenancy.Guardrails{}
	if wait, _ := l.Due(step, now); wait != 0 {
		t.Errorf("Due() = %s when the spec is another", wait)
	}
}
