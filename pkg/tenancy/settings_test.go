package tenancy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

func TestScalar(t *testing.T) {
	cases := map[string]any{
		"2": int64(2), "-7": int64(-7), "+7": int64(7), "0": int64(0),
		"true": true, "False": false, "TRUE": true,
		"1.5": 1.5, ".5": 0.5, "-1.25": -1.25,
		// Text, because YAML 1.1 and 1.2 read it differently.
		"yes": "yes", "no": "no", "on": "on", "off": "off", "y": "y",
		"0123": "0123", "007": "007", "1_000": "1_000", "1e6": "1e6", "12:30:45": "12:30:45", "0o17": "0o17",
		// Text, because nothing may set a second value or remove a default.
		"2,securityContext.privileged=true": "2,securityContext.privileged=true",
		"{a,b}":                             "{a,b}", "[1]": "[1]", "a=b": "a=b", "null": "null", "~": "~", "": "",
		"99999999999999999999": "99999999999999999999", "1.2.3": "1.2.3", "2026-01-01": "2026-01-01", " 2": " 2", "#x": "#x",
		"a: b": "a: b", "&x": "&x", "*x": "*x", "!!int 3": "!!int 3",
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			if diff := cmp.Diff(want, scalar(text)); diff != "" {
				t.Errorf("scalar(%q) (-want +got):\n%s", text, diff)
			}
		})
	}
}

