package main

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestReadiness(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	a, b := podKey{"a", "web-0"}, podKey{"b", "web-0"}
	r := newReadiness([]podKey{a, b})
	turn := func(pod podKey, wantReady, wantDue bool) {
		t.Helper()
		if ready, due := r.turn(pod); ready != wantReady || due != wantDue {
			t.Errorf("turn(%v) = %v, %v, want %v, %v", pod, ready, due, wantReady, wantDue)
		}
	}
	if err := r.await(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	turn(a, false, true)
	r.see(a, true, at(5)) // still the old state
	r.answered(a, at(10))
	r.see(podKey{"c", "web-0"}, false, at(11)) // one that does not flap
	turn(a, false, false)                      // not told yet
	r.see(a, false, at(40))
	r.see(a, false, at(50)) // the same once more
	turn(b, false, true)
	r.see(b, false, at(60)) // before the answer
	r.answered(b, at(61))
	if err := r.await(t.Context(), time.Hour); err != nil { // everything is told
		t.Fatal(err)
	}
	turn(b, true, true)
	r.answered(b, at(70))
	if err := r.await(t.Context(), time.Nanosecond); err != nil { // gives up
		t.Fatal(err)
	}
	took, late, missing := r.end(at(170))
	slices.Sort(took)
	if diff := cmp.Diff([]time.Duration{0, 30 * time.Millisecond, 100 * time.Millisecond}, took); diff != "" || late != 1 || missing != 1 {
		t.Errorf("end(): %d late and %d missing, want one each; times (-want +got):\n%s", late, missing, diff)
	}
	if diff := cmp.Diff([]podKey{a}, r.unready(), cmp.AllowUnexported(podKey{})); diff != "" {
		t.Errorf("unready() (-want +got):\n%s", diff)
	}
}

func TestFlapping(t *testing.T) {
	for tenancies, want := range map[int][2]int{1: {1, 0}, 3: {2, 1}, 20: {10, 10}, 100: {90, 10}, 200: {190, 10}, 1000: {200, 10}} {
		flapping, edits := workload{Tenancies: tenancies}.flapping()
		if got := [2]int{flapping, edits}; got != want {
			t.Errorf("of %d tenancies %d flap and %d are edited, want %v", tenancies, flapping, edits, want)
		}
	}
}

func TestReadinessPatch(t *testing.T) {
	pod := &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "main", Ready: true, RestartCount: 2}}}}
	for ready, wantReason := range map[bool]string{true: "", false: "ContainersNotReady"} {
		text, err := readinessPatch(pod, ready, metav1.Now())
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Status corev1.PodStatus }
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if c := got.Status.ContainerStatuses; len(c) != 1 || c[0].Ready != ready || c[0].RestartCount != 2 {
			t.Errorf("ready %v: containers = %+v", ready, c)
		}
		for _, c := range got.Status.Conditions {
			if (c.Status == corev1.ConditionTrue) != ready || c.Reason != wantReason {
				t.Errorf("ready %v: condition = %+v", ready, c)
			}
		}
		if len(got.Status.Conditions) != 2 {
			t.Errorf("ready %v: %d conditions, want 2", ready, len(got.Status.Conditions))
		}
	}
	if !pod.Status.ContainerStatuses[0].Ready {
		t.Error("readinessPatch() changed the pod")
	}
}
