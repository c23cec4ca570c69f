package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWorkload(t *testing.T) {
	for tenancies, pods := range map[int]int{25: 75, 100: 300, 1000: 5000} {
		w := workload{Tenancies: tenancies}
		if got := w.pods(); got != pods {
			t.Errorf("%d tenancies have %d pods, want %d", tenancies, got, pods)
		}
		if got := len(w.controller(func(int) int { return firstGrace }).Spec.Tenancies); got != tenancies {
			t.Errorf("the Controller lists %d tenancies, want %d", got, tenancies)
		}
	}
}

// gracePath must name the setting that an edit changes.
func TestGracePath(t *testing.T) {
	text, err := json.Marshal(workload{Tenancies: 3}.controller(func(i int) int { return 40 + i }))
	if err != nil {
		t.Fatal(err)
	}
	var whole any
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	if got := gracePath(1); got != "/spec/tenancies/1/charts/0/settings/1/value" {
		t.Errorf("gracePath(1) = %s", got)
	}
	setting := whole.(map[string]any)["spec"].(map[string]any)["tenancies"].([]any)[1].(map[string]any)["charts"].([]any)[0].(map[string]any)["settings"].([]any)[1]
	want := map[string]any{"key": graceSetting, "value": "41"}
	if diff := cmp.Diff(want, setting); diff != "" {
		t.Errorf("the setting there (-want +got):\n%s", diff)
	}
}

func TestRevision(t *testing.T) {
	j := job{Edits: 1, Phase: phaseEdit}
	if got := j.revision(0); got != 1 {
		t.Errorf("before its edit a release has revision %d, want 1", got)
	}
	j.Phase = phaseUpgrade
	if one, two := j.revision(0), j.revision(1); one != 2 || two != 1 {
		t.Errorf("before the upgrade the releases have revisions %d and %d, want 2 and 1", one, two)
	}
	j.Phase, j.Upgraded = phaseUninstall, true
	if one, two := j.revision(0), j.revision(1); one != 3 || two != 2 {
		t.Errorf("before the uninstall the releases have revisions %d and %d, want 3 and 2", one, two)
	}
}

func TestEach(t *testing.T) {
	var sum atomic.Int64
	err := each(t.Context(), 10, 3, func(_ context.Context, i int) error { sum.Add(int64(i)); return nil })
	if err != nil || sum.Load() != 45 {
		t.Errorf("each() saw %d, %v, want 45", sum.Load(), err)
	}
	broken := errors.New("broken")
	var calls atomic.Int64
	err = each(t.Context(), 1000, 2, func(_ context.Context, i int) error { calls.Add(1); return broken })
	if !errors.Is(err, broken) || calls.Load() > 4 {
		t.Errorf("after an error each() made %d calls and returned %v", calls.Load(), err)
	}
}

func TestObjects(t *testing.T) {
	const manifest = `---
# Source: x/templates/service.yaml
apiVersion: v1
kind: Service
metadata: {name: web}
---
apiVersion: v1
kind: Pod
metadata:
  name: test
  annotations: {helm.sh/hook: test}
`
	got, err := objects([]byte(manifest), "web")
	if err != nil || len(got) != 1 || got[0].GetName() != "web" || got[0].GetAnnotations()["meta.helm.sh/release-name"] != "web" {
		t.Errorf("objects() = %v, %v, want the Service alone, with Helm's annotation", got, err)
	}
}

func TestProcess(t *testing.T) {
	// CPU time is counted in steps, of which there must have been one soon.
	var cpu time.Duration
	for begin := time.Now(); cpu < tick && time.Since(begin) < time.Minute; {
		var err error
		if cpu, err = processCPU(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := machineCPU()
	if err != nil || cpu < tick || whole < cpu {
		t.Errorf("processCPU() = %s, machineCPU() = %s, %v", cpu, whole, err)
	}
	peak, err := processPeak(os.Getpid())
	if err != nil || peak < 1<<20 || peak > 1<<36 {
		t.Errorf("processPeak() = %d, %v", peak, err)
	}
}
