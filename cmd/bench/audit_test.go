package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const auditLines = `{"stage":"ResponseComplete","verb":"create","requestURI":"/api/v1/namespaces/a/secrets","objectRef":{"resource":"secrets","namespace":"a"},"responseStatus":{"code":201}}
{"stage":"ResponseStarted","verb":"watch","requestURI":"/api/v1/pods?watch=true","objectRef":{"resource":"pods"},"responseStatus":{"code":200}}
{"stage":"ResponseComplete","verb":"watch","requestURI":"/api/v1/pods?watch=true","objectRef":{"resource":"pods"},"responseStatus":{"code":200}}
{"stage":"ResponseComplete","verb":"get","requestURI":"/version?timeout=32s","responseStatus":{"code":200}}
{"stage":"ResponseComplete","verb":"get","requestURI":"/api/v1/namespaces/a","objectRef":{"resource":"namespaces","name":"a"},"responseStatus":{"code":404}}
{"stage":"ResponseComplete","verb":"patch","requestURI":"/apis/multitenancy.dev/v1alpha1/controllers/c/status","objectRef":{"resource":"controllers","subresource":"status"},"responseStatus":{"code":409},"requestReceivedTimestamp":"2026-01-02T03:04:04.678900Z"}
{"stage":"ResponseComplete","verb":"patch","requestURI":"/apis/multitenancy.dev/v1alpha1/controllers/c/status","objectRef":{"resource":"controllers","subresource":"status"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-01-02T03:04:05.678900Z"}
{"stage":"ResponseComplete","verb":"create","requestURI":"/api/v1/namespaces/a/secrets","objectRef":{"resource":"secrets","namespace":"a"},"responseStatus":{"code":201}}
`

func TestParseAudit(t *testing.T) {
	got, written, err := parseAudit([]byte(auditLines))
	want := requests{
		{"create", "secrets", 0}: 2, {"watch", "pods", 0}: 1, {"get", "/version", 0}: 1,
		{"get", "namespaces", 404}: 1, {"patch", "controllers/status", 409}: 1,
		{"patch", "controllers/status", 0}: 1,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("parseAudit(): error %v (-want +got):\n%s", err, diff)
	}
	if got := got.total(); got != 7 {
		t.Errorf("total() = %d, want 7", got)
	}
	var order []string
	for _, kind := range got.sorted() {
		order = append(order, kind.String())
	}
	wantOrder := []string{"create secrets", "get /version", "get namespaces (404)", "patch controllers/status", "patch controllers/status (409)", "watch pods"}
	if diff := cmp.Diff(wantOrder, order); diff != "" {
		t.Errorf("sorted() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Time{time.Date(2026, 1, 2, 3, 4, 5, 678900000, time.UTC)}, written); diff != "" {
		t.Errorf("the status was written at (-want +got):\n%s", diff)
	}
	if _, _, err := parseAudit([]byte("no JSON\n")); err == nil {
		t.Error("parseAudit() of a broken line has no error")
	}
}

// A line that the API server has not finished yet is read the next time.
func TestAuditIsReadOnce(t *testing.T) {
	a := &audit{path: filepath.Join(t.TempDir(), "audit.log")}
	take := func(want int) {
		t.Helper()
		got, _, err := a.take()
		if err != nil || got.total() != want {
			t.Fatalf("take() counts %d, %v, want %d", got.total(), err, want)
		}
	}
	take(0)
	half := len(auditLines) - 20
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(a.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(auditLines[:half])
	take(6)
	take(0)
	write(auditLines)
	take(1)
}
