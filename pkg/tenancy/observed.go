package tenancy

import (
	"fmt"
	"strings"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// Phase is the state of the latest revision of a release in Helm's storage.
type Phase string

// The phases Helm records.
const (
	PhaseDeployed        Phase = "deployed"
	PhaseFailed          Phase = "failed"
	PhaseSuperseded      Phase = "superseded"
	PhaseUninstalled     Phase = "uninstalled"
	PhaseUninstalling    Phase = "uninstalling"
	PhasePendingInstall  Phase = "pending-install"
	PhasePendingUpgrade  Phase = "pending-upgrade"
	PhasePendingRollback Phase = "pending-rollback"
)

// Pending says that a Helm operation holds the release, or died holding it.
func (p Phase) Pending() bool {
	return p == PhasePendingInstall || p == PhasePendingUpgrade || p == PhasePendingRollback
}

// Locked says that a Helm operation holds the release, or died holding it: it is
// pending or being uninstalled.
func (p Phase) Locked() bool { return p.Pending() || p == PhaseUninstalling }

// Observed is the latest revision of a release as Helm's storage has it.
type Observed struct {
	Key      Key
	Revision int
	Phase    Phase
	// Controller, Digest, Chart and ChartVersion are what the operator labelled
	// the revision with; empty when somebody else made it.
	Controller   string
	Digest       string
	Chart        string
	ChartVersion string
	// ChartDigest tells the content of the chart apart.
	ChartDigest string
	Position    int
	// Since is when the revision was made, and Settled when its record last
	// changed: for one that is deployed, when that operation ended.
	Since   time.Time
	Settled time.Time
	// ByHand says that somebody else made the latest revision of a release of ours.
	ByHand bool
	// Interrupted says that the release is locked and the operation that locked it
	// is known to be dead: nobody will finish it.
	Interrupted bool
	// Verified says that the release was seen ready in this revision. It is noted for
	// releases that are rolled back on failure alone.
	Verified bool
	// Good is the latest revision before this one that may be gone back to; 0 for none.
	Good int
	// FailedDigest is the desired state that failed and was rolled back from, and
	// Cause why; empty when the revision is no rollback of the operator's.
	FailedDigest string
	Cause        string
	// ServiceAccount names the one as which the revision was made; empty for the operator
	// itself, or somebody else.
	ServiceAccount string
	// Objects are what the revision holds; none when it is not known.
	Objects []Object
	Test    Test
}

// Meets says that the latest revision is what a release asks for.
func (o Observed) Meets(rel Release) bool {
	return o.Phase == PhaseDeployed && !o.ByHand && o.Digest == rel.Digest && rel.Err == nil
}

// Object is one that a release holds.
type Object struct {
	Group, Version, Resource, Kind string
	// Namespace is empty for an object of the cluster.
	Namespace, Name string
	// Mark tells what the object looked like when the operator last wrote or
	// checked it; empty for missing. See package drift.
	Mark string
	// At is the resource version it had then.
	At uint64
}

// ID names the object, whatever it looks like.
func (o Object) ID() Object {
	o.Mark, o.At = "", 0
	return o
}

// String is the object as people call it.
func (o Object) String() string {
	if o.Group == "" {
		return o.Kind + " " + o.Name
	}
	return fmt.Sprintf("%s.%s %s", o.Kind, o.Group, o.Name)
}

// Test is the outcome of a helm test.
type Test struct {
	// Request is what asked for it; empty when nothing did.
	Request string
	// Phase is empty before the test has run.
	Phase    v1alpha1.TestPhase
	Revision int
	Finished time.Time
	Message  string
}

// Drift is what somebody else did to an object of a release.
type Drift struct {
	Object Object
	// Missing says that the object is gone, Foreign that another one of its name has
	// taken its place. Otherwise Fields are those that differ.
	Missing, Foreign bool
	Fields           []string
	// Corrected says that it was put back.
	Corrected bool
}

// String says what is different, without values.
func (d Drift) String() string {
	switch {
	case d.Missing:
		return d.Object.String() + " is missing"
	case d.Foreign:
		return d.Object.String() + " was replaced by one that is not of this release"
	}
	return fmt.Sprintf("%s differs in %s", d.Object, strings.Join(d.Fields, ", "))
}

// Applied is what an operation left behind.
type Applied struct {
	// Revision and Phase are what it last wrote to Helm's storage; 0 for nothing.
	Revision int
	Phase    Phase
	// At is the resource version of its last write to the storage; 0 for none.
	At uint64
	// Objects are what the release holds then; none when that did not change.
	Objects []Object
	// Drifts are what a check found.
	Drifts []Drift
	// Test is the outcome of a test.
	Test Test
}
