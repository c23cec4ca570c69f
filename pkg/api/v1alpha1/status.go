package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ControllerStatus is the live state of all tenancies.
type ControllerStatus struct {
	// observedGeneration is the generation of the spec this status answers.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready, Reconciling and Stalled, with the meaning kstatus gives them.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// summary counts what the tenancies hold.
	// +optional
	Summary *Summary `json:"summary,omitempty"`

	// display is the summary as text, for the columns of kubectl get.
	// +optional
	Display *Display `json:"display,omitempty"`

	// tenancies is the state of each tenancy, in the order of the spec. When all of it
	// would make this object too large, those that are not ready come first, and the
	// releases of the others are left out; the Tenancy object in the namespace of each
	// has them.
	// +listType=atomic
	// +optional
	Tenancies []TenancyEntry `json:"tenancies,omitempty"`

	// omitted counts the tenancies left out to keep this object small.
	// +optional
	Omitted int32 `json:"omitted,omitempty"`
}

// Summary counts tenancies, releases, workloads and pods.
type Summary struct {
	Tenancies Count        `json:"tenancies"`
	Releases  ReleaseCount `json:"releases"`
	Workloads Count        `json:"workloads"`
	Pods      Count        `json:"pods"`
}

// Count says how many there are and how many of them are ready.
type Count struct {
	Total int32 `json:"total"`
	Ready int32 `json:"ready"`
}

// ReleaseCount says how many releases there are, are ready, and have failed.
type ReleaseCount struct {
	Total  int32 `json:"total"`
	Ready  int32 `json:"ready"`
	Failed int32 `json:"failed"`
}

// Display is the summary as ready/total, for the columns of kubectl get.
type Display struct {
	Releases  string `json:"releases"`
	Workloads string `json:"workloads"`
	Pods      string `json:"pods"`
}

// TenancyPhase is the state of a tenancy in a word.
type TenancyPhase string

// The phases of a tenancy.
const (
	// TenancyReady: every release is deployed and its workloads are ready.
	TenancyReady TenancyPhase = "Ready"
	// TenancyProgressing: work is under way or pods are starting.
	TenancyProgressing TenancyPhase = "Progressing"
	// TenancyDegraded: a release failed, or what was ready no longer is.
	TenancyDegraded TenancyPhase = "Degraded"
	// TenancySuspended: changes are held.
	TenancySuspended TenancyPhase = "Suspended"
	// TenancyTerminating: the tenancy is no longer wanted; its releases are going.
	TenancyTerminating TenancyPhase = "Terminating"
)

// TenancyEntry is the live state of one tenancy, in the status of the Controller.
type TenancyEntry struct {
	Namespace string       `json:"namespace"`
	Phase     TenancyPhase `json:"phase"`
	// message says why the tenancy is not ready; empty when it is.
	// +optional
	Message string `json:"message,omitempty"`
	// +listType=atomic
	// +optional
	Releases []ReleaseStatus `json:"releases,omitempty"`
	// omitted counts the releases left out to keep the object small.
	// +optional
	Omitted int32 `json:"omitted,omitempty"`
}

// ReleasePhase is the state of a release in a word.
type ReleasePhase string

// The phases of a release.
const (
	// ReleaseQueued: the next operation waits for its turn in the tenancy's queue.
	ReleaseQueued ReleasePhase = "Queued"
	// ReleaseWaiting: the next operation waits for something else; message says what.
	ReleaseWaiting ReleasePhase = "Waiting"
	// ReleaseInstalling: helm install runs.
	ReleaseInstalling ReleasePhase = "Installing"
	// ReleaseUpgrading: helm upgrade runs.
	ReleaseUpgrading ReleasePhase = "Upgrading"
	// ReleaseRollingBack: helm rollback runs.
	ReleaseRollingBack ReleasePhase = "RollingBack"
	// ReleaseUninstalling: helm uninstall runs.
	ReleaseUninstalling ReleasePhase = "Uninstalling"
	// ReleaseDeployed: the latest revision is what the spec asks for.
	ReleaseDeployed ReleasePhase = "Deployed"
	// ReleaseFailed: the last operation failed; it is retried.
	ReleaseFailed ReleasePhase = "Failed"
	// ReleaseHeld: nothing is done until a person decides; message says what.
	ReleaseHeld ReleasePhase = "Held"
)

