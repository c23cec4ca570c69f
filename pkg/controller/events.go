package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/plan"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// The reasons of events beside those of operations.
const (
	reasonSurplus        = "NotActive"
	reasonDriftCorrected = "DriftCorrected"
	reasonDriftDetected  = "DriftDetected"
)

// reasons are those of events about operations that went well, and that did not.
var reasons = map[plan.Action]struct{ done, failed string }{
	plan.Protect:   {"GuardrailsApplied", "GuardrailsFailed"},
	plan.Install:   {"Installed", "InstallFailed"},
	plan.Upgrade:   {"Upgraded", "UpgradeFailed"},
	plan.Recover:   {"Recovered", "RecoverFailed"},
	plan.Rollback:  {"RolledBack", "RollbackFailed"},
	plan.Correct:   {reasonDriftCorrected, "CorrectFailed"},
	plan.Verify:    {"Verified", "VerifyFailed"},
	plan.Test:      {"Tested", "TestFailed"},
	plan.Uninstall: {"Uninstalled", "UninstallFailed"},
}

// tell says how an operation ended: in the log, and in an event on the Controller and
// one on the Tenancy, in the namespace of the release.
func (s *Schedule) tell(ctx context.Context, cr *v1alpha1.Controller, step plan.Step, applied tenancy.Applied, err error) {
	logger := ctrl.Log.WithName("schedule").WithValues("release", step.Key.String(), "action", string(step.Action))
	kind, reason, note := outcomeOf(step, applied, err)
	switch {
	case err != nil:
		logger.Error(err, "operation failed")
	case note == "":
		logger.V(1).Info("operation done", "reason", step.Reason)
		return
	default:
		logger.Info("operation done", "revision", applied.Revision, "reason", step.Reason)
	}
	s.Recorder.Eventf(s.place(ctx, cr, step.Key), nil, kind, reason, string(step.Action), "%s", note)
	s.Recorder.Eventf(cr, nil, kind, reason, string(step.Action), "%s", note)
}

// place names a release in the status of its Tenancy, which may not be made yet.
func (s *Schedule) place(ctx context.Context, cr *v1alpha1.Controller, key tenancy.Key) *corev1.ObjectReference {
	var t v1alpha1.Tenancy
	if err := s.Client.Get(ctx, client.ObjectKey{Namespace: key.Namespace, Name: cr.Name}, &t); err != nil {
		t.UID = "" // an event without it is found by its namespace
	}
	field := fmt.Sprintf("status.releases{%s}", key.Name)
	if key == tenancy.GuardrailsKey(key.Namespace) {
		field = "status.guardrails"
	}
	return &corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "Tenancy", Namespace: key.Namespace, Name: cr.Name, UID: t.UID,
		FieldPath: field,
	}
}

// outcomeOf is the event about a step that ended; without a note there is none.
func outcomeOf(step plan.Step, applied tenancy.Applied, err error) (kind, reason, note string) {
	names := reasons[step.Action]
	if err != nil {
		return corev1.EventTypeWarning, names.failed, tenancy.Message(err)
	}
	switch step.Action {
	case plan.Protect:
		return corev1.EventTypeNormal, names.done, tenancy.Line(fmt.Sprintf("guardrails of tenancy %s are put in place: %s", step.Key.Namespace, step.Reason))
	case plan.Correct:
		return drifted(step, applied)
	case plan.Verify:
		return "", "", ""
	case plan.Test:
		if applied.Test.Phase == v1alpha1.TestFailed {
			return corev1.EventTypeWarning, names.failed, applied.Test.Message
		}
		return corev1.EventTypeNormal, names.done, fmt.Sprintf("the tests of release %s succeeded in revision %d", step.Key, applied.Test.Revision)
	case plan.Uninstall:
		return corev1.EventTypeNormal, names.done, fmt.Sprintf("release %s is uninstalled: %s", step.Key, step.Reason)
	case plan.Rollback:
		return corev1.EventTypeWarning, names.done, tenancy.Line(fmt.Sprintf(
			"release %s has revision %d, which is like revision %d: %s", step.Key, applied.Revision, step.To, step.Reason))
	}
	return corev1.EventTypeNormal, names.done, fmt.Sprintf("release %s has revision %d of chart %s %s: %s",
		step.Key, applied.Revision, step.Release.Chart.Name, step.Release.Chart.Version, step.Reason)
}

// drifted is the event about what a check found.
func drifted(step plan.Step, applied tenancy.Applied) (kind, reason, note string) {
	kind, reason = corev1.EventTypeNormal, reasonDriftCorrected
	var lines []string
	for _, d := range applied.Drifts {
		lines = append(lines, d.String())
		if !d.Corrected {
			kind, reason = corev1.EventTypeWarning, reasonDriftDetected
		}
	}
	if len(lines) == 0 {
		return "", "", ""
	}
	return kind, reason, tenancy.Line(fmt.Sprintf("release %s: %s", step.Key, strings.Join(lines, "; ")))
}

// corrected says that a check put something back.
func corrected(applied tenancy.Applied) bool {
	return slices.ContainsFunc(applied.Drifts, func(d tenancy.Drift) bool { return d.Corrected })
}
