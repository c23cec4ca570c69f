package status

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// row is the status of a release with what the tenancy's verdict needs.
type row struct {
	v1alpha1.ReleaseStatus
	degraded bool
	// final: it failed, and is not tried again until a person changes something;
	// spent: because its retries are.
	final, spent bool
	// removal: it would be uninstalled, were removals not held.
	removal bool
}

// desired is the state of a release of the spec.
func (r *rollup) desired(rel tenancy.Release, suspended bool, inv inventory, known bool) row {
	o, exists := r.find(rel.Key)
	out := r.begin(rel.Key, o, inv)
	out.Chart = rel.Chart.Name
	upToDate := exists && o.Meets(rel)
	if upToDate {
		out.Version, out.AppVersion = rel.Chart.Version, rel.Chart.AppVersion
	}
	work := r.Work[rel.Key]
	if rel.Drift != v1alpha1.DriftIgnore {
		out.Drift = work.Drift
	}
	out.Test = test(o.Test, work)
	switch {
	case running(work.Phase):
		out.Phase = work.Phase
		out.Message = tenancy.Line(work.Failure)
	case tenancy.Pending(rel.Err):
		out.Phase, out.Message = v1alpha1.ReleaseWaiting, tenancy.Message(rel.Err)
	case rel.Err != nil:
		out.fail(tenancy.Message(rel.Err))
		out.final = true
	case upToDate:
		out.Phase = v1alpha1.ReleaseDeployed
		out.judge(rel, o, inv, known)
		if known && !o.Verified && r.WasReady[rel.Key] != out.Revision {
			out.hurry(o, rel, r.Now)
		}
	case suspended || rel.Suspended:
		out.Phase, out.Message = v1alpha1.ReleaseHeld, "suspended: the change waits until suspend is false"
	default:
		out.due(work, o.Phase)
	}
	return out
}

// due fills in how a release stands that is to be changed.
func (r *row) due(work Work, phase tenancy.Phase) {
	switch {
	case work.Phase == v1alpha1.ReleaseHeld:
		r.Phase, r.Message, r.degraded = work.Phase, tenancy.Line(work.Reason), true
	case work.GivenUp:
		r.fail(fmt.Sprintf("given up after %d tries; change the spec, or set the annotation %s: %s",
			work.Tries, v1alpha1.AnnotationResetFailures, work.Failure))
		r.final, r.spent = true, true
	case work.Failure != "":
		r.fail(work.Failure)
	case work.Phase == v1alpha1.ReleaseWaiting:
		r.Phase, r.Message = work.Phase, tenancy.Line(work.Reason)
	case phase == tenancy.PhaseFailed:
		r.fail("the last revision failed; it is tried again")
	default:
		r.Phase = v1alpha1.ReleaseQueued
	}
}

// unwanted is the state of a release that is going.
func (r *rollup) unwanted(o tenancy.Observed, inv inventory) row {
	out := r.begin(o.Key, o, inv)
	work := r.Work[o.Key]
	switch {
	case work.Phase == v1alpha1.ReleaseUninstalling:
		out.Phase = work.Phase
	case work.Phase == v1alpha1.ReleaseHeld:
		out.Phase, out.Message, out.degraded, out.removal = work.Phase, tenancy.Line(work.Reason), true, true
	case work.Failure != "":
		out.fail(tenancy.Line(work.Failure))
	default:
		out.Phase, out.Message = v1alpha1.ReleaseQueued, "to be uninstalled: it is no longer in the spec"
	}
	return out
}

// kept is the state of a release of which it is not known whether it is wanted.
func (r *rollup) kept(o tenancy.Observed, inv inventory) row {
	out := r.begin(o.Key, o, inv)
	if out.Phase = r.Work[o.Key].Phase; !running(out.Phase) {
		out.Phase, out.Message, out.degraded = v1alpha1.ReleaseHeld, "kept as it is until the spec of the tenancy is mended", true
	}
	return out
}

func running(p v1alpha1.ReleasePhase) bool {
	switch p {
	case v1alpha1.ReleaseInstalling, v1alpha1.ReleaseUpgrading, v1alpha1.ReleaseRollingBack, v1alpha1.ReleaseUninstalling:
		return true
	}
	return false
}

// begin fills in what does not depend on what is wanted.
func (r *rollup) begin(key tenancy.Key, o tenancy.Observed, inv inventory) row {
	out := row{ReleaseStatus: v1alpha1.ReleaseStatus{
		Name: key.Name, Chart: o.Chart, Version: o.ChartVersion, ChartDigest: o.ChartDigest, Revision: int32(o.Revision),
	}}
	if !o.Since.IsZero() {
		out.LastDeployed = &metav1.Time{Time: o.Since}
	}
	for _, w := range inv.workloads {
		if w.release == key.Name {
			out.Workloads = append(out.Workloads, w.WorkloadStatus)
		}
	}
	for _, p := range inv.pods {
		if p.release == key.Name {
			out.Pods = append(out.Pods, p.PodStatus)
		}
	}
	return out
}

