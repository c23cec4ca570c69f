package status

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// culprit is the container that keeps a pod from being ready, or what keeps the pod
// itself.
type culprit struct {
	// container is its name; empty when the pod itself is at fault.
	container string
	// reason is a word, such as CrashLoopBackOff.
	reason string
	// faulty: something is wrong, beyond its being young.
	faulty bool
	// end is how the container ended last; empty when it has not.
	end string
	// text is what the cluster says about it; it may quote values.
	text string
}

// A container that is not ready is said to crash in a loop from so many restarts on,
// at whatever point of the loop it is, so that what is told does not flap: until it has
// run for as long as the kubelet takes to forget how often it crashed.
const (
	again = 2
	calm  = 10 * time.Minute
)

// blame finds what keeps a pod from being ready.
func blame(p *corev1.Pod, now time.Time) culprit {
	if p.Status.Reason != "" {
		return culprit{reason: p.Status.Reason, faulty: true, text: p.Status.Message}
	}
	for _, statuses := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for _, c := range statuses {
			if found := blameContainer(c, now); found.reason != "" {
				return found
			}
		}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return culprit{reason: c.Reason, faulty: c.Reason == corev1.PodReasonUnschedulable, text: c.Message}
		}
	}
	switch p.Status.Phase {
	case corev1.PodSucceeded:
		return culprit{reason: "Completed"}
	case corev1.PodFailed:
		return culprit{reason: "Failed", faulty: true}
	case corev1.PodRunning:
		return culprit{reason: "NotReady", faulty: restarted(p)}
	}
	return culprit{}
}

// blameContainer finds why a container does not run; without a reason it does, or has
// ended as it should.
func blameContainer(c corev1.ContainerStatus, now time.Time) culprit {
	out := culprit{container: c.Name, end: ended(c)}
	switch {
	case c.State.Waiting != nil:
		out.reason, out.text = c.State.Waiting.Reason, c.State.Waiting.Message
		switch out.reason {
		case "", "ContainerCreating", "PodInitializing":
			out.faulty = c.RestartCount > 0
		default:
			out.faulty = true
		}
	case c.State.Terminated != nil && c.State.Terminated.ExitCode != 0:
		out.reason, out.faulty = c.State.Terminated.Reason, true
		if out.reason == "" {
			out.reason = "Error"
		}
	}
	if crashing(c, now) && out.end != "" {
		out.reason, out.faulty, out.text = "CrashLoopBackOff", true, ""
	}
	return out
}

func crashing(c corev1.ContainerStatus, now time.Time) bool {
	calmed := c.State.Running != nil && now.Sub(c.State.Running.StartedAt.Time) > calm
	return c.RestartCount >= again && !c.Ready && !calmed
}

// ended is how a container ended last.
func ended(c corev1.ContainerStatus) string {
	t := c.State.Terminated
	if t == nil {
		t = c.LastTerminationState.Terminated
	}
	if t == nil || t.ExitCode == 0 && c.RestartCount == 0 {
		return ""
	}
	out := fmt.Sprintf("exit code %d", t.ExitCode)
	if t.Reason != "" && t.Reason != "Error" && t.Reason != "Completed" {
		out += " (" + t.Reason + ")"
	}
	return out
}

// because says it in a sentence that follows the name of the pod. say makes a text of
// the cluster fit to be shown; warning is the last one about the pod.
func (p pod) because(warning string, say func(string) string) string {
	var out strings.Builder
	if p.container != "" && p.Reason != "" {
		fmt.Fprintf(&out, ", container %s", p.container)
	}
	sep := ": "
	for _, part := range []string{p.Reason, p.end, restarts(p)} {
		if part != "" {
			out.WriteString(sep + part)
			sep = ", "
		}
	}
	switch {
	case p.text != "":
		out.WriteString(": " + say(p.text))
	case p.end == "" && warning != "":
		out.WriteString("; " + say(warning))
	}
	return out.String()
}

func restarts(p pod) string {
	switch {
	case p.Restarts == 0 || p.Reason == "":
		return ""
	case p.Restarts == 1:
		return "1 restart"
	}
	return fmt.Sprintf("%d restarts", p.Restarts)
}

// names is how a message names a pod or job that was not made: by a name that is
// another one with every try.
var names = regexp.MustCompile(`\b(?:pods|Pod) "[^"]*" is `)

// steady is a message that stays the same from one try to the next.
func steady(message string) string {
	return names.ReplaceAllString(message, "pods are ")
}

// warnings are the last Warning event about each object.
func warnings(all []*corev1.Event) map[types.UID]string {
	if len(all) == 0 {
		return nil
	}
	last := map[types.UID]*corev1.Event{}
	for _, e := range all {
		about := e.InvolvedObject.UID
		before, known := last[about]
		if !known || before.LastTimestamp.Before(&e.LastTimestamp) || before.LastTimestamp.Equal(&e.LastTimestamp) && before.Name < e.Name {
			last[about] = e
		}
	}
	out := make(map[types.UID]string, len(last))
	for uid, e := range last {
		out[uid] = e.Reason + ": " + steady(strings.Join(strings.Fields(e.Message), " "))
	}
	return out
}
