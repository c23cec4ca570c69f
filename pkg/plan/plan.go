// Package plan lists the steps that turn the observed releases into the
// desired ones. It does no I/O and knows neither Helm nor Kubernetes.
package plan

import (
	"cmp"
	"slices"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Step is one verdict: what shall be done to a release, and why.
type Step struct {
	Action Action
	Key    tenancy.Key
	Reason string
	// Begun says that an uninstall was begun before and is to go on.
	Begun bool
	// Revision is the latest one there was when the step was made; 0 for none.
	Revision int
	// Release is what to install or upgrade to; zero for an uninstall.
	Release tenancy.Release
	// To is the revision to roll back to.
	To int
	// Suspects are the objects to look at, and Request is what asked for a test.
	Suspects []tenancy.Object
	Request  string
	// Held says why the release is held beside what the step does; empty when it is not.
	Held string
	// Guardrails are what to put in place; nil for none. Accounts are the ServiceAccounts
	// as which releases were made that are still there.
	Guardrails *tenancy.Guardrails
	Accounts   []string
}

// Facts is everything a plan is made of.
type Facts struct {
	// Controller is the name of the one that plans.
	Controller string
	Desired    []tenancy.Tenancy
	Observed   []tenancy.Observed
	// Ready are the releases that others may build on.
	Ready map[tenancy.Key]bool
	// Late are those that are not ready though their time is up, with why.
	Late map[tenancy.Key]string
	// Failures are how operations failed, as far as that is remembered; Passing those
	// that were no fault of the release's, and Waiting those that are not tried now.
	Failures map[tenancy.Key]string
	Passing  map[tenancy.Key]bool
	Waiting  map[tenancy.Key]bool
	// Reset are those whose failures a person wants forgotten.
	Reset map[tenancy.Key]bool
	// Touched are objects that do not look as the operator left them.
	Touched map[tenancy.Key][]tenancy.Object
	// Gaps are the namespaces whose guardrails are not in place.
	Gaps map[string]Gap
	// Tests tells what asks for a test of a release; empty for nothing.
	Tests func(tenancy.Key) string
}

// Gap says that guardrails of a tenancy are not in place.
type Gap struct {
	// Why says which; empty when there are only more than are wanted.
	Why string
	// Apply says that something is to be done about it, beside waiting.
	Apply bool
	// Accounts are the ServiceAccounts as which releases were made that are still there.
	Accounts []string
}

// Make decides about every release that is desired by the Controller or observed
// with its label. The steps of a namespace are in the order they must run in: its
// guardrails, without which nothing is made there, then uninstalls, last in the tenancy
// first out, then by position. A release that needs nothing has no step. Of a tenancy
// that cannot be read nothing is
// uninstalled: what it wants is not known.
func Make(f Facts) []Step {
	have := make(map[tenancy.Key]tenancy.Observed, len(f.Observed))
	for _, o := range f.Observed {
		have[o.Key] = o
	}
	var protects, uninstalls, changes []Step
	wanted := make(map[tenancy.Key]bool, len(f.Observed))
	kept := map[string]bool{} // the namespaces nothing is uninstalled from
	for _, t := range f.Desired {
		kept[t.Namespace] = t.Suspended || t.Err != nil
		gap := f.Gaps[t.Namespace]
		if gap.Apply && !t.Suspended {
			protects = append(protects, protect(t, gap))
		}
		for _, rel := range byPosition(t.Releases) {
			wanted[rel.Key] = true
			o, exists := have[rel.Key]
			step := gap.hold(f.decide(rel, o, exists))
			switch {
			case step.Action == None || t.Suspended || rel.Suspended:
			case step.Action == Uninstall:
				uninstalls = append(uninstalls, step)
			default:
				changes = append(changes, step)
			}
		}
	}
	for _, o := range unwanted(f.Controller, f.Observed, wanted) {
		if !kept[o.Key.Namespace] {
			uninstalls = append(uninstalls, remove(o))
		}
	}
	return slices.Concat(protects, uninstalls, changes)
}

// protect is the step that puts the guardrails of a tenancy in place.
func protect(t tenancy.Tenancy, g Gap) Step {
	reason := g.Why
	if reason == "" {
		reason = "some are not asked for any more"
	}
	return Step{
		Action: Protect, Key: tenancy.GuardrailsKey(t.Namespace), Reason: reason,
		Guardrails: t.Guardrails, Accounts: g.Accounts,
	}
}

// hold makes a step wait that makes objects where guardrails are missing.
func (g Gap) hold(step Step) Step {
	if g.Why == "" || !step.Action.makes() {
		return step
	}
	step.Action, step.Reason = Wait, "waits until the guardrails of the tenancy are in place: "+g.Why
	return step
}

// decide is the step for a release that is wanted.
func (f Facts) decide(rel tenancy.Release, o tenancy.Observed, exists bool) Step {
	action, reason := f.verdict(rel, o, exists)
	action, reason = f.gate(action, reason, rel)
	held := ""
	if !action.Changes() || f.Waiting[rel.Key] {
		was, why := action, reason
		action, reason = f.mended(was, why, rel, o)
		if was == Hold && action != Hold {
			held = why
		}
	}
	if action == Uninstall {
		return Step{Action: action, Key: rel.Key, Release: leaving(o), Reason: reason, Begun: true, Revision: o.Revision}
	}
	step := f.step(action, reason, rel, o)
	step.Held = held
	return step
}

// remove is the step for a release that nobody wants any more.
func remove(o tenancy.Observed) Step {
	if o.Phase == tenancy.PhaseUninstalling && !o.Interrupted {
		return Step{Action: Wait, Key: o.Key, Reason: "somebody else uninstalls the release", Revision: o.Revision}
	}
	return Step{
		Action: Uninstall, Key: o.Key, Release: leaving(o), Reason: "no longer in the spec",
		Begun: o.Phase == tenancy.PhaseUninstalling, Revision: o.Revision,
	}
}

// leaving is a release that nobody wants any more, as far as its record tells it.
func leaving(o tenancy.Observed) tenancy.Release {
	return tenancy.Release{Key: o.Key, Timeout: tenancy.DefaultTimeout, ServiceAccount: o.ServiceAccount}
}

// step is a verdict with what its action needs.
func (f Facts) step(action Action, reason string, rel tenancy.Release, o tenancy.Observed) Step {
	rel.Revision, rel.Test = o.Revision, o.Test
	if action.Changes() {
		rel.Revision++
	}
	step := Step{Action: action, Key: rel.Key, Reason: reason, Revision: o.Revision, Release: rel}
	switch action {
	case Rollback:
		step.To = o.Good
		if o.Cause != "" && o.FailedDigest == rel.Digest {
			step.Reason = o.Cause // of the rollback that did not come to its end
		}
	case Correct:
		step.Suspects = f.Touched[rel.Key]
	case Test:
		step.Request = f.Tests(rel.Key)
	}
	return step
}

func byPosition(releases []tenancy.Release) []tenancy.Release {
	return slices.SortedStableFunc(slices.Values(releases), func(a, b tenancy.Release) int {
		return cmp.Compare(a.Position, b.Position)
	})
}

// unwanted lists the releases of the Controller that nobody wants any more, in
// the order they go: by namespace, last position first.
func unwanted(controller string, observed []tenancy.Observed, wanted map[tenancy.Key]bool) []tenancy.Observed {
	var out []tenancy.Observed
	for _, o := range observed {
		if o.Controller == controller && !wanted[o.Key] {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b tenancy.Observed) int {
		return cmp.Or(
			cmp.Compare(a.Key.Namespace, b.Key.Namespace),
			cmp.Compare(b.Position, a.Position),
			cmp.Compare(b.Key.Name, a.Key.Name),
		)
	})
	return out
}
