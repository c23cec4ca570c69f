package tenancy

import (
	"errors"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// TestWhatFailsATenancy: with a plan that cannot be used every release that is known
// fails, and no other tenancy; no message has a value in it.
func TestWhatFailsATenancy(t *testing.T) {
	const secret = "s3cret-value, "
	web := v1alpha1.PlanChart{ChartName: "web", Settings: []v1alpha1.Setting{setting("host", "$(host)")}}
	with := func(change func(*v1alpha1.PlanChart)) []v1alpha1.PlanChart {
		out := *web.DeepCopy()
		change(&out)
		return []v1alpha1.PlanChart{out}
	}
	host := map[string]v1alpha1.Parameter{"host": secret}
	cases := map[string]struct {
		charts []v1alpha1.PlanChart
		params map[string]v1alpha1.Parameter
		own    []v1alpha1.Chart
		says   string
		knows  int // releases
	}{
		"a parameter is missing":   {[]v1alpha1.PlanChart{web}, nil, nil, `params does not have: "host" (setting "host" of chart web)`, 1},
		"in another letter's case": {[]v1alpha1.PlanChart{web}, map[string]v1alpha1.Parameter{"Host": "a"}, nil, `"host" (setting`, 1},
		"two are missing, told in order": {
			with(func(c *v1alpha1.PlanChart) { c.Values = raw(`{"a":["$(zone)"]}`) }), nil, nil,
			`"host" (setting "host" of chart web), "zone" (values of chart web)`, 1,
		},
		"in the version":        {with(func(c *v1alpha1.PlanChart) { c.Version = "$(v)" }), host, nil, `"v" (version of chart web)`, 1},
		"in the release's name": {with(func(c *v1alpha1.PlanChart) { c.ReleaseName = "$(r)" }), host, nil, `"r" (releaseName of chart web)`, 0},
		"no end":                {with(func(c *v1alpha1.PlanChart) { c.Version = "$(host" }), host, nil, `write $$( for a literal $( (version of chart web in plan school)`, 1},
		"a command, which is not quoted": {
			with(func(c *v1alpha1.PlanChart) { c.Values = raw(`{"a":"$(curl ` + secret + `)"}`) }), host, nil, `write $$( for a literal $( (values of chart web`, 1,
		},
		"a name that is none": {with(func(c *v1alpha1.PlanChart) { c.ReleaseName = "$(host)" }), host, nil, "releaseName of chart web with its parameters in it: the name of a release", 0},
		"a long name": {
			with(func(c *v1alpha1.PlanChart) { c.ReleaseName = strings.Repeat("r", 54) }), host, nil, "at most 53 characters", 0,
		},
		"a chart that is a path": {with(func(c *v1alpha1.PlanChart) { c.ChartName = "../$(host)" }), host, nil, "chartName of chart ../$(host)", 0},
		"a version that is none": {with(func(c *v1alpha1.PlanChart) { c.Version = "$(host)_" }), host, nil, "neither a version", 0},
		"an object's name that is none": {
			with(func(c *v1alpha1.PlanChart) { c.ValuesFrom = []v1alpha1.ValuesReference{{Name: "$(host)", Key: "a"}} }), host, nil, "valuesFrom.name of chart web", 0,
		},
		"a key that is none": {
			with(func(c *v1alpha1.PlanChart) { c.ValuesFrom = []v1alpha1.ValuesReference{{Name: "a", Key: "$(host)"}} }), host, nil, "valuesFrom.key of chart web", 0,
		},
		"a dependency that is none": {with(func(c *v1alpha1.PlanChart) { c.DependsOn = []string{"$(host)"} }), host, nil, "dependsOn of chart web", 0},
		"a repository that is none": {with(func(c *v1alpha1.PlanChart) { c.Repository = "$(host)" }), host, nil, "repository of chart web", 0},
		"two for one release": {
			append(with(func(c *v1alpha1.PlanChart) { c.ReleaseName = "foo" }), web), host, nil, "two charts for release foo", 1,
		},
		"no chartName":        {[]v1alpha1.PlanChart{web}, host, []v1alpha1.Chart{{ReleaseName: "wbe"}}, "release wbe has no chartName, and plan school has no release of that name", 1},
		"another chartName":   {[]v1alpha1.PlanChart{web}, host, []v1alpha1.Chart{{ChartName: "db"}}, "release foo has chart web in plan school and chart db in the tenancy", 1},
		"with one of its own": {[]v1alpha1.PlanChart{web}, nil, []v1alpha1.Chart{{ChartName: "db", ReleaseName: "db"}}, `"host"`, 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := planOf(v1alpha1.TenancySpec{Params: tc.params, Charts: tc.own}, school(tc.charts...))
			if !errors.Is(got.Err, ErrPlan) || !strings.Contains(got.Err.Error(), tc.says) || strings.Contains(got.Err.Error(), secret) {
				t.Errorf("Err = %v, want ErrPlan that says %q and no value", got.Err, tc.says)
			}
			if len(got.Releases) != tc.knows {
				t.Errorf("%d releases are known, want %d", len(got.Releases), tc.knows)
			}
			for _, rel := range got.Releases {
				if !errors.Is(rel.Err, ErrPlan) || !strings.HasPrefix(rel.Err.Error(), "release "+rel.Key.String()+": ") {
					t.Errorf("release %s has error %v, want the tenancy's", rel.Key, rel.Err)
				}
			}
		})
	}
	t.Run("no such plan", func(t *testing.T) {
		got := planOf(v1alpha1.TenancySpec{Charts: []v1alpha1.Chart{{ChartName: "web"}}}, v1alpha1.Plan{Name: "other"})
		if got.Err == nil || !strings.Contains(got.Err.Error(), `plan "school" is not in spec.plans`) || len(got.Releases) != 1 || got.Releases[0].Err == nil {
			t.Errorf("tenancy = %+v, want it to fail with its plan's name", got)
		}
	})
	t.Run("the others go on", func(t *testing.T) {
		spec := v1alpha1.ControllerSpec{Plans: []v1alpha1.Plan{school(web)}, Tenancies: []v1alpha1.TenancySpec{
			{Namespace: "bad", Plan: "school"}, {Namespace: "worse", Plan: "none"}, {Namespace: "good", Plan: "school", Params: host},
		}}
		got := FromSpec(spec, charts{"web": {Name: "web", Digest: "d"}}, nil, nil)
		if got[0].Err == nil || got[1].Err == nil || got[2].Err != nil || got[2].Releases[0].Err != nil {
			t.Errorf("errors = %v, %v, %v", got[0].Err, got[1].Err, got[2].Err)
		}
	})
}

