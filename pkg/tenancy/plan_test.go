package tenancy

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

func raw(text string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(text)} }

func setting(key, value string) v1alpha1.Setting { return v1alpha1.Setting{Key: key, Value: value} }

// school is a plan of a chart that takes its values from parameters.
func school(charts ...v1alpha1.PlanChart) v1alpha1.Plan {
	return v1alpha1.Plan{Name: "school", Charts: charts}
}

// planOf expands one tenancy of the plan school in namespace foo.
func planOf(t v1alpha1.TenancySpec, plans ...v1alpha1.Plan) Tenancy {
	t.Namespace, t.Plan = "foo", "school"
	every := charts{"web": {Name: "web", Digest: "d"}, "db": {Name: "db", Digest: "d"}}
	return FromSpec(v1alpha1.ControllerSpec{Plans: plans, Tenancies: []v1alpha1.TenancySpec{t}}, every, nil, nil)[0]
}

func TestParametersBecomeValues(t *testing.T) {
	params := map[string]v1alpha1.Parameter{
		"n": "3", "yes": "true", "text": "a", "other": "$(n) and $(namespace)", "list": "a,b=c", "template": "{{ .Values }}",
		"lines": "a\nb: c", "colon": `": x`, "json": `x","y":"z`, "null": "null", "empty": "", "path": "a.b", "dots.and-dashes_2": "d",
	}
	cases := map[string]struct {
		chart v1alpha1.PlanChart
		want  string
	}{
		"a setting is typed when it is whole": {
			v1alpha1.PlanChart{Settings: []v1alpha1.Setting{setting("a", "$(n)"), setting("b", "$(n)0"), setting("c", "$(yes)"), setting("d", "v$(n)")}},
			`{"a":3,"b":30,"c":true,"d":"v3"}`,
		},
		"type string stays text": {
			v1alpha1.PlanChart{Settings: []v1alpha1.Setting{{Key: "a", Value: "$(n)", Type: v1alpha1.SettingString}}}, `{"a":"3"}`,
		},
		"in JSON it is a text in a text": {
			v1alpha1.PlanChart{Settings: []v1alpha1.Setting{{Key: "a", Value: `{"$(n)":["$(n)","-$(json)-",1]}`, Type: v1alpha1.SettingJSON}}},
			`{"a":{"$(n)":["3","-x\",\"y\":\"z-",1]}}`,
		},
		"in values it is text, and names are as they are written": {
			v1alpha1.PlanChart{Values: raw(`{"a":{"$(n)":"$(n)"},"b":["$(text)-$(namespace)",{"c":"$(colon)"},true,null]}`)},
			`{"a":{"$(n)":"3"},"b":["a-foo",{"c":"\": x"},true,null]}`,
		},
		"a hostile one is one text": {
			v1alpha1.PlanChart{Settings: []v1alpha1.Setting{
				setting("a", "$(list)"), setting("b", "$(template)"), setting("c", "$(lines)"), setting("d", "$(colon)"), setting("e", "$(null)"), setting("f", "$(empty)"),
			}},
			`{"a":"a,b=c","b":"{{ .Values }}","c":"a\nb: c","d":"\": x","e":"null","f":""}`,
		},
		"it is not read again": {
			v1alpha1.PlanChart{Settings: []v1alpha1.Setting{setting("a", "$(other)")}}, `{"a":"$(n) and $(namespace)"}`,
		},
		"the key of a setting is as it is written": {
			v1alpha1.PlanChart{Settings: []v1alpha1.Setting{setting("a$(path)", "1")}}, `{"a$(path)":1}`,
		},
		"a literal": {
			v1alpha1.PlanChart{Settings: []v1alpha1.Setting{setting("a", "$$(n)"), setting("b", "$$$(n)"), setting("c", "$5 $"), setting("d", "$$(n) $(n)")}},
			`{"a":"$(n)","b":"$$(n)","c":"$5 $","d":"$(n) 3"}`,
		},
		"names": {
			v1alpha1.PlanChart{Settings: []v1alpha1.Setting{setting("a", "$(dots.and-dashes_2)$(text)$(text)")}}, `{"a":"daa"}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.chart.ChartName = "web"
			got := planOf(v1alpha1.TenancySpec{Params: params}, school(tc.chart))
			if got.Err != nil || got.Releases[0].Err != nil {
				t.Fatalf("errors = %v, %v", got.Err, got.Releases[0].Err)
			}
			values, err := json.Marshal(got.Releases[0].Values)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(values)); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOptionsOfAPlan: a tenancy's own charts lie over the plan's, by release name.
func TestOptionsOfAPlan(t *testing.T) {
	plan := school(
		v1alpha1.PlanChart{ChartName: "db", ReleaseName: "$(namespace)-db", Version: "$(version)"},
		v1alpha1.PlanChart{
			ChartName: "web", Repository: "shop", Version: "1.x", DependsOn: []string{"$(namespace)-db"},
			ValuesFrom:     []v1alpha1.ValuesReference{{Kind: v1alpha1.ReferenceSecret, Name: "$(tier)-keys", Key: "$(tier).yaml", TargetPath: "a.$(tier)"}},
			Values:         raw(`{"a":{"b":1,"c":2},"d":[1,2],"host":"$(tier)"}`),
			Settings:       []v1alpha1.Setting{setting("n", "1"), setting("m", "1")},
			TimeoutSeconds: 60, OnFailure: v1alpha1.FailureHold, Retries: new(int32(0)), Drift: v1alpha1.DriftWarn,
			CRDs: v1alpha1.CRDsCreate, Adopt: new(true), Suspend: new(true),
		},
	)
	params := map[string]v1alpha1.Parameter{"tier": "gold", "version": ">=1.2 <2"}
	planned := v1alpha1.Chart{
		ChartName: "web", ReleaseName: "foo", Repository: "shop", Version: "1.x", DependsOn: []string{"foo-db"},
		ValuesFrom:     []v1alpha1.ValuesReference{{Kind: v1alpha1.ReferenceSecret, Name: "gold-keys", Key: "gold.yaml", TargetPath: "a.$(tier)"}},
		TimeoutSeconds: 60, OnFailure: v1alpha1.FailureHold, Retries: new(int32(0)), Drift: v1alpha1.DriftWarn,
		CRDs: v1alpha1.CRDsCreate, Adopt: new(true), Suspend: new(true),
	}
	db := v1alpha1.Chart{ChartName: "db", ReleaseName: "foo-db", Version: ">=1.2 <2"}
	change := func(do func(*v1alpha1.Chart)) v1alpha1.Chart {
		out := *planned.DeepCopy()
		do(&out)
		return out
	}
	cases := map[string]struct {
		own  []v1alpha1.Chart
		want []v1alpha1.Chart
	}{
		"the plan alone": {nil, []v1alpha1.Chart{db, planned}},
		"what is not set stays the plan's": {
			[]v1alpha1.Chart{{Settings: []v1alpha1.Setting{setting("o", "1")}}},
			[]v1alpha1.Chart{db, change(func(c *v1alpha1.Chart) { c.Settings = []v1alpha1.Setting{setting("o", "1")} })},
		},
		"every option replaces": {
			[]v1alpha1.Chart{{
				ChartName: "web", ReleaseName: "foo", Repository: "other", Version: "2", DependsOn: []string{}, ValuesFrom: []v1alpha1.ValuesReference{},
				TimeoutSeconds: 5, OnFailure: v1alpha1.FailureRetry, Retries: new(int32(9)), Drift: v1alpha1.DriftIgnore,
				CRDs: v1alpha1.CRDsSkip, Adopt: new(false), Suspend: new(false),
			}},
			[]v1alpha1.Chart{db, {
				ChartName: "web", ReleaseName: "foo", Repository: "other", Version: "2", DependsOn: []string{}, ValuesFrom: []v1alpha1.ValuesReference{},
				TimeoutSeconds: 5, OnFailure: v1alpha1.FailureRetry, Retries: new(int32(9)), Drift: v1alpha1.DriftIgnore,
				CRDs: v1alpha1.CRDsSkip, Adopt: new(false), Suspend: new(false),
			}},
		},
		"new ones come last, and their texts are as they are": {
			[]v1alpha1.Chart{{ChartName: "web", ReleaseName: "extra", Version: "$(version)"}, {ReleaseName: "foo-db", TimeoutSeconds: 5}},
			[]v1alpha1.Chart{
				{ChartName: "db", ReleaseName: "foo-db", Version: ">=1.2 <2", TimeoutSeconds: 5},
				planned,
				{ChartName: "web", ReleaseName: "extra", Version: "$(version)"},
			},
		},
	}
	plans := blueprintsOf([]v1alpha1.Plan{plan})
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			all, err := expand(v1alpha1.TenancySpec{Namespace: "foo", Plan: "school", Params: params, Charts: tc.own}, plans)
			if err != nil {
				t.Fatal(err)
			}
			var got []v1alpha1.Chart
			for _, c := range all {
				got = append(got, c.Chart)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("expand() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValuesOverAPlan(t *testing.T) {
	plan := school(v1alpha1.PlanChart{
		ChartName: "web", Values: raw(`{"a":{"b":"$(b)","c":2},"d":[1,2],"e":{"f":1}}`),
		Settings: []v1alpha1.Setting{setting("n", "1"), setting("a.c", "3")},
	})
	tenancy := v1alpha1.TenancySpec{Params: map[string]v1alpha1.Parameter{"b": "x"}}
	for name, tc := range map[string]struct{ values, want string }{
		"maps are merged, lists are replaced": {`{"a":{"b":"$(b)","g":1},"d":[3]}`, `{"a":{"b":"$(b)","c":3,"g":1},"d":[3],"e":{"f":1},"n":2}`},
		"null removes":                        {`{"e":null,"d":null}`, `{"a":{"b":"x","c":3},"d":null,"e":null,"n":2}`},
		"none":                                {`{}`, `{"a":{"b":"x","c":3},"d":[1,2],"e":{"f":1},"n":2}`},
	} {
		t.Run(name, func(t *testing.T) {
			tenancy.Charts = []v1alpha1.Chart{{Values: raw(tc.values), Settings: []v1alpha1.Setting{setting("n", "2")}}}
			for range 2 { // what one tenancy makes of a plan, the next one must not see
				got := planOf(tenancy, plan)
				values, err := json.Marshal(got.Releases[0].Values)
				if err != nil || got.Releases[0].Err != nil {
					t.Fatal(err, got.Releases[0].Err)
				}
				if diff := cmp.Diff(tc.want, string(values)); diff != "" {
					t.Errorf("values (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestSourcesOfPlans(t *testing.T) {
	spec := v1alpha1.ControllerSpec{
		Plans: []v1alpha1.Plan{school(v1alpha1.PlanChart{ChartName: "web", Repository: "shop", Version: "$(v)"})},
		Tenancies: []v1alpha1.TenancySpec{
			{Namespace: "a", Plan: "school", Params: map[string]v1alpha1.Parameter{"v": "1"}},
			{Namespace: "b", Plan: "school", Params: map[string]v1alpha1.Parameter{"v": "1"}},
			{Namespace: "c", Plan: "school", Params: map[string]v1alpha1.Parameter{"v": "1"}, Charts: []v1alpha1.Chart{{Version: "2"}}},
			{Namespace: "d", Plan: "school"},
		},
	}
	_, refs := SourcesOf(spec)
	if diff := cmp.Diff([]ChartRef{{Repository: "shop", Name: "web", Version: "1"}, {Repository: "shop", Name: "web", Version: "2"}}, refs); diff != "" {
		t.Errorf("refs (-want +got):\n%s", diff)
	}
}
