package status_test

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"multitenancy.dev/multi-tenancy-operator/pkg/status"
)

// TestTheCulpritIsNamed: of what is not ready the status says which pod, which
// container, and why, in words that stay the same while nothing changes.
func TestTheCulpritIsNamed(t *testing.T) {
	now := time.Unix(1e9, 0)
	ago := func(d time.Duration) metav1.Time { return metav1.Time{Time: now.Add(-d)} }
	ended := func(code int32, reason string) *corev1.ContainerStateTerminated {
		return &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}
	}
	// looping is a container at some point of a crash loop.
	looping := func(state corev1.ContainerState) corev1.ContainerStatus {
		c := corev1.ContainerStatus{Name: "app", RestartCount: 7, State: state}
		c.LastTerminationState.Terminated = ended(137, "OOMKilled")
		return c
	}
	running := func(since time.Duration) corev1.ContainerState {
		return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(since)}}
	}
	const loop = "pod web-1, container app: CrashLoopBackOff, exit code 137 (OOMKilled), 7 restarts"
	cases := map[string]struct {
		containers []corev1.ContainerStatus
		change     func(*corev1.Pod)
		warnings   []*corev1.Event
		want       string // after the count of pods
	}{
		"it waits in a crash loop": {
			containers: []corev1.ContainerStatus{looping(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
				Reason: "CrashLoopBackOff", Message: "back-off 5m0s restarting failed container=app pod=web-1_a(1234)",
			}})},
			warnings: []*corev1.Event{warn("pod", "BackOff", "Back-off restarting failed container", 1)},
			want:     loop,
		},
		"it runs in a crash loop":  {containers: []corev1.ContainerStatus{looping(running(time.Second))}, want: loop},
		"it ended in a crash loop": {containers: []corev1.ContainerStatus{looping(corev1.ContainerState{Terminated: ended(137, "OOMKilled")})}, want: loop},
		"it crashed long ago, and is not ready now": {
			containers: []corev1.ContainerStatus{looping(running(time.Hour))},
			warnings:   []*corev1.Event{warn("pod", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500", 1)},
			want:       "pod web-1: NotReady, 7 restarts; Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 500",
		},
		"it ended once": {
			containers: []corev1.ContainerStatus{{Name: "side", Ready: true}, {Name: "app", State: corev1.ContainerState{Terminated: ended(2, "Error")}}},
			want:       "pod web-1, container app: Error, exit code 2",
		},
		"its image cannot be had": {
			containers: []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
				Reason: "ImagePullBackOff", Message: `Back-off pulling image "nginx:hunter2-secret": not found`,
			}}}},
			want: `pod web-1, container app: ImagePullBackOff: Back-off pulling image "nginx:(redacted)": not found`,
		},
		"an init container fails": {
			change: func(p *corev1.Pod) {
				p.Status.InitContainerStatuses = []corev1.ContainerStatus{
					{Name: "done", State: corev1.ContainerState{Terminated: ended(0, "Completed")}},
					{Name: "migrate", RestartCount: 1, State: corev1.ContainerState{Terminated: ended(1, "Error")}},
				}
			},
			containers: []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}}},
			want:       "pod web-1, container migrate: Error, exit code 1, 1 restart",
		},
		"no node fits": {
			change: func(p *corev1.Pod) {
				p.Status.Phase = corev1.PodPending
				p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
					Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available: 3 Insufficient cpu.",
				})
			},
			want: "pod web-1: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.",
		},
		"a volume cannot be mounted": {
			containers: []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}}},
			warnings: []*corev1.Event{
				warn("pod", "FailedMount", "MountVolume.SetUp failed: secret \"tls\" not found", 9),
				warn("pod", "Older", "no", 3), warn("other", "Newer", "no", 12),
			},
			want: `pod web-1, container app: ContainerCreating; FailedMount: MountVolume.SetUp failed: secret "tls" not found`,
		},
		"it was evicted": {
			change: func(p *corev1.Pod) {
				p.Status.Reason, p.Status.Message = "Evicted", "The node was low on resource: memory."
			},
			want: "pod web-1: Evicted: The node was low on resource: memory.",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			pod := owned("web-1", "web", notReady, func(p *corev1.Pod) { p.UID = "pod"; p.Status.ContainerStatuses = tc.containers })
			if tc.change != nil {
				tc.change(pod)
			}
			d := deployment("web", "web", 1, func(d *appsv1.Deployment) { d.Status.ReadyReplicas, d.Status.AvailableReplicas = 0, 0 })
			f := facts(status.Objects{Deployments: []*appsv1.Deployment{d}, Pods: []*corev1.Pod{pod}, Warnings: tc.warnings}, "web")
			f.Now = now
			f.Desired[0].Releases[0].Values = map[string]any{"tag": "hunter2-secret"}
			f.Desired[0].Releases[0].Timeout, f.Observed[0].Settled = time.Minute, now
			got := status.Rollup(f).Controller(nil).Tenancies[0].Releases[0].Message
			if want := "Deployment web has 0 of 1 pods ready; " + tc.want; got != want {
				t.Errorf("the release says\n%q, want\n%q", got, want)
			}
		})
	}
}

// warn is a Warning event about an object, so many seconds after the first.
func warn(about, reason, message string, at int64) *corev1.Event {
	e := &corev1.Event{Reason: reason, Message: message, LastTimestamp: metav1.Time{Time: time.Unix(at, 0)}}
	e.InvolvedObject.UID = types.UID(about)
	return e
}

func TestPodsThatAreNotMade(t *testing.T) {
	s := &appsv1.StatefulSet{ObjectMeta: object("db", "db"), Spec: appsv1.StatefulSetSpec{Replicas: new(int32(2)), Selector: selector("db")}}
	s.UID, s.Status.ObservedGeneration = "set", 2
	f := facts(status.Objects{StatefulSets: []*appsv1.StatefulSet{s}, Warnings: []*corev1.Event{
		warn("set", "FailedCreate", `create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: exceeded quota: small`, 1),
	}}, "db")
	got := status.Rollup(f).Controller(nil).Tenancies[0]
	if !strings.Contains(got.Message, "StatefulSet db has 0 of 2 pods ready; FailedCreate: create Pod db-0 in StatefulSet db failed error: pods are forbidden: exceeded quota: small") {
		t.Errorf("the tenancy says %q", got.Message)
	}
}
