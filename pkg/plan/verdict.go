package plan

import (
	"fmt"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// mend is what a person can do about a release that is held.
const mend = "; change the spec, or set the annotation " + v1alpha1.AnnotationResetFailures + " to try again"

// verdict is the whole table for a release that is wanted.
func (f Facts) verdict(want tenancy.Release, have tenancy.Observed, exists bool) (Action, string) {
	switch {
	case want.Err != nil:
		return None, "the spec of the release must be mended first"
	case !exists:
		return Install, "not installed"
	case have.Controller != f.Controller && !want.Adopt:
		return Hold, "a release of this name exists and " + tenancy.ErrNotOwned.Error() +
			"; uninstall it, choose another releaseName, or take it over with adopt: true"
	case have.Phase.Locked():
		return stuck(want, have)
	case have.Phase == tenancy.PhaseUninstalled:
		return Install, "uninstalled"
	case have.Controller != f.Controller:
		return Upgrade, "adopted"
	case have.ByHand:
		return Upgrade, "somebody else made the last revision"
	case turnedBack(want, have) || have.Phase == tenancy.PhaseFailed && have.Digest == want.Digest:
		return f.failed(want, have)
	case have.Phase == tenancy.PhaseFailed:
		return Upgrade, "the last revision failed"
	case have.Digest != want.Digest:
		return Upgrade, "chart or values changed"
	case have.Phase != tenancy.PhaseDeployed:
		return Upgrade, "no revision is deployed"
	}
	return f.settled(want, have)
}

// stuck is the verdict on a release that an operation holds, or died holding.
func stuck(want tenancy.Release, have tenancy.Observed) (Action, string) {
	switch {
	case !have.Interrupted:
		return Wait, "another Helm operation holds the release"
	case have.Phase == tenancy.PhaseUninstalling:
		return Uninstall, "an uninstall was interrupted"
	case turnedBack(want, have) && have.Good > 0:
		return Rollback, "the rollback was interrupted"
	}
	return Recover, "the last operation was interrupted"
}

// turnedBack says that what is wanted was tried, failed, and was rolled back.
func turnedBack(want tenancy.Release, have tenancy.Observed) bool {
	return have.FailedDigest == want.Digest && have.Digest != want.Digest
}

// failed is the verdict on a release that is wanted as it failed.
func (f Facts) failed(want tenancy.Release, have tenancy.Observed) (Action, string) {
	back := turnedBack(want, have)
	switch {
	case f.Reset[want.Key]:
		return Upgrade, "asked to try again"
	case f.Passing[want.Key] && !back:
		return Upgrade, "the last revision failed while the API server was away"
	case back && have.Phase == tenancy.PhaseFailed && have.Good > 0:
		return Rollback, "the rollback failed"
	case back:
		return Hold, "rolled back: " + have.Cause + mend
	case want.OnFailure == v1alpha1.FailureRollback && have.Good > 0:
		return Rollback, because(f.Failures[want.Key], have)
	case want.OnFailure != v1alpha1.FailureRetry && want.OnFailure != "":
		return Hold, because(f.Failures[want.Key], have) + mend
	}
	return Upgrade, "the last revision failed"
}

func because(failure string, have tenancy.Observed) string {
	if failure == "" {
		return fmt.Sprintf("revision %d failed", have.Revision)
	}
	return failure
}

// settled is the verdict on a release that is deployed as it is wanted.
func (f Facts) settled(want tenancy.Release, have tenancy.Observed) (Action, string) {
	late, isLate := f.Late[want.Key]
	probation := want.OnFailure == v1alpha1.FailureRollback && !have.Verified && have.FailedDigest == ""
	switch {
	case probation && isLate && have.Good > 0:
		return Rollback, late
	case probation && f.Ready[want.Key]:
		return Verify, "ready"
	case f.Tests != nil && f.Tests(want.Key) != "" && f.Tests(want.Key) != have.Test.Request:
		return Test, "asked for"
	}
	return None, "up to date"
}

// mended is the verdict on a release that is not changed: what it runs is kept as
// its revision has it, also while what is wanted cannot be had.
func (f Facts) mended(action Action, reason string, want tenancy.Release, have tenancy.Observed) (Action, string) {
	mine := have.Controller == f.Controller && have.Phase == tenancy.PhaseDeployed && !have.ByHand
	if mine && len(f.Touched[want.Key]) > 0 && want.Drift != v1alpha1.DriftIgnore {
		return Correct, "somebody else touched objects of the release"
	}
	return action, reason
}

// gate makes an install or upgrade wait for what the release depends on.
func (f Facts) gate(action Action, reason string, rel tenancy.Release) (Action, string) {
	if action != Install && action != Upgrade && action != Recover {
		return action, reason
	}
	for _, name := range rel.DependsOn {
		if !f.Ready[tenancy.Key{Namespace: rel.Key.Namespace, Name: name}] {
			return Wait, fmt.Sprintf("waits until release %s is ready", name)
		}
	}
	return action, reason
}
