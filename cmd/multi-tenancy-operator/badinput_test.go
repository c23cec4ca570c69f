package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

const canary = "canary-7c1f"

// failing are charts that can be installed only with the right settings.
func failing() []fixture.Chart {
	picky := fixture.ConfigMap("picky")
	picky.Files["values.yaml"] = "text: default\ncount: 1\nname: web\n"
	picky.Files["values.schema.json"] = `{"type": "object", "additionalProperties": false, "properties": {
		"count": {"type": "integer", "maximum": 9}, "text": {"type": "string", "pattern": "^[a-z]*$"}, "name": {"type": "string"}}}`
	fails := fixture.ConfigMap("fails")
	fails.Files["templates/fail.yaml"] = `{{ if .Values.secret }}{{ fail (printf "no good: %s" .Values.secret) }}{{ end }}`
	refused := fixture.ConfigMap("refused")
	refused.Files["templates/service.yaml"] = `apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {ports: [{port: {{ .Values.port | default 99999 }}}]}
`
	unknown := fixture.ConfigMap("unknown")
	unknown.Files["templates/other.yaml"] = "apiVersion: example.com/v1\nkind: Nothing\nmetadata: {name: x}\n"
	escape := fixture.ConfigMap("escape")
	escape.Files["values.schema.json"] = `{"$ref": "file:///etc/passwd"}`
	large, huge := fixture.ConfigMap("large"), fixture.ConfigMap("huge")
	large.Files["blob"], huge.Files["blob"] = noise(1_200_000), noise(4_000_000)
	loud := fixture.ConfigMap("loud")
	loud.Files["templates/fail.yaml"] = `{{ fail (repeat 400000 "noise ") }}`
	return []fixture.Chart{large, huge, loud, picky, fails, refused, unknown, escape, fixture.ConfigMap("conf")}
}

// noise is text that cannot be packed any smaller.
func noise(n int) string {
	out := make([]byte, n)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range out {
		out[i] = byte('!' + random.IntN(90))
	}
	return string(out)
}

// TestWhatTheSchemaCannotKnow fails that release alone, with a message of one
// sentence, and is tried again at once when the spec changes, fault rows 17 and 60.
func TestWhatTheSchemaCannotKnow(t *testing.T) {
	const name = "wrong"
	cases := map[string]struct {
		chart v1alpha1.Chart
		says  []string
		right func(*v1alpha1.Chart)
	}{
		"missing": {install("nowhere", ""), []string{`"nowhere" is not in the chart home`}, func(c *v1alpha1.Chart) { c.ChartName = "conf" }},
		"version": {
			v1alpha1.Chart{ChartName: "conf", Version: ">=2"},
			[]string{`"conf" has no version that fits ">=2"`},
			func(c *v1alpha1.Chart) { c.Version = "<2" },
		},
		"template": {install("fails", "", "secret", canary), []string{"fails/templates/fail.yaml"}, nil},
		"twice":    {install("conf", "", "text", "a", "text", canary), []string{`key "text" is listed twice`}, nil},
		"path":     {install("conf", "", "text", "a", "text.b", canary), []string{`"text.b" cannot be set`}, nil},
		"bracket":  {install("conf", "", "a[x]", canary), []string{`"a[x]" is not a path`}, nil},
		"below":    {install("picky", "", "count.x", canary), []string{"nothing can be set below count"}, nil},
		"type":     {install("picky", "", "count", canary), []string{"count must be integer and is string"}, nil},
		"maximum":  {install("picky", "", "count", "10"), []string{"count must be at most 9"}, nil},
		"pattern":  {install("picky", "", "text", canary), []string{"text must match"}, nil},
		"no-key":   {install("picky", "", "typo", canary), []string{`"typo"`}, nil},
		"refused":  {install("refused", ""), []string{"Service", "spec.ports[0].port"}, func(c *v1alpha1.Chart) { c.Settings = []v1alpha1.Setting{{Key: "port", Value: "80"}} }},
		"kind":     {install("unknown", ""), []string{"Nothing", "example.com/v1"}, nil},
		"large":    {install("large", ""), []string{"too large to be stored"}, nil},
		"huge":     {install("huge", ""), []string{"too large to be stored"}, nil},
		"loud":     {install("loud", ""), []string{"loud/templates/fail.yaml", "noise"}, nil},
		"escape":   {install("escape", ""), []string{"file:///etc/passwd", "not followed"}, nil},
	}
	op := startOperator(t, fixture.Home(t, "", failing()...))
	tenancies := []v1alpha1.TenancySpec{tenant("wrong-not", install("conf", ""))}
	for which, tc := range cases {
		tc.chart.ReleaseName = which
		tenancies = append(tenancies, tenant("wrong-"+which, tc.chart, install("conf", "good")))
	}
	create(t, name, tenancies...)

	for which, tc := range cases {
		t.Run(which, func(t *testing.T) {
			ns := "wrong-" + which
			eventually(t, patience, func() error {
				cr := get(t, name)
				bad, good := find(cr, ns, which), find(cr, ns, "good")
				if good == nil || !good.Ready {
					return fmt.Errorf("the release beside it = %+v, want it ready", good)
				}
				if bad.Phase != v1alpha1.ReleaseFailed || bad.Ready {
					return fmt.Errorf("the release = %+v, want it failed", bad)
				}
				for _, want := range append(tc.says, ns+"/"+which) {
					if !strings.Contains(bad.Message, want) {
						return fmt.Errorf("the message is %q, want %q in it", bad.Message, want)
					}
				}
				if len(bad.Message) > 1024 || strings.Contains(bad.Message, "\n") {
					return fmt.Errorf("the message is no short line: %q", bad.Message)
				}
				return nil
			})
		})
	}
	if cr := get(t, name); !find(cr, "wrong-not", "wrong-not").Ready {
		t.Error("the tenancy without a fault is not ready")
	}
	for what, text := range map[string]string{
		"status": kubectl(t, "", "get", "controller", name, "-o", "jsonpath={.status}"),
		"events": kubectl(t, "", "get", "events", "-A", "-o", "yaml"),
		"log":    op.log.String(),
	} {
		if strings.Contains(text, canary) {
			t.Errorf("the value of a setting is in the %s", what)
		}
	}

	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		for i := range s.Tenancies {
			if len(s.Tenancies[i].Charts) < 2 {
				continue
			}
			bad := &s.Tenancies[i].Charts[0]
			if right := cases[bad.ReleaseName].right; right != nil {
				right(bad)
				continue
			}
			bad.ChartName, bad.Settings = "conf", nil
		}
	})
	awaitReady(t, name)
}

