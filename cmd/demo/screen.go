package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// screen shows the status of a Controller as tables: in place at a terminal,
// one below the other where there is none.
type screen struct {
	out    io.Writer
	live   bool
	footer string
	last   string
}

func (s *screen) draw(cr *v1alpha1.Controller) {
	text := render(cr)
	if s.footer != "" {
		text += "\n" + s.footer + "\n"
	}
	if text == s.last {
		return
	}
	s.last = text
	if s.live {
		fmt.Fprint(s.out, "\x1b[H\x1b[2J")
	}
	fmt.Fprint(s.out, "\n"+text)
}

func render(cr *v1alpha1.Controller) string {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	line(w, "CONTROLLER", "TENANCIES", "RELEASES", "WORKLOADS", "PODS", "READY", "STATUS")
	line(w, cr.Name, tenancies(cr), display(cr).Releases, display(cr).Workloads, display(cr).Pods, readiness(cr), message(cr))
	_ = w.Flush()
	out.WriteString("\n")

	line(w, "TENANCY", "RELEASE", "CHART", "REVISION", "PHASE", "WORKLOAD", "PODS", "READY", "MESSAGE")
	for _, t := range cr.Status.Tenancies {
		for _, rel := range t.Releases {
			workloads(w, t.Namespace, rel)
		}
	}
	_ = w.Flush()
	out.WriteString("\n")

	line(w, "TENANCY", "POD", "WORKLOAD", "PHASE", "READY", "RESTARTS", "REASON")
	for _, t := range cr.Status.Tenancies {
		for _, rel := range t.Releases {
			for _, p := range rel.Pods {
				line(w, t.Namespace, p.Name, p.Workload, p.Phase, yes(p.Ready), fmt.Sprint(p.Restarts), p.Reason)
			}
		}
	}
	_ = w.Flush()
	return out.String()
}

// workloads shows a release: a line for each workload, one at least.
func workloads(w io.Writer, namespace string, rel v1alpha1.ReleaseStatus) {
	chart := strings.TrimSpace(rel.Chart + " " + rel.Version)
	begin := []string{namespace, rel.Name, chart, fmt.Sprint(rel.Revision), string(rel.Phase)}
	if len(rel.Workloads) == 0 {
		line(w, append(begin, "", "", yes(rel.Ready), rel.Message)...)
		return
	}
	for _, work := range rel.Workloads {
		line(w, append(begin, work.Kind+"/"+work.Name, fmt.Sprintf("%d/%d", work.Ready, work.Desired), yes(rel.Ready), rel.Message)...)
	}
}

func line(w io.Writer, cells ...string) {
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

func tenancies(cr *v1alpha1.Controller) string {
	if cr.Status.Summary == nil {
		return fmt.Sprint(len(cr.Spec.Tenancies))
	}
	return fmt.Sprint(cr.Status.Summary.Tenancies.Total)
}

func display(cr *v1alpha1.Controller) v1alpha1.Display {
	if cr.Status.Display == nil {
		return v1alpha1.Display{}
	}
	return *cr.Status.Display
}

func readiness(cr *v1alpha1.Controller) string {
	if c := meta.FindStatusCondition(cr.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return string(c.Status)
	}
	return "Unknown"
}

func message(cr *v1alpha1.Controller) string {
	if c := meta.FindStatusCondition(cr.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return c.Message
	}
	return ""
}

func ready(cr *v1alpha1.Controller) bool {
	return cr.Status.ObservedGeneration == cr.Generation &&
		meta.IsStatusConditionTrue(cr.Status.Conditions, v1alpha1.ConditionReady)
}

func yes(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// listFrom asks a watch for what came after a version.
func listFrom(version string) *metav1.ListOptions {
	return &metav1.ListOptions{ResourceVersion: version}
}