// ReleaseStatus is the live state of one Helm release.
type ReleaseStatus struct {
	Name string `json:"name"`
	// +optional
	Chart string `json:"chart,omitempty"`
	// version is the version of the chart that is deployed.
	// +optional
	Version string `json:"version,omitempty"`
	// +optional
	AppVersion string `json:"appVersion,omitempty"`
	// revision is Helm's revision; 0 before the first installation.
	// +optional
	Revision int32        `json:"revision,omitempty"`
	Phase    ReleasePhase `json:"phase"`
	// ready is true when the release is deployed and all its workloads are ready.
	Ready bool `json:"ready"`
	// lastDeployed is when the latest revision was made.
	// +optional
	LastDeployed *metav1.Time `json:"lastDeployed,omitempty"`
	// message says why the release is not ready, in at most 1 KiB.
	// +optional
	Message string `json:"message,omitempty"`
	// chartDigest tells the content of the chart that is deployed apart: the beginning of
	// its SHA-256.
	// +optional
	ChartDigest string `json:"chartDigest,omitempty"`
	// drift says what somebody else changed and is not put back; empty for nothing.
	// +optional
	Drift string `json:"drift,omitempty"`
	// test is the outcome of the last helm test that was asked for.
	// +optional
	Test *TestStatus `json:"test,omitempty"`
	// +listType=atomic
	// +optional
	Workloads []WorkloadStatus `json:"workloads,omitempty"`
	// +listType=atomic
	// +optional
	Pods []PodStatus `json:"pods,omitempty"`
}

// TestPhase is the state of a helm test in a word.
type TestPhase string

// The phases of a helm test.
const (
	// TestRunning: the test waits for its turn, or runs.
	TestRunning TestPhase = "Running"
	// TestSucceeded: every test hook succeeded.
	TestSucceeded TestPhase = "Succeeded"
	// TestFailed: a test hook failed, or took longer than the timeout.
	TestFailed TestPhase = "Failed"
)

// TestStatus is the outcome of a helm test.
type TestStatus struct {
	Phase TestPhase `json:"phase"`
	// revision is the one that was tested.
	// +optional
	Revision int32 `json:"revision,omitempty"`
	// finished is when the test ended.
	// +optional
	Finished *metav1.Time `json:"finished,omitempty"`
	// message says why the test failed, in at most 1 KiB.
	// +optional
	Message string `json:"message,omitempty"`
}

// WorkloadStatus is the live state of a Deployment, StatefulSet or DaemonSet.
type WorkloadStatus struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Desired   int32  `json:"desired"`
	Ready     int32  `json:"ready"`
	Updated   int32  `json:"updated"`
	Available int32  `json:"available"`
}

// PodStatus is the live state of a pod.
type PodStatus struct {
	Name string `json:"name"`
	// workload is the name of the workload the pod belongs to.
	// +optional
	Workload string `json:"workload,omitempty"`
	Phase    string `json:"phase"`
	Ready    bool   `json:"ready"`
	Restarts int32  `json:"restarts"`
	// reason says why the pod is not ready, such as CrashLoopBackOff.
	// +optional
	Reason string `json:"reason,omitempty"`
}

// The condition types of a Controller, with the meaning kstatus gives them.
const (
	// ConditionReady is True when every release is deployed and every workload of it is ready.
	ConditionReady = "Ready"
	// ConditionReconciling is True while work is under way or pods are starting.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when something failed that time alone will hardly mend.
	ConditionStalled = "Stalled"
)

// The reasons of the conditions.
const (
	// ReasonReady: everything is deployed and ready.
	ReasonReady = "Ready"
	// ReasonProgressing: operations run or wait, or pods are starting.
	ReasonProgressing = "Progressing"
	// ReasonReleaseFailed: at least one release failed.
	ReasonReleaseFailed = "ReleaseFailed"
	// ReasonDegraded: what is deployed is not, or no longer, ready.
	ReasonDegraded = "Degraded"
	// ReasonHeld: changes wait for a person, because of suspend or of a release
	// that somebody else made.
	ReasonHeld = "Held"
	// ReasonRetriesExhausted: the retries of a release are spent; it is not tried again
	// until its spec changes.
	ReasonRetriesExhausted = "RetriesExhausted"
	// ReasonRemovalHeld: an edit takes away more releases than maxRemovals.
	ReasonRemovalHeld = "RemovalHeld"
	// ReasonDeleting: the Controller is being deleted.
	ReasonDeleting = "Deleting"
	// ReasonNotActive: another Controller is the active one and is being deleted.
	ReasonNotActive = "NotActive"
)