func TestValuesOf(t *testing.T) {
	cases := map[string]struct {
		values   string
		settings []v1alpha1.Setting
		want     map[string]any
		wantErr  error
		says     string
	}{
		"nothing set": {want: map[string]any{}},
		"settings lie over values": {
			values:   `{"a":{"b":1,"c":2}}`,
			settings: []v1alpha1.Setting{{Key: "a.b", Value: "5"}},
			want:     map[string]any{"a": map[string]any{"b": int64(5), "c": 2.0}},
		},
		"lists, dots in names and types": {
			settings: []v1alpha1.Setting{
				{Key: "ports[1].name", Value: "http"},
				{Key: `annotations.example\.com/x`, Value: "1", Type: v1alpha1.SettingString},
				{Key: "list", Value: `[1,"b"]`, Type: v1alpha1.SettingJSON},
				{Key: "matrix[0][1]", Value: "1"},
				{Key: "gone", Value: "null", Type: v1alpha1.SettingJSON},
			},
			want: map[string]any{
				"ports":       []any{nil, map[string]any{"name": "http"}},
				"annotations": map[string]any{"example.com/x": "1"},
				"list":        []any{1.0, "b"},
				"matrix":      []any{[]any{nil, int64(1)}},
				"gone":        nil,
			},
		},
		"a key twice": {
			settings: []v1alpha1.Setting{{Key: "a", Value: "1"}, {Key: "a", Value: "2"}},
			wantErr:  ErrSetting, says: `"a" is listed twice`,
		},
		"below a scalar": {
			settings: []v1alpha1.Setting{{Key: "a", Value: "1"}, {Key: "a.b", Value: "2"}},
			wantErr:  ErrSetting, says: `"a.b" cannot be set`,
		},
		"an index in a map": {
			values:   `{"a":{"b":1}}`,
			settings: []v1alpha1.Setting{{Key: "a[0]", Value: "2"}},
			wantErr:  ErrSetting, says: "no list",
		},
		"an index beyond reason": {
			settings: []v1alpha1.Setting{{Key: "a[70000]", Value: "2"}},
			wantErr:  ErrSetting, says: "largest list index",
		},
		"no path":            {settings: []v1alpha1.Setting{{Key: "a..b", Value: "2"}}, wantErr: ErrSetting, says: "a name is empty"},
		"an open bracket":    {settings: []v1alpha1.Setting{{Key: "a[", Value: "2"}}, wantErr: ErrSetting, says: "ends too early"},
		"a negative index":   {settings: []v1alpha1.Setting{{Key: "a[-1]", Value: "2"}}, wantErr: ErrSetting, says: "not a list index"},
		"a second key":       {settings: []v1alpha1.Setting{{Key: "a=1,b", Value: "2"}}, wantErr: ErrSetting, says: "must be written"},
		"a list at the root": {settings: []v1alpha1.Setting{{Key: "[0]", Value: "2"}}, wantErr: ErrSetting},
		"too deep":           {settings: []v1alpha1.Setting{{Key: strings.Repeat("a.", 40) + "a", Value: "2"}}, wantErr: ErrSetting, says: "levels"},
		"no JSON": {
			settings: []v1alpha1.Setting{{Key: "a", Value: "{secret", Type: v1alpha1.SettingJSON}},
			wantErr:  ErrSetting, says: "is not JSON",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := v1alpha1.Chart{Settings: tc.settings}
			if tc.values != "" {
				c.Values = &apiextensionsv1.JSON{Raw: []byte(tc.values)}
			}
			got, err := valuesOf("foo", chart{Chart: c}, nil)
			if !errors.Is(err, tc.wantErr) {
				t.Fatalf("valuesOf() error = %v, want %v", err, tc.wantErr)
			}
			if err != nil {
				if !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "secret") {
					t.Errorf("valuesOf() error = %q, want it to say %q and no value", err, tc.says)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("valuesOf() (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDigestSeesOnlyWhatMatters: the order and the notation of settings make no
// new revision, a value and the chart do.
func TestDigestSeesOnlyWhatMatters(t *testing.T) {
	digest := func(of string, settings ...v1alpha1.Setting) string {
		t.Helper()
		values, err := valuesOf("foo", chart{Chart: v1alpha1.Chart{Settings: settings}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		d, err := DigestOf(of, values)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a, b := v1alpha1.Setting{Key: "a", Value: "1"}, v1alpha1.Setting{Key: "b.c", Value: "x"}
	base := digest("chart", a, b)
	if got := digest("chart", b, a); got != base {
		t.Error("the order of settings changed the digest")
	}
	if got := digest("chart", v1alpha1.Setting{Key: "a", Value: "1", Type: v1alpha1.SettingJSON}, b); got != base {
		t.Error("another notation of the same value changed the digest")
	}
	if got := digest("chart", v1alpha1.Setting{Key: "a", Value: "1", Type: v1alpha1.SettingString}, b); got == base {
		t.Error("a text instead of a number did not change the digest")
	}
	if got := digest("other chart", a, b); got == base {
		t.Error("another chart did not change the digest")
	}
	if got := digest("chart", a); got == base {
		t.Error("a setting less did not change the digest")
	}
}

type charts map[string]Chart

func (c charts) Find(ref ChartRef) (Chart, error) {
	found, ok := c[ref.Name]
	if !ok {
		return Chart{}, fmt.Errorf("%w: %q is not in the chart home", ErrChartNotFound, ref.Name)
	}
	return found, nil
}

func TestFromSpec(t *testing.T) {
	spec := v1alpha1.ControllerSpec{Tenancies: []v1alpha1.TenancySpec{{
		Namespace: "foo",
		Charts: []v1alpha1.Chart{
			{ChartName: "web"},
			{ChartName: "missing", ReleaseName: "x", TimeoutSeconds: 7},
			{ChartName: "web", ReleaseName: "y", Settings: []v1alpha1.Setting{{Key: "a", Value: "1"}, {Key: "a", Value: "1"}}},
		},
	}}}
	got := FromSpec(spec, charts{"web": {Name: "web", Version: "1.0.0", Digest: "d"}}, nil, nil)
	rels := got[0].Releases
	if rels[0].Key != (Key{"foo", "foo"}) || rels[0].Err != nil || rels[0].Timeout != DefaultTimeout || rels[0].Digest == "" {
		t.Errorf("a chart without releaseName = %+v, want release foo/foo with the defaults", rels[0])
	}
	if !errors.Is(rels[1].Err, ErrChartNotFound) || !strings.Contains(rels[1].Err.Error(), "foo/x") || rels[1].Timeout.Seconds() != 7 {
		t.Errorf("a missing chart = %+v, want ErrChartNotFound naming foo/x", rels[1])
	}
	if !errors.Is(rels[2].Err, ErrSetting) || rels[2].Position != 2 {
		t.Errorf("a setting twice = %+v, want ErrSetting at position 2", rels[2])
	}
}

func TestLine(t *testing.T) {
	long := strings.Repeat("ä", 3000)
	cases := map[string]struct{ in, want string }{
		"one line":              {"a\n\tb\r\n c", "a b c"},
		"no terminal sequences": {"a\x1b[31mb\x00", "a[31mb"},
		"short":                 {"a", "a"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Line(tc.in); got != tc.want {
				t.Errorf("Line() = %q, want %q", got, tc.want)
			}
		})
	}
	if got := Line(long); len(got) > 1024 || !strings.HasSuffix(got, "ä…") {
		t.Errorf("Line() of a long text has %d bytes and ends in %q", len(got), got[len(got)-5:])
	}
}

func TestOrderFollowsDependencies(t *testing.T) {
	cases := map[string]struct {
		dependsOn map[string][]string // in the order a, b, c, d
		want      string              // the releases by position
		fails     map[string]string
	}{
		"none":                {nil, "abcd", nil},
		"one":                 {map[string][]string{"a": {"c"}}, "cabd", nil},
		"a chain":             {map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"d"}}, "dcba", nil},
		"a diamond":           {map[string][]string{"a": {"b", "c"}, "b": {"d"}, "c": {"d"}}, "dbca", nil},
		"what is not there":   {map[string][]string{"b": {"x"}}, "abcd", map[string]string{"b": `"x" is not in the tenancy`}},
		"itself":              {map[string][]string{"b": {"b"}}, "abcd", map[string]string{"b": "b -> b"}},
		"a circle":            {map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"a"}}, "cbad", map[string]string{"a": "a -> b -> c -> a", "b": "a -> b -> c -> a", "c": "a -> b -> c -> a"}},
		"somebody off circle": {map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"b"}}, "cbad", map[string]string{"b": "b -> c -> b", "c": "b -> c -> b"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var releases []Release
			for _, name := range []string{"a", "b", "c", "d"} {
				releases = append(releases, Release{Key: Key{"ns", name}, DependsOn: tc.dependsOn[name]})
			}
			order(releases)
			got := make([]byte, len(releases))
			for _, rel := range releases {
				got[rel.Position] = rel.Key.Name[0]
				want := tc.fails[rel.Key.Name]
				if (rel.Err != nil) != (want != "") || rel.Err != nil && (!errors.Is(rel.Err, ErrDependency) || !strings.Contains(rel.Err.Error(), want)) {
					t.Errorf("release %s has error %v, want %q", rel.Key.Name, rel.Err, want)
				}
			}
			if string(got) != tc.want {
				t.Errorf("by position: %s, want %s", got, tc.want)
			}
		})
	}
}
