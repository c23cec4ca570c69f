package main

import (
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// refusedAtTheDoor tries what is refused, each with a message that says why.
func refusedAtTheDoor(t *testing.T, name string) {
	t.Helper()
	change := func(do func(*v1alpha1.Controller)) func() error {
		return func() error {
			cr := get(t, name)
			before := cr.DeepCopy()
			do(cr)
			return world.client.Patch(t.Context(), cr, client.MergeFrom(before))
		}
	}
	charts := func(i int, charts ...v1alpha1.Chart) func() error {
		return change(func(cr *v1alpha1.Controller) { cr.Spec.Tenancies[i].Charts = charts })
	}
	many := tenant("hooked-many")
	for i := range 12 {
		many.Charts = append(many.Charts, install("conf", "r"+strconv.Itoa(i)))
	}
	for what, tc := range map[string]struct {
		do   func() error
		says []string
	}{
		"a second Controller": {func() error { return world.client.Create(t.Context(), controllerOf("second")) }, []string{"Controller " + name + " is the active one", "add the tenancies to " + name}},
		"no such chart":       {charts(0, install("no-such-chart", "a")), []string{"hooked-a/a", "no-such-chart"}},
		"no such plan":        {change(func(cr *v1alpha1.Controller) { cr.Spec.Tenancies[0].Plan = "x" }), []string{"hooked-a", `plan "x" is not in spec.plans`}},
		"the schema":          {charts(1, install("strict", "a", "text", "much too long")), []string{"hooked-b/a", "text"}},
		"another chart":       {charts(0, install("deployment-example", "a")), []string{"release hooked-a/a has chart conf", "releaseName"}},
		"a confirmation that only the operator gives": {change(func(cr *v1alpha1.Controller) {
			cr.Annotations = map[string]string{v1alpha1.AnnotationRemovalsConfirmed: "7"}
		}), []string{"the operator alone writes it", v1alpha1.AnnotationConfirmRemovals}},
	} {
		err := tc.do()
		if err == nil {
			t.Errorf("%s is not refused", what)
			continue
		}
		for _, want := range tc.says {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in it", what, err, want)
			}
		}
		if strings.Contains(err.Error(), "much too long") {
			t.Errorf("%s: %v, which has a value in it", what, err)
		}
	}

	// Removals are confirmed in the same edit.
	add(t, name, many)
	take := func(annotations map[string]string) func() error {
		return change(func(cr *v1alpha1.Controller) {
			cr.Spec.Tenancies = cr.Spec.Tenancies[:2]
			cr.Annotations = annotations
		})
	}
	if err := take(nil)(); err == nil || !strings.Contains(err.Error(), "takes away 12 releases, more than maxRemovals (10)") {
		t.Errorf("twelve removals end with %v", err)
	}
	if err := take(map[string]string{v1alpha1.AnnotationConfirmRemovals: "12"})(); err != nil {
		t.Errorf("twelve confirmed removals: %v", err)
	}

	// People change the tenancies that name them.
	edit(t, name, func(s *v1alpha1.ControllerSpec) {
		s.Tenancies[0].Editors = &v1alpha1.People{Users: []string{"anna"}, Groups: []string{"team-a"}}
	})
	kubectl(t, "", "create", "clusterrole", "edits-controllers", "--verb=get,list,patch,update", "--resource=controllers.multitenancy.dev")
	kubectl(t, "", "create", "clusterrolebinding", "edits-controllers", "--clusterrole=edits-controllers", "--user=anna", "--user=ben", "--group=team-a")
	for _, tc := range []struct {
		who   string
		patch string
		says  string // when it is refused
	}{
		{"--as=anna", `[{"op":"add","path":"/spec/tenancies/0/suspend","value":true}]`, ""},
		{"--as=carl --as-group=team-a", `[{"op":"add","path":"/spec/tenancies/0/suspend","value":false}]`, ""},
		{"--as=ben", `[{"op":"add","path":"/spec/tenancies/0/suspend","value":true}]`, "ben may not change tenancy hooked-a"},
		{"--as=anna", `[{"op":"add","path":"/spec/tenancies/1/suspend","value":true}]`, "anna may not change tenancy hooked-b"},
		{"--as=anna", `[{"op":"add","path":"/spec/tenancies/0/editors/users","value":["anna","ben"]}]`, "anna may not change what bounds tenancy hooked-a"},
		{"--as=anna", `[{"op":"add","path":"/spec/tenancies/0/serviceAccountName","value":"admin"}]`, "what bounds tenancy hooked-a"},
		{"--as=anna", `[{"op":"add","path":"/spec/suspend","value":true}]`, "what is of all tenancies"},
		{"--as=anna", `[{"op":"remove","path":"/spec/tenancies/1"}]`, "whether there is a tenancy hooked-b"},
	} {
		_, err := world.cluster.Kubectl(t.Context(), "", append([]string{"patch", "controller", name, "--type=json", "-p", tc.patch}, strings.Fields(tc.who)...)...)
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("kubectl patch %s %s: %v, want %q", tc.patch, tc.who, err, tc.says)
		}
	}
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.Tenancies[0].Editors = nil })
}
