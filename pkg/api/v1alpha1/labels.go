package v1alpha1

// The labels the operator puts on Helm's release Secrets.
const (
	// LabelController names the Controller that owns the release.
	LabelController = "multitenancy.dev/controller"
	// LabelDigest is the digest of the chart and the values the revision was made from.
	LabelDigest = "multitenancy.dev/digest"
	// LabelChart and LabelChartVersion tell which chart the revision was made from.
	LabelChart        = "multitenancy.dev/chart"
	LabelChartVersion = "multitenancy.dev/chart-version"
	// LabelRevision is the revision the labels were made for. Helm copies labels to
	// the next revision, also when a person upgrades or rolls back by hand; then
	// the two differ.
	LabelRevision = "multitenancy.dev/revision"
	// LabelPosition is the place of the release in its tenancy when the revision
	// was made; a tenancy that is no longer in the spec is uninstalled in reverse of it.
	LabelPosition = "multitenancy.dev/position"
	// LabelChartDigest tells the content of the chart apart, whatever its version says.
	LabelChartDigest = "multitenancy.dev/chart-digest"
	// LabelVerified is the revision in which the release was seen ready. It is put on
	// releases that are rolled back on failure alone.
	LabelVerified = "multitenancy.dev/verified"
)

// What marks and names the guardrails of a tenancy.
const (
	// LabelGuardrail names the Controller whose guardrail an object is.
	LabelGuardrail = "multitenancy.dev/guardrail"
	// GuardrailName is the name of those of which a namespace has one.
	GuardrailName = "multitenancy"
	// AnnotationGuardrails lists, on a namespace, which of its labels and annotations are
	// guardrails.
	AnnotationGuardrails = "multitenancy.dev/guardrails"
)

// The annotations the operator puts on Helm's release Secrets.
const (
	// AnnotationInventory lists the objects of the revision and how they looked when
	// they were written.
	AnnotationInventory = "multitenancy.dev/inventory"
	// AnnotationFailedDigest is the digest that failed and was rolled back from, and
	// AnnotationFailedCause why.
	AnnotationFailedDigest = "multitenancy.dev/failed-digest"
	AnnotationFailedCause  = "multitenancy.dev/failed-cause"
	// AnnotationServiceAccount names the ServiceAccount as which the revision was made.
	AnnotationServiceAccount = "multitenancy.dev/service-account"
	// AnnotationSeal tells that the operator wrote what is in the record.
	AnnotationSeal = "multitenancy.dev/seal"
	// AnnotationTested is the outcome of the last test.
	AnnotationTested = "multitenancy.dev/tested"
)

// The annotations of a Controller.
const (
	// AnnotationConfirmRemovals lets an edit go on that takes away more releases than
	// maxRemovals: its value is their number. The operator takes it off when it has read it.
	AnnotationConfirmRemovals = "multitenancy.dev/confirm-removals"
	// AnnotationRemovalsConfirmed is the generation whose removals were confirmed.
	// The operator writes it.
	AnnotationRemovalsConfirmed = "multitenancy.dev/removals-confirmed"
	// AnnotationReconcileAt makes the operator look at everything now, and try what
	// failed again, when its value changes. By custom it is a time.
	AnnotationReconcileAt = "multitenancy.dev/reconcile-at"
	// AnnotationResetFailures makes the operator forget how releases failed, so that
	// their waits begin anew, when its value changes.
	AnnotationResetFailures = "multitenancy.dev/reset-failures"
	// AnnotationTest runs helm test when its value changes. Its first word says for
	// what: namespace/release, a namespace, or * for every release; what follows it
	// (by custom a time) tells one request from the next.
	AnnotationTest = "multitenancy.dev/test"
)

// Finalizer keeps a Controller until its releases are uninstalled.
const Finalizer = "multitenancy.dev/releases"