func (r *row) fail(message string) {
	r.Phase, r.Message, r.degraded = v1alpha1.ReleaseFailed, tenancy.Line(message), true
}

// judge says whether a release that is deployed is ready, and if not, why.
func (r *row) judge(rel tenancy.Release, o tenancy.Observed, inv inventory, known bool) {
	if !known {
		r.Message = "its namespace is not watched yet"
		return
	}
	r.Ready = true
	// What the cluster says may quote values.
	say := func(text string) string { return tenancy.Redact(text, rel) }
	seen := map[[2]string]bool{}
	for _, w := range inv.workloads {
		if w.release != r.Name {
			continue
		}
		seen[[2]string{w.Kind, w.Name}] = true
		switch {
		case w.stale(o.Objects):
			r.notReady(fmt.Sprintf("%s %s is being updated", w.Kind, w.Name), false)
		case !w.ready:
			r.notReady(explain(w, inv, say))
		}
	}
	for _, object := range o.Objects {
		if workloadOf(object, o.Key.Namespace) && !seen[[2]string{object.Kind, object.Name}] {
			r.notReady(fmt.Sprintf("%s %s is missing", object.Kind, object.Name), true)
		}
	}
	for _, p := range inv.pods {
		if p.release == r.Name && p.Workload == "" && !p.Ready && p.Phase != "Succeeded" {
			r.notReady(fmt.Sprintf("pod %s is not ready%s", p.Name, p.because(inv.warnings[p.uid], say)), p.faulty)
		}
	}
}

// workloadOf says that an object is a workload in the namespace of its release.
func workloadOf(o tenancy.Object, namespace string) bool {
	if o.Group != appsv1.GroupName || o.Namespace != namespace {
		return false
	}
	switch o.Kind {
	case "Deployment", "StatefulSet", "DaemonSet":
		return true
	}
	return false
}

// stale says that a workload is older here than what the operator wrote last.
func (w workload) stale(written []tenancy.Object) bool {
	for _, o := range written {
		if o.Group == appsv1.GroupName && o.Kind == w.Kind && o.Name == w.Name {
			return w.at < o.At
		}
	}
	return false
}

// hurry tells that a release has not become ready though its time is up.
func (r *row) hurry(o tenancy.Observed, rel tenancy.Release, now time.Time) {
	if r.Ready || now.IsZero() || now.Before(o.Settled.Add(rel.Timeout)) {
		return
	}
	r.degraded = true
	r.Message = tenancy.Line(fmt.Sprintf("%s (more than %s after revision %d)", r.Message, rel.Timeout, o.Revision))
}

// test is the outcome of the last test, or that one runs.
func test(last tenancy.Test, work Work) *v1alpha1.TestStatus {
	switch {
	case work.Testing:
		return &v1alpha1.TestStatus{Phase: v1alpha1.TestRunning}
	case last.Request == "":
		return nil
	}
	out := &v1alpha1.TestStatus{Phase: last.Phase, Revision: int32(last.Revision), Message: tenancy.Line(last.Message)}
	if !last.Finished.IsZero() {
		out.Finished = &metav1.Time{Time: last.Finished}
	}
	return out
}

// notReady takes the first reason that is told, or the first that is a fault.
func (r *row) notReady(message string, degraded bool) {
	if r.Ready || degraded && !r.degraded {
		r.Message, r.degraded = message, degraded
	}
	r.Ready = false
}

// explain says why a workload is not ready, with the pod that is to blame: the first
// that is faulty, or else the first that is not ready.
func explain(w workload, inv inventory, say func(string) string) (message string, degraded bool) {
	message = fmt.Sprintf("%s %s has %d of %d pods ready", w.Kind, w.Name, min(w.Ready, w.Available), w.Desired)
	var young *pod
	made := int32(0)
	for i := range inv.pods {
		p := &inv.pods[i]
		if p.release != w.release || p.Workload != w.Name {
			continue
		}
		made++
		if p.faulty {
			return message + "; pod " + p.Name + p.because(inv.warnings[p.uid], say), true
		}
		if young == nil && !p.Ready && p.Reason != "Terminating" {
			young = p
		}
	}
	refused := w.refused
	if refused == "" && made < w.Desired {
		refused = inv.warnings[w.uid] // a StatefulSet or DaemonSet has no condition for it
	}
	if refused != "" {
		return tenancy.Line(message + "; " + say(refused)), true
	}
	if w.Updated < w.Desired && w.Ready >= w.Desired {
		return fmt.Sprintf("%s %s has %d of %d pods updated", w.Kind, w.Name, w.Updated, w.Desired), w.settled
	}
	if young != nil {
		if why := young.because(inv.warnings[young.uid], say); why != "" {
			message += "; pod " + young.Name + why
		}
	}
	return message, w.settled
}
