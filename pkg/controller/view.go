package controller

import (
	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// View is what is under way with each release.
func (l *Ledger) View(lanes map[string]queue.Lane) map[tenancy.Key]status.Work {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[tenancy.Key]status.Work, len(l.entries))
	for key, e := range l.entries {
		work := status.Work{
			Failure: e.tries.failure, GivenUp: e.tries.spent(), Tries: e.tries.failures,
			Drift: e.checks.drift, Testing: e.running == plan.Test || e.next == plan.Test,
		}
		switch {
		case e.running.Changes():
			work.Phase = phase(e.running)
		case e.held.Action == plan.Hold:
			work.Phase, work.Reason = v1alpha1.ReleaseHeld, e.held.Reason
		case e.held.Action == plan.Wait:
			work.Phase, work.Reason = v1alpha1.ReleaseWaiting, e.held.Reason
		}
		out[key] = work
	}
	for lane, l := range lanes {
		for _, w := range l.Waiting {
			key := tenancy.Key{Namespace: lane, Name: w.ID}
			work := out[key]
			if work.Phase == "" {
				work.Phase = v1alpha1.ReleaseQueued
			}
			out[key] = work
		}
	}
	return out
}

func phase(a plan.Action) v1alpha1.ReleasePhase {
	switch a {
	case plan.Install:
		return v1alpha1.ReleaseInstalling
	case plan.Rollback:
		return v1alpha1.ReleaseRollingBack
	case plan.Uninstall:
		return v1alpha1.ReleaseUninstalling
	}
	return v1alpha1.ReleaseUpgrading
}