// TestFailureIsTriedAgain: with time alone, since what was in the way may go.
func TestFailureIsTriedAgain(t *testing.T) {
	const name = "retried"
	home := fixture.Home(t, "", fixture.ConfigMap("conf"))
	kubectl(t, "", "create", "namespace", name)
	kubectl(t, "", "create", "configmap", "-n", name, "retried-conf", "--from-literal=a=b")
	startOperator(t, home)
	create(t, name, tenant(name, install("conf", "")))
	eventually(t, patience, failed(t, name, name, name, `ConfigMap "retried-conf"`))
	kubectl(t, "", "delete", "configmap", "-n", name, "retried-conf")
	awaitReady(t, name)
}

// TestChartHomeChanges: a new chart and a new version are picked up without a restart,
// and one that is lost keeps nothing from running or going, fault row 109.
func TestChartHomeChanges(t *testing.T) {
	const name = "home"
	home := fixture.Home(t, "", fixture.ConfigMap("conf"))
	startOperator(t, home)
	create(t, name, tenant(name, install("conf", "conf"), install("late", "late")))
	eventually(t, patience, func() error {
		if rel := find(get(t, name), name, "late"); rel == nil || !strings.Contains(rel.Message, "not in the chart home") {
			return fmt.Errorf("the release = %+v, want its chart missing", rel)
		}
		return nil
	})
	fixture.ConfigMap("late").Write(t, home)
	awaitReady(t, name)

	next := fixture.ConfigMap("conf")
	next.Version = "0.2.0"
	next.Files["values.yaml"] = "text: newer\n"
	next.Write(t, home)
	eventually(t, patience, func() error {
		if rel := find(get(t, name), name, "conf"); rel.Version != "0.2.0" || rel.Revision != 2 || !rel.Ready {
			return fmt.Errorf("the release = %+v, want version 0.2.0 in revision 2", rel)
		}
		return nil
	})
	cm, err := world.kube.CoreV1().ConfigMaps(name).Get(t.Context(), "conf-conf", metav1.GetOptions{})
	if err != nil || cm.Data["text"] != "newer" {
		t.Errorf("the ConfigMap says %v (%v), want newer", cm, err)
	}

	// A chart that is lost touches nothing that runs.
	if err := os.RemoveAll(filepath.Join(home, "late")); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, func() error {
		if rel := find(get(t, name), name, "late"); rel.Phase != v1alpha1.ReleaseFailed || rel.Revision != 1 {
			return fmt.Errorf("the release = %+v, want its chart missing and revision 1 kept", rel)
		}
		return nil
	})
	wantRecords(t, name, map[string]string{"conf.v1": "superseded", "conf.v2": "deployed", "late.v1": "deployed"})
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies[0].Charts = s.Tenancies[0].Charts[:1] })
	eventually(t, patience, recorded(t, name, "late.v1", ""))
}
