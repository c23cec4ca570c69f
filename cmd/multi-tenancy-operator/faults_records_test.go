package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// denyRecords refuses every new release record of a namespace.
const denyRecords = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: deny-records}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [secrets]}]
  validations: [{expression: "object.type != 'helm.sh/release.v1'", message: no records here}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: deny-records}
spec:
  policyName: deny-records
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: rec-denied}}}
`

// TestRecordFaults: what can happen to Helm's records, fault rows 19, 21, 22,
// 27, 28, 31 and 34. Row 17 is in TestWhatTheSchemaCannotKnow, 24 and 25 in
// TestChangedByHand, 33 in TestForeignReleaseOfTheSameNameIsHeld.
func TestRecordFaults(t *testing.T) {
	const name = "records"
	px := startProxy(t)
	op := startOperatorAs(t, px.kubeconfig, fixture.Home(t, "", fixture.ConfigMap("conf")), "--zap-log-level=debug")
	create(t, name, tenant("rec-other", install("conf", "a")))
	defer op.lives()

	t.Run("19: a record may not be made", func(t *testing.T) {
		kubectl(t, "", "create", "namespace", "rec-denied")
		kubectl(t, denyRecords, "apply", "-f", "-")
		probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "probe"}, Type: "helm.sh/release.v1"}
		eventually(t, patience, func() error {
			_, err := world.kube.CoreV1().Secrets("rec-denied").Create(t.Context(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if err == nil {
				return fmt.Errorf("the policy is not in force yet")
			}
			return nil
		})
		add(t, name, tenant("rec-denied", install("conf", "a")))
		eventually(t, patience, failed(t, name, "rec-denied", "a", "no records here"))
		if diff := cmp.Diff(map[string]string{}, texts(t, "rec-denied")); diff != "" {
			t.Errorf("something was applied (-want +got):\n%s", diff)
		}
		kubectl(t, denyRecords, "delete", "-f", "-")
		eventually(t, patience, func() error {
			nudge(t, name)
			return holds(t, name, "rec-denied", "a", 1)()
		})
	})

	t.Run("21: the history may not be read", func(t *testing.T) {
		add(t, name, tenant("rec-gone", install("conf", "a")))
		eventually(t, patience, holds(t, name, "rec-gone", "a", 1))
		mend := px.play(fault{verb: "get", path: regexp.MustCompile(`/namespaces/rec-(blind|gone)/secrets`), status: http.StatusForbidden})
		defer mend()
		add(t, name, tenant("rec-blind", install("conf", "a")))
		rechart(t, name, "rec-gone", without)
		eventually(t, patience, failed(t, name, "rec-blind", "a", "install", "a fault is played"))
		eventually(t, patience, failed(t, name, "rec-gone", "a", "uninstall", "a fault is played"))
		wantRecords(t, "rec-blind", map[string]string{})
		if diff := cmp.Diff(map[string]string{}, texts(t, "rec-blind")); diff != "" {
			t.Errorf("something was installed blindly (-want +got):\n%s", diff)
		}
		wantRecords(t, "rec-gone", map[string]string{"a.v1": "deployed"})
		mend()
		nudge(t, name)
		eventually(t, patience, holds(t, name, "rec-blind", "a", 1))
		eventually(t, patience, recorded(t, "rec-gone", "a.v1", ""))
	})

	t.Run("22: the latest record is deleted by hand", func(t *testing.T) {
		add(t, name, tenant("rec-deleted", install("conf", "a", "text", "one")))
		eventually(t, patience, holds(t, name, "rec-deleted", "a", 1))
		set(t, name, "rec-deleted", "text", "two")
		eventually(t, patience, holds(t, name, "rec-deleted", "a", 2))
		before := recordOf(t, "rec-deleted", "a.v2")
		kubectl(t, "", "delete", "secret", "-n", "rec-deleted", before.Name)
		eventually(t, patience, func() error {
			list, err := world.kube.CoreV1().Secrets("rec-deleted").List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + before.Name})
			if err != nil || len(list.Items) != 1 || list.Items[0].Labels["status"] != "deployed" || list.Items[0].UID == before.UID {
				return fmt.Errorf("record 2 has not been made again (%w)", err)
			}
			return nil
		})
		if diff := cmp.Diff(map[string]string{"a-conf": "two"}, texts(t, "rec-deleted")); diff != "" {
			t.Errorf("ConfigMaps (-want +got):\n%s", diff)
		}
	})

	t.Run("27, 28: a record cannot be read", func(t *testing.T) { unreadableRecords(t, name) })

	t.Run("34: two records are deployed", func(t *testing.T) {
		add(t, name, tenant("rec-two", install("conf", "a", "text", "one")))
		eventually(t, patience, holds(t, name, "rec-two", "a", 1))
		set(t, name, "rec-two", "text", "two")
		eventually(t, patience, holds(t, name, "rec-two", "a", 2))
		kubectl(t, "", "label", "--overwrite", "secret", "-n", "rec-two", "sh.helm.release.v1.a.v1", "status=deployed")
		set(t, name, "rec-two", "text", "three")
		eventually(t, patience, holds(t, name, "rec-two", "a", 3))
		eventually(t, patience, recorded(t, "rec-two", "a.v2", "superseded"))
		if diff := cmp.Diff(map[string]string{"a-conf": "three"}, texts(t, "rec-two")); diff != "" {
			t.Errorf("ConfigMaps (-want +got):\n%s", diff)
		}
		rechart(t, name, "rec-two", without)
		eventually(t, patience, func() error {
			if got := records(t, "rec-two"); len(got) > 0 {
				return fmt.Errorf("records are left: %v", got)
			}
			return nil
		})
	})

	t.Run("31: history is bounded", func(t *testing.T) {
		add(t, name, tenant("rec-many", install("conf", "a")))
		for i := range 20 {
			set(t, name, "rec-many", "text", fmt.Sprint(i))
			eventually(t, patience, recorded(t, "rec-many", fmt.Sprintf("a.v%d", i+1), "deployed"))
		}
		if got := records(t, "rec-many"); len(got) > 5 {
			t.Errorf("%d records are left, want 5 at most: %v", len(got), got)
		}
	})
}

// unreadableRecords: the next revision is made past what cannot be read, and
// nothing is made twice. A removal says what is in its way.
func unreadableRecords(t *testing.T, name string) {
	encode := base64.StdEncoding.EncodeToString
	cases := map[string]string{
		"nothing": "", "no-base64": "*", "no-gzip": encode([]byte("\x1f\x8b\x08 no")), "no-json": encode([]byte("{")),
		"null": encode([]byte("null")), "another": encode([]byte(`{"name": "b", "version": 1, "info": {}, "chart": {"metadata": {}}}`)),
	}
	ns := func(which string) string { return "rec-" + which }
	var tenancies []v1alpha1.TenancySpec
	for which := range cases {
		tenancies = append(tenancies, tenant(ns(which), install("conf", "a", "text", "one")))
	}
	add(t, name, tenancies...)
	for which := range cases {
		eventually(t, patience, holds(t, name, ns(which), "a", 1))
	}
	setAll := func(text string) {
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			for i := range s.Tenancies {
				if _, ok := cases[strings.TrimPrefix(s.Tenancies[i].Namespace, "rec-")]; ok {
					s.Tenancies[i].Charts = []v1alpha1.Chart{install("conf", "a", "text", text)}
				}
			}
		})
	}
	spoil := func(record string) {
		for which, data := range cases {
			patch := fmt.Sprintf(`{"data": {"release": %q}}`, encode([]byte(data)))
			if _, err := world.kube.CoreV1().Secrets(ns(which)).Patch(t.Context(), "sh.helm.release.v1."+record,
				types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	spoil("a.v1") // the only one there is
	setAll("two")
	for which := range cases {
		eventually(t, patience, holds(t, name, ns(which), "a", 2))
	}
	spoil("a.v2") // the latest one
	setAll("three")
	for which := range cases {
		eventually(t, patience, holds(t, name, ns(which), "a", 3))
		if diff := cmp.Diff(map[string]string{"a-conf": "three"}, texts(t, ns(which))); diff != "" {
			t.Errorf("ConfigMaps (-want +got):\n%s", diff)
		}
	}
	spoil("a.v1") // an old one, which goes with the others

	spoil("a.v3") // what a removal needs
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		for i := range s.Tenancies {
			if _, ok := cases[strings.TrimPrefix(s.Tenancies[i].Namespace, "rec-")]; ok {
				s.Tenancies[i].Charts = nil
			}
		}
	})
	for which := range cases {
		eventually(t, patience, failed(t, name, ns(which), "a", "sh.helm.release.v1.a.v3", "cannot be read"))
	}
	setAll("four")
	for which := range cases {
		eventually(t, patience, holds(t, name, ns(which), "a", 4))
	}
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies = s.Tenancies[:1] })
	for which := range cases {
		eventually(t, patience, func() error {
			if got, left := records(t, ns(which)), texts(t, ns(which)); len(got)+len(left) > 0 {
				return fmt.Errorf("%s is left with %v and %v", ns(which), got, left)
			}
			return nil
		})
	}
}

// record reads a record of Helm's.
func recordOf(t testing.TB, namespace, name string) *corev1.Secret {
	t.Helper()
	secret, err := world.kube.CoreV1().Secrets(namespace).Get(t.Context(), "sh.helm.release.v1."+name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}
