package controller

import (
	"encoding/json"
	"fmt"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// shownTenancies is a status of n tenancies.
func shownTenancies(n int) v1alpha1.ControllerStatus {
	out := v1alpha1.ControllerStatus{
		ObservedGeneration: 1, Summary: &v1alpha1.Summary{}, Display: &v1alpha1.Display{},
		Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady}},
	}
	for i := range n {
		out.Tenancies = append(out.Tenancies, v1alpha1.TenancyEntry{
			Namespace: fmt.Sprint("school-", i), Phase: v1alpha1.TenancyReady,
			Releases: []v1alpha1.ReleaseStatus{{Name: "web", Ready: true}},
		})
	}
	return out
}

func TestChange(t *testing.T) {
	const small = 1000
	cases := map[string]struct {
		before v1alpha1.ControllerStatus
		edit   func(*v1alpha1.ControllerStatus)
		large  bool
	}{
		"the first status":     {edit: func(s *v1alpha1.ControllerStatus) { *s = shownTenancies(500) }, large: true},
		"one tenancy":          {shownTenancies(500), func(s *v1alpha1.ControllerStatus) { s.Tenancies[42].Phase = v1alpha1.TenancyDegraded }, false},
		"the last one":         {shownTenancies(500), func(s *v1alpha1.ControllerStatus) { s.Tenancies[499].Releases = nil }, false},
		"the summary":          {shownTenancies(500), func(s *v1alpha1.ControllerStatus) { s.Summary.Pods.Total = 3; s.Display.Pods = "0/3" }, false},
		"only the generation":  {shownTenancies(500), func(s *v1alpha1.ControllerStatus) { s.ObservedGeneration = 2 }, false},
		"a tenancy more":       {shownTenancies(500), func(s *v1alpha1.ControllerStatus) { *s = shownTenancies(501) }, true},
		"none left":            {shownTenancies(500), func(s *v1alpha1.ControllerStatus) { s.Tenancies = nil }, false},
		"some are left out":    {shownTenancies(500), func(s *v1alpha1.ControllerStatus) { s.Tenancies, s.Omitted = s.Tenancies[:400], 100 }, true},
		"none is left out now": {func() v1alpha1.ControllerStatus { s := shownTenancies(500); s.Omitted = 3; return s }(), func(s *v1alpha1.ControllerStatus) { s.Omitted = 0 }, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cr := &v1alpha1.Controller{ObjectMeta: metav1.ObjectMeta{Name: "one", ResourceVersion: "7"}, Status: tc.before}
			want := cr.DeepCopy()
			tc.edit(&want.Status)
			patch, err := change(cr, want.Status)
			if err != nil {
				t.Fatal(err)
			}
			data, err := patch.Data(want)
			if err != nil {
				t.Fatal(err)
			}
			if (len(data) > small) != tc.large {
				t.Errorf("the patch has %d bytes", len(data))
			}
			steps, err := jsonpatch.DecodePatch(data)
			if err != nil {
				t.Fatal(err)
			}
			document, err := json.Marshal(cr)
			if err != nil {
				t.Fatal(err)
			}
			if document, err = steps.Apply(document); err != nil {
				t.Fatal(err)
			}
			var got v1alpha1.Controller
			if err := json.Unmarshal(document, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, &got); diff != "" {
				t.Errorf("the object after it (-want +got):\n%s", diff)
			}
		})
	}
}
