package drift_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"multitenancy.dev/multi-tenancy-operator/pkg/drift"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	out := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &out.Object); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPatch(t *testing.T) {
	const containers = `spec: {template: {spec: {containers: [{name: main, image: a, env: [{name: A, value: "1"}]}]}}}`
	cases := map[string]struct {
		chart, live string
		typed       runtime.Object
		want        string
	}{
		"nothing differs": {chart: containers, live: containers, typed: &appsv1.Deployment{}},
		"what the chart says nothing of is left alone": {
			chart: `{metadata: {labels: {a: b}}, spec: {replicas: 1}}`,
			live:  `{metadata: {labels: {a: b, more: x}, uid: u}, spec: {replicas: 1, paused: true}, status: {replicas: 1}}`, typed: &appsv1.Deployment{},
		},
		"a field that differs": {
			chart: `{spec: {replicas: 1}}`, live: `{spec: {replicas: 7}}`, typed: &appsv1.Deployment{},
			want: `{"spec":{"replicas":1}}`,
		},
		"a field that is missing": {
			chart: `{metadata: {labels: {a: b}}}`, live: `{metadata: {}}`, typed: &appsv1.Deployment{},
			want: `{"metadata":{"labels":{"a":"b"}}}`,
		},
		"a container of several, by its name": {
			chart: containers, typed: &appsv1.Deployment{},
			live: `spec: {template: {spec: {containers: [{name: main, image: b, env: [{name: A, value: "1"}, {name: B, value: "2"}]}, {name: side, image: s}]}}}`,
			want: `{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"main"}],"containers":[{"$setElementOrder/env":[{"name":"A"}],"image":"a","name":"main"}]}}}}`,
		},
		"a list that is one value": {
			chart: `{spec: {template: {spec: {containers: [{name: main, args: [a]}]}}}}`, typed: &appsv1.Deployment{},
			live: `{spec: {template: {spec: {containers: [{name: main, args: [a, b]}]}}}}`,
			want: `{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"main"}],"containers":[{"args":["a"],"name":"main"}]}}}}`,
		},
		"what the API server adds to an item of a list": {
			chart: `{spec: {ports: [{port: 80}]}}`, typed: &corev1.Service{},
			live: `{spec: {ports: [{port: 80, protocol: TCP, targetPort: 80}], clusterIP: 10.0.0.1}}`,
		},
		"an unknown kind, as JSON": {
			chart: `{spec: {list: [{name: a}], deep: {x: 1}}}`, live: `{spec: {list: [{name: a}, {name: b}], deep: {x: 2, y: 3}}}`,
			want: `{"spec":{"deep":{"x":1},"list":[{"name":"a"}]}}`,
		},
		"an unknown kind that does not differ": {chart: `{spec: {x: 1}}`, live: `{spec: {x: 1, y: 2}}`},
		// The API server keeps it as data: only it knows that nothing differs.
		"what is written alone": {
			chart: `{stringData: {a: b}}`, live: `{data: {a: Yg==}}`, typed: &corev1.Secret{},
			want: `{"stringData":{"a":"b"}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			patch, kind, err := drift.Patch(object(t, tc.chart), object(t, tc.live), tc.typed)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(patch)); diff != "" {
				t.Errorf("Patch() (-want +got):\n%s", diff)
			}
			wantKind := types.StrategicMergePatchType
			switch {
			case tc.want == "":
				wantKind = ""
			case tc.typed == nil:
				wantKind = types.MergePatchType
			}
			if kind != wantKind {
				t.Errorf("the patch is a %q, want %q", kind, wantKind)
			}
		})
	}
}

func TestFields(t *testing.T) {
	many := func(n int, value string) string {
		text := "data:\n"
		for i := range n {
			text += fmt.Sprintf("  k%02d: %s\n", i, value)
		}
		return text
	}
	cases := map[string]struct {
		a, b string
		want []string
	}{
		"nothing":             {a: `{data: {a: b}}`, b: `{data: {a: b}}`},
		"nested, by name":     {a: `{spec: {a: {b: 1, c: 2}, d: 3}}`, b: `{spec: {a: {b: 2, c: 2}}}`, want: []string{"spec.a.b", "spec.d"}},
		"what one has alone":  {a: `{}`, b: `{data: {a: b}}`, want: []string{"data"}},
		"an object was empty": {a: ``, b: `{data: {a: b}}`, want: []string{"data"}},
		"items of lists by their names, or places": {
			a: `{spec: {containers: [{name: main, image: a}], args: [x, y]}}`, b: `{spec: {containers: [{name: main, image: b}], args: [x, z]}}`,
			want: []string{"spec.args[1]", "spec.containers[main].image"},
		},
		"a list that is longer": {a: `{spec: {args: [x]}}`, b: `{spec: {args: [x, y]}}`, want: []string{"spec.args"}},
		"another kind of value": {a: `{spec: {x: [1]}}`, b: `{spec: {x: {y: 1}}}`, want: []string{"spec.x"}},
		"what the API server keeps": {
			a: `{metadata: {resourceVersion: "1", generation: 1, managedFields: [{manager: a}], uid: a}, status: {x: 1}}`,
			b: `{metadata: {resourceVersion: "2", generation: 2, managedFields: [], uid: b}, status: {x: 2}}`,
		},
		"as many as are named": {
			a: many(8, "a"), b: many(8, "b"),
			want: []string{"data.k00", "data.k01", "data.k02", "data.k03", "data.k04", "data.k05", "data.k06", "data.k07"},
		},
		"more than are named": {
			a: many(20, "a"), b: many(20, "b"),
			want: []string{"data.k00", "data.k01", "data.k02", "data.k03", "data.k04", "data.k05", "data.k06", "data.k07", "12 more"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			a, b := object(t, tc.a), object(t, tc.b)
			if diff := cmp.Diff(tc.want, drift.Fields(a, b)); diff != "" {
				t.Errorf("Fields() (-want +got):\n%s", diff)
			}
			if a.GetResourceVersion() == "" && tc.want == nil && a.Object["status"] != nil {
				t.Error("Fields() changed what it compared")
			}
		})
	}
}