// TestWhatFailsOneReleaseOfAPlan: what is wrong with the values of a chart fails its
// releases alone.
func TestWhatFailsOneReleaseOfAPlan(t *testing.T) {
	large := setting("a", strings.Repeat("$(a)", 300))
	cases := map[string]struct {
		chart   v1alpha1.PlanChart
		wantErr error
		says    string
	}{
		"a key that is no path": {v1alpha1.PlanChart{Settings: []v1alpha1.Setting{setting("a[x]", "1")}}, ErrSetting, `"a[x]" is not a path`},
		"a key twice":           {v1alpha1.PlanChart{Settings: []v1alpha1.Setting{setting("a", "1"), setting("a", "2")}}, ErrSetting, "listed twice"},
		"a parameter in place of JSON": {
			v1alpha1.PlanChart{Settings: []v1alpha1.Setting{{Key: "a", Value: "$(a)", Type: v1alpha1.SettingJSON}}}, ErrSetting, "not JSON",
		},
		"what grows without bound": {v1alpha1.PlanChart{Settings: []v1alpha1.Setting{large}}, ErrPlan, "longer than"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.chart.ChartName = "web"
			params := map[string]v1alpha1.Parameter{"a": v1alpha1.Parameter(strings.Repeat("a", 4096))}
			got := planOf(v1alpha1.TenancySpec{Params: params}, school(tc.chart, v1alpha1.PlanChart{ChartName: "db", ReleaseName: "db"}))
			if err := got.Releases[0].Err; !errors.Is(err, tc.wantErr) || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "aaa") {
				t.Errorf("error = %v, want %v that says %q", err, tc.wantErr, tc.says)
			}
			if got.Err != nil || got.Releases[1].Err != nil {
				t.Errorf("the tenancy has error %v, the other release %v; want none", got.Err, got.Releases[1].Err)
			}
		})
	}
}
