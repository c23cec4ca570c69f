package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// auditPolicy logs who makes what, of pods and of what bounds them.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - level: Metadata
    verbs: [create, patch, update]
    resources:
      - group: ""
        resources: [pods, resourcequotas, resourcequotas/status, limitranges, secrets]
      - group: networking.k8s.io
        resources: [networkpolicies]
  - level: None
`

// request is one that the API server logged.
type request struct {
	Verb string
	Ref  struct{ Resource, Subresource, Namespace, Name string } `json:"objectRef"`
	Code struct{ Code int }                                      `json:"responseStatus"`
	At   time.Time                                               `json:"stageTimestamp"`
}

// withAudit gives the test a cluster of its own, and reads its audit log.
func withAudit(t *testing.T) func() []request {
	t.Helper()
	dir := t.TempDir()
	policy, log := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "audit.log")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	ownSite(t, "--audit-policy-file="+policy, "--audit-log-path="+log, "--audit-log-mode=blocking")
	return func() []request {
		t.Helper()
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		var out []request
		for line := range bytes.Lines(text) {
			var r request
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if r.Code.Code < 300 {
				out = append(out, r)
			}
		}
		return out
	}
}

// boundedBeforePods: the API server answered that what bounds a namespace is there, and
// that its quota is enforced, before it was asked for a first pod, or a first record.
func boundedBeforePods(t *testing.T, log []request, namespace string) {
	t.Helper()
	first := func(resource, subresource string) time.Time {
		var at time.Time
		for _, r := range log {
			if r.Ref.Namespace == namespace && r.Ref.Resource == resource && r.Ref.Subresource == subresource && (at.IsZero() || r.At.Before(at)) {
				at = r.At
			}
		}
		if at.IsZero() {
			t.Errorf("the audit log tells of no %s %s in %s", resource, subresource, namespace)
		}
		return at
	}
	starts := []time.Time{first("secrets", ""), first("pods", "")}
	earliest := slices.MinFunc(starts, time.Time.Compare)
	for _, bound := range [][2]string{{"networkpolicies"}, {"limitranges"}, {"resourcequotas"}, {"resourcequotas", "status"}} {
		if at := first(bound[0], bound[1]); !at.Before(earliest) {
			t.Errorf("%s %s in %s was there %s after the first record or pod", bound[0], bound[1], namespace, at.Sub(earliest))
		}
	}
}
