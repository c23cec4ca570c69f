package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

func TestWorkload(t *testing.T) {
	for tenancies, pods := range map[int]int{25: 75, 100: 300, 1000: 5000} {
		w := workload{Tenancies: tenancies}
		if got := w.pods(); got != pods {
			t.Errorf("%d tenancies have %d pods, want %d", tenancies, got, pods)
		}
		if got := len(w.controller(firstGrace).Spec.Tenancies); got != tenancies {
			t.Errorf("the Controller lists %d tenancies, want %d", got, tenancies)
		}
	}
}

// gracePath must name the setting that an edit changes.
func TestGracePath(t *testing.T) {
	want := workload{Tenancies: 3}.controller(firstGrace)
	got := patched(t, want, replaceText(gracePath(1), 41))
	want.Spec.Tenancies[1].Charts[0].Settings = []v1alpha1.Setting{{Key: "replicaCount", Value: "2"}, {Key: graceSetting, Value: "41"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the edited Controller (-want +got):\n%s", diff)
	}
}

// patched plays a JSON patch.
func patched(t *testing.T, cr *v1alpha1.Controller, patch string) *v1alpha1.Controller {
	t.Helper()
	text, err := json.Marshal(cr)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := jsonpatch.DecodePatch([]byte(patch))
	if err != nil {
		t.Fatal(err)
	}
	if text, err = steps.Apply(text); err != nil {
		t.Fatal(err)
	}
	out := &v1alpha1.Controller{}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
	return out
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
