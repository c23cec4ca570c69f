package admission

import (
	"context"
	"errors"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// shelf has charts by name; one without a name is being fetched.
type shelf map[string]error

func (s shelf) Find(ref tenancy.ChartRef) (tenancy.Chart, error) {
	err, known := s[ref.Name]
	if !known {
		err = tenancy.ErrChartNotFound
	}
	return tenancy.Chart{Name: ref.Name, Digest: ref.Name}, err
}

func spec(charts ...string) v1alpha1.TenancySpec {
	t := v1alpha1.TenancySpec{Namespace: charts[0]}
	for _, c := range charts[1:] {
		t.Charts = append(t.Charts, v1alpha1.Chart{ChartName: c, ReleaseName: c})
	}
	return t
}

func controller(tenancies ...v1alpha1.TenancySpec) *v1alpha1.Controller {
	cr := &v1alpha1.Controller{}
	cr.Name = "one"
	cr.Spec.Tenancies = tenancies
	return cr
}

func TestCharts(t *testing.T) {
	v := &Validator{
		Charts: shelf{"web": nil, "db": nil, "late": tenancy.ErrChartPending, "away": tenancy.ErrSource},
		Fit: func(rel tenancy.Release) error {
			if rel.Chart.Name == "db" {
				return errors.New("release a/db: db.size is missing")
			}
			return nil
		},
	}
	broken := spec("broken", "missing")
	for name, tc := range map[string]struct {
		before, after  *v1alpha1.Controller
		errs, warnings string
	}{
		"all is well":                 {nil, controller(spec("a", "web")), "", ""},
		"no such chart":               {nil, controller(spec("a", "missing")), "chart not found", ""},
		"values that do not fit":      {nil, controller(spec("a", "web", "db")), `charts[db]: Invalid value: "a/db": db.size is missing`, ""},
		"what cannot be known now":    {nil, controller(spec("a", "late", "away")), "", "release a/late cannot be checked now"},
		"a fault that was there":      {controller(broken, spec("a", "web")), controller(broken, spec("a", "web", "late")), "", "a/late"},
		"a new fault beside it":       {controller(broken), controller(broken, spec("a", "missing")), "spec.tenancies[1].charts[missing]", ""},
		"a fault is mended in part":   {controller(broken), controller(spec("broken", "missing", "web")), "chart not found", ""},
		"a tenancy goes with a fault": {controller(broken, spec("a", "web")), controller(spec("a", "web")), "", ""},
		"a plan decides about them all": {controller(broken), func() *v1alpha1.Controller {
			cr := controller(broken)
			cr.Spec.Plans = []v1alpha1.Plan{{Name: "p"}}
			return cr
		}(), "chart not found", ""},
	} {
		var f found
		v.charts(&f, tc.before, tc.after)
		_, err := f.answer(tc.after)
		if (err == nil) != (tc.errs == "") || err != nil && !strings.Contains(err.Error(), tc.errs) {
			t.Errorf("%s: %v, want %q", name, err, tc.errs)
		}
		if got := strings.Join(f.warnings, "; "); (got == "") != (tc.warnings == "") || !strings.Contains(got, tc.warnings) {
			t.Errorf("%s: warnings %q, want %q", name, got, tc.warnings)
		}
	}
}

func TestAnswerIsShort(t *testing.T) {
	v := &Validator{Charts: shelf{}}
	var all []v1alpha1.TenancySpec
	for ns := range strings.SplitSeq("abcdefghijklmnopqrstuvwxyz", "") {
		all = append(all, spec(ns, "missing"))
	}
	var f found
	v.charts(&f, nil, controller(all...))
	_, err := f.answer(controller())
	if err == nil || !strings.Contains(err.Error(), "and 21 more problems") || len(err.Error()) > 1024 {
		t.Errorf("answer() = %v", err)
	}
}

func TestEditors(t *testing.T) {
	mine := spec("mine", "web")
	mine.Editors = &v1alpha1.People{Users: []string{"anna"}}
	before := controller(mine, spec("other", "web"))
	change := func(do func(*v1alpha1.Controller)) *v1alpha1.Controller {
		cr := before.DeepCopy()
		do(cr)
		return cr
	}
	for name, tc := range map[string]struct {
		after *v1alpha1.Controller
		who   string
		want  string
	}{
		"nothing":            {before, "ben", ""},
		"his own charts":     {change(func(cr *v1alpha1.Controller) { cr.Spec.Tenancies[0].Charts = nil }), "anna", ""},
		"somebody else's":    {change(func(cr *v1alpha1.Controller) { cr.Spec.Tenancies[1].Charts = nil }), "anna", "tenancy other"},
		"those of nobody":    {change(func(cr *v1alpha1.Controller) { cr.Spec.Tenancies[0].Charts = nil }), "ben", "tenancy mine"},
		"guardrails":         {change(func(cr *v1alpha1.Controller) { cr.Spec.Tenancies[0].Guardrails = &v1alpha1.Guardrails{} }), "anna", "what bounds tenancy mine"},
		"who edits":          {change(func(cr *v1alpha1.Controller) { cr.Spec.Tenancies[0].Editors = nil }), "anna", "what bounds tenancy mine"},
		"a tenancy more":     {change(func(cr *v1alpha1.Controller) { cr.Spec.Tenancies = append(cr.Spec.Tenancies, spec("new")) }), "anna", "whether there is a tenancy new"},
		"a tenancy less":     {change(func(cr *v1alpha1.Controller) { cr.Spec.Tenancies = cr.Spec.Tenancies[:1] }), "anna", "whether there is a tenancy other"},
		"all at once":        {change(func(cr *v1alpha1.Controller) { cr.Spec.Suspend = true }), "anna", "what is of all tenancies"},
		"an annotation":      {change(func(cr *v1alpha1.Controller) { cr.Annotations = map[string]string{v1alpha1.AnnotationTest: "*"} }), "anna", "what is of all tenancies"},
		"somebody's comment": {change(func(cr *v1alpha1.Controller) { cr.Annotations = map[string]string{"example.com/note": "x"} }), "anna", ""},
	} {
		v := &Validator{Manages: func(_ context.Context, user authenticationv1.UserInfo) (bool, error) {
			return user.Username == "platform", nil
		}}
		err := v.mayEdit(t.Context(), authenticationv1.UserInfo{Username: tc.who}, before, tc.after)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.who+" may not change "+tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		if err := v.mayEdit(t.Context(), authenticationv1.UserInfo{Username: "platform"}, before, tc.after); err != nil {
			t.Errorf("%s by who manages all: %v", name, err)
		}
	}
}
