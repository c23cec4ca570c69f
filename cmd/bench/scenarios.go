package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// The scenarios, which the operator alone plays.
const (
	scenarioFlap  = "flap"  // pods flap, in the cluster of the phases
	scenarioHang  = "hang"  // charts hang, in a cluster of its own
	scenarioPlans = "plans" // the charts are in a plan, in a cluster of its own
	scenarioGuard = "guard" // guardrails and ServiceAccounts, in a cluster of its own
)

var allScenarios = []string{scenarioFlap, scenarioHang, scenarioPlans, scenarioGuard}

// chosen reads the names of scenarios.
func (o options) chosen(text string) ([]string, error) {
	out := strings.Fields(text)
	for _, name := range out {
		if !slices.Contains(allScenarios, name) {
			return nil, fmt.Errorf("%q is no scenario; there are %s", name, strings.Join(allScenarios, ", "))
		}
	}
	return out, nil
}

// plays says whether a scenario is to be played.
func (o options) plays(name string) bool {
	if name == scenarioFlap && o.flap <= 0 {
		return false
	}
	return slices.Contains(o.scenarios, name)
}

// playScenarios plays those that have clusters of their own, and notes in the usual
// result, with which they are compared, how they went.
func playScenarios(ctx context.Context, opts options, helm string, usual *result) error {
	tenancies := usual.Workload.Tenancies
	if hanging := hangingOf(opts.hang, tenancies); opts.plays(scenarioHang) && hanging > 0 {
		if err := newContest(opts, helm, operatorName, tenancies).hang(ctx, hanging, usual); err != nil {
			return fmt.Errorf("scenario %s: %w", scenarioHang, err)
		}
	}
	if opts.plays(scenarioPlans) {
		if err := newContest(opts, helm, operatorName, tenancies).plans(ctx, usual); err != nil {
			return fmt.Errorf("scenario %s: %w", scenarioPlans, err)
		}
	}
	if opts.plays(scenarioGuard) {
		if err := newContest(opts, helm, operatorName, tenancies).guarded(ctx, usual); err != nil {
			return fmt.Errorf("scenario %s: %w", scenarioGuard, err)
		}
	}
	return nil
}

// latest is the largest of the times of the tenancies that keep says yes to.
func latest(times []time.Duration, keep func(tenancy int) bool) time.Duration {
	var out time.Duration
	for i, d := range times {
		if keep(i) {
			out = max(out, d)
		}
	}
	return out
}

// specSize is how large a spec is as JSON, in bytes.
func specSize(cr *v1alpha1.Controller) (int, error) {
	text, err := json.Marshal(cr.Spec)
	if err != nil {
		return 0, fmt.Errorf("encode the spec: %w", err)
	}
	return len(text), nil
}
