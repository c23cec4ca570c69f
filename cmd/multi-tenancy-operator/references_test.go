package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// promised is how long a changed reference may take to reach the release.
const promised = 5 * time.Second

// shown is a chart that shows the values it got.
func shown() fixture.Chart {
	c := fixture.ConfigMap("shown")
	c.Files["values.yaml"] = "a: chart\nb: chart\nc: chart\nd: chart\npassword: none\nfail: \"\"\n"
	c.Files["templates/configmap.yaml"] = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-shown}
data:
  all: {{ list .Values.a .Values.b .Values.c .Values.d (.Values.password | sha256sum | trunc 6) | join "," | quote }}
{{ if .Values.fail }}{{ fail (printf "no good: %s %s" .Values.password (b64enc .Values.password)) }}{{ end }}
`
	return c
}

func from(kind v1alpha1.ReferenceKind, name, key, path string, optional bool) v1alpha1.ValuesReference {
	return v1alpha1.ValuesReference{Kind: kind, Name: name, Key: key, TargetPath: path, Optional: optional}
}

func TestValuesFrom(t *testing.T) {
	const name, ns, secret = "referring", "referring", "hunter2-canary-9c1e"
	home := fixture.Home(t, "", shown(), fixture.ConfigMap("conf"))
	outer := t // what runs longer than a part of the test
	op := startOperator(outer, home)
	put := func(object string, literals ...string) {
		t.Helper()
		args := append(append([]string{"create", "-n", ns, "--dry-run=client", "-o", "yaml"}, strings.Fields(object)...), literals...)
		kubectl(t, kubectl(t, "", args...), "apply", "-f", "-")
	}
	// shows waits until the release shows values.
	shows := func(want string) {
		t.Helper()
		took := eventually(t, promised, func() error {
			cm, err := world.kube.CoreV1().ConfigMaps(ns).Get(t.Context(), "app-shown", metav1.GetOptions{})
			if err != nil {
				return err
			}
			if got := cm.Data["all"]; !strings.HasPrefix(got, want) {
				return fmt.Errorf("the release shows %q, want %q", got, want)
			}
			return nil
		})
		t.Logf("%s was shown after %s", want, took.Round(time.Millisecond))
	}
	// fails waits until the release is told as failed, in these words.
	fails := func(words string) {
		t.Helper()
		eventually(t, patience, func() error {
			rel := find(get(t, name), ns, "app")
			if rel == nil || rel.Phase != v1alpha1.ReleaseFailed || !strings.Contains(rel.Message, words) {
				return fmt.Errorf("release app = %+v, want it failed and %q", rel, words)
			}
			return nil
		})
	}

	chart := install("shown", "app", "d", "setting")
	chart.ValuesFrom = []v1alpha1.ValuesReference{
		from(v1alpha1.ReferenceConfigMap, "first", "", "", false),
		from(v1alpha1.ReferenceSecret, "second", "", "", false),
		from(v1alpha1.ReferenceSecret, "creds", "password", "password", false),
		from(v1alpha1.ReferenceConfigMap, "perhaps", "", "", true),
	}
	create(t, name, tenant(ns, chart), tenant("referring-beside", install("conf", "")))

	t.Run("what is missing fails the release alone, in a namespace that is made", func(t *testing.T) {
		fails("ConfigMap referring/first does not exist")
		eventually(t, patience, func() error {
			if rel := find(get(t, name), "referring-beside", "referring-beside"); rel == nil || !rel.Ready {
				return fmt.Errorf("the release beside it = %+v, want it ready", rel)
			}
			_, err := world.kube.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{})
			return err
		})
	})

	t.Run("it goes on when everything is there", func(t *testing.T) {
		put("configmap first", "--from-literal=values.yaml={a: first, b: first, c: first, d: first}")
		fails("Secret referring/second does not exist")
		put("secret generic second", "--from-literal=values.yaml={b: second, c: second}")
		put("secret generic creds", "--from-literal=other="+secret)
		fails(`Secret referring/creds has no key "password"`)
		put("secret generic creds", "--from-literal=password="+secret)
		shows("first,second,second,setting")
		awaitReady(t, name)
	})

	t.Run("a change is rolled out", func(t *testing.T) {
		put("configmap first", "--from-literal=values.yaml={a: changed, b: first}")
		shows("changed,second,second,setting")
		put("secret generic creds", "--from-literal=password=other-than-before")
		shows("changed,second,second,setting,511fac")
		put("configmap perhaps", "--from-literal=values.yaml={b: perhaps}")
		shows("changed,perhaps,second,setting")
		kubectl(t, "", "delete", "configmap", "perhaps", "-n", ns)
		shows("changed,second,second,setting")
		awaitReady(t, name)
	})

	t.Run("what is lost touches nothing that runs", func(t *testing.T) {
		before := records(t, ns)
		kubectl(t, "", "delete", "secret", "creds", "-n", ns)
		fails("Secret referring/creds does not exist")
		wantRecords(t, ns, before)
		shows("changed,second,second,setting")
		put("secret generic creds", "--from-literal=password=other-than-before")
		awaitReady(t, name)
		wantRecords(t, ns, before)
	})

	t.Run("a restart and a label change nothing, and Ready stays", func(t *testing.T) {
		before, since := records(t, ns), readySince(t, name)
		op.stop()
		op = startOperator(outer, home, "--zap-log-level=debug")
		kubectl(t, "", "label", "configmap", "first", "-n", ns, "a=b")
		put("configmap perhaps", "--from-literal=unasked=x")
		kubectl(t, "", "delete", "configmap", "perhaps", "-n", ns)
		// A later edit is done, so what came before it has been seen.
		kubectl(t, "", "annotate", "controller", name, "multitenancy.dev/reconcile-at=now")
		eventually(t, patience, func() error {
			if !strings.Contains(op.log.String(), "Starting workers") {
				return fmt.Errorf("the operator does not work yet")
			}
			return nil
		})
		if got := readySince(t, name); !got.Equal(&since) {
			t.Errorf("Ready is true since %s, want %s as before", got, since)
		}
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			s.Tenancies = append(s.Tenancies, tenant("referring-later", install("conf", "")))
		})
		awaitReady(t, name)
		wantRecords(t, ns, before)
		if n := strings.Count(op.log.String(), "operation begins"); n != 1 {
			t.Errorf("%d operations began, want the one that was asked for", n)
		}
	})

	t.Run("no value is told", func(t *testing.T) {
		put("secret generic second", "--from-literal=values.yaml={b: '"+secret)
		fails(`key "values.yaml" of Secret referring/second is not YAML`)
		put("secret generic second", "--from-literal=values.yaml={fail: sure}")
		put("secret generic creds", "--from-literal=password="+secret)
		fails("no good: (redacted) (redacted)")
		for what, text := range map[string]string{
			"status": kubectl(t, "", "get", "controller", name, "-o", "yaml"),
			"events": kubectl(t, "", "get", "events", "-A", "-o", "yaml"),
			"log":    op.log.String(),
		} {
			if strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret))) {
				t.Errorf("a value of a Secret is in the %s", what)
			}
		}
	})
}

// readySince is when Ready became true.
func readySince(t *testing.T, name string) metav1.Time {
	t.Helper()
	for _, c := range get(t, name).Status.Conditions {
		if c.Type == v1alpha1.ConditionReady && c.Status == metav1.ConditionTrue {
			return c.LastTransitionTime
		}
	}
	t.Fatal("Ready is not true")
	return metav1.Time{}
}
