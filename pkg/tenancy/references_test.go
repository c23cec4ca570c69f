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

const canary = "canary-7f3a"

// objects are those of namespace foo: by kind and name, then key. A nil one is
// not known yet.
type objects map[string]map[string]string

func (o objects) Lookup(ref Reference, key string) ([]byte, ReferenceState) {
	object, exists := o[strings.Replace(ref.String(), "foo/", "", 1)]
	text, has := object[key]
	switch {
	case !exists:
		return nil, ReferenceNoObject
	case object == nil:
		return nil, ReferenceUnknown
	case !has:
		return nil, ReferenceNoKey
	}
	return []byte(text), ReferenceFound
}

func configMap(name string) v1alpha1.ValuesReference {
	return v1alpha1.ValuesReference{Kind: v1alpha1.ReferenceConfigMap, Name: name}
}

func secret(key, path string) v1alpha1.ValuesReference {
	return v1alpha1.ValuesReference{Kind: v1alpha1.ReferenceSecret, Name: "s", Key: key, TargetPath: path}
}

func optional(ref v1alpha1.ValuesReference) v1alpha1.ValuesReference {
	ref.Optional = true
	return ref
}

func yamlIn(text string) objects { return objects{"ConfigMap a": {"values.yaml": text}} }

func TestValuesFrom(t *testing.T) {
	a := []v1alpha1.ValuesReference{configMap("a")}
	cases := map[string]struct {
		objects  objects
		from     []v1alpha1.ValuesReference
		values   string
		settings []v1alpha1.Setting
		want     map[string]any
		wantErr  error
		says     string
	}{
		"references in order, then values, then settings": {
			objects: objects{
				"ConfigMap a": {"values.yaml": "m: {a: 1, b: 1, c: 1, d: 1}\nl: [1, 2, 3]\n"},
				"ConfigMap b": {"values.yaml": "m: {b: 2, c: 2, d: 2}\nl: [4]\n"},
			},
			from:     []v1alpha1.ValuesReference{configMap("a"), configMap("b")},
			values:   `{"m":{"c":"3","d":"3"}}`,
			settings: []v1alpha1.Setting{{Key: "m.d", Value: "4"}},
			want:     map[string]any{"m": map[string]any{"a": int64(1), "b": int64(2), "c": "3", "d": int64(4)}, "l": []any{int64(4)}},
		},
		"another order": {
			objects: objects{"ConfigMap a": {"values.yaml": "m: {x: a}\n"}, "ConfigMap b": {"values.yaml": "m: {x: b}\n"}},
			from:    []v1alpha1.ValuesReference{configMap("b"), configMap("a")},
			want:    map[string]any{"m": map[string]any{"x": "a"}},
		},
		"null takes the place of what was there": {
			objects: yamlIn("a: {b: 1}\n"), from: a, values: `{"a":null}`,
			want: map[string]any{"a": nil},
		},
		"whole numbers stay whole": {
			objects: yamlIn("a: 1000000\nb: 1.5\nc: 9007199254740993\nd: 18446744073709551615\ne: yes\nf: 2026-01-01\n1: x\ntrue: z\n"), from: a,
			want: map[string]any{
				"a": int64(1000000), "b": 1.5, "c": int64(9007199254740993), "d": 18446744073709551615.0,
				"e": true, "f": "2026-01-01", "1": "x", "true": "z",
			},
		},
		"few aliases are fine": {
			objects: yamlIn("a: &a {x: 1}\nb: *a\nc: {<<: *a, z: 2}\n"), from: a,
			settings: []v1alpha1.Setting{{Key: "b.x", Value: "5"}},
			want: map[string]any{
				"a": map[string]any{"x": int64(1)}, "b": map[string]any{"x": int64(5)}, "c": map[string]any{"x": int64(1), "z": int64(2)},
			},
		},
		"nothing in it": {objects: yamlIn("# later\n"), from: a, want: map[string]any{}},
		"text at a path, as it is": {
			objects: objects{"Secret s": {"password": "2\n"}},
			from:    []v1alpha1.ValuesReference{secret("password", `db[1].pass\.word`)},
			want:    map[string]any{"db": []any{nil, map[string]any{"pass.word": "2\n"}}},
		},
		"text over what was read before": {
			objects: objects{"ConfigMap a": {"values.yaml": "db: {user: u, password: none}\n"}, "Secret s": {"password": "p"}},
			from:    []v1alpha1.ValuesReference{configMap("a"), secret("password", "db.password")},
			want:    map[string]any{"db": map[string]any{"user": "u", "password": "p"}},
		},
		"optional": {
			objects: objects{"Secret s": {"other": "x"}},
			from:    []v1alpha1.ValuesReference{optional(configMap("a")), optional(secret("password", "p"))},
			want:    map[string]any{},
		},
		"no object": {
			from: a, wantErr: ErrReference, says: `ConfigMap foo/a does not exist (key "values.yaml"`,
		},
		"no key": {
			objects: objects{"Secret s": {"other": canary}}, from: []v1alpha1.ValuesReference{secret("password", "p")},
			wantErr: ErrReference, says: `Secret foo/s has no key "password"`,
		},
		"not known yet": {
			objects: objects{"ConfigMap a": nil}, from: a, wantErr: ErrReferencePending, says: "ConfigMap foo/a",
		},
		"not known yet and optional": {
			objects: objects{"ConfigMap a": nil}, from: []v1alpha1.ValuesReference{optional(configMap("a"))},
			wantErr: ErrReferencePending, says: "ConfigMap foo/a",
		},
		"no YAML": {
			objects: yamlIn("a: 1\nb: '" + canary + "\n"), from: a, wantErr: ErrReference, says: `key "values.yaml" of ConfigMap foo/a is not YAML (line`,
		},
		"an alias of nothing": {
			objects: yamlIn("a: *" + canary + "\n"), from: a, wantErr: ErrReference, says: "is not YAML",
		},
		"a text":             {objects: yamlIn(canary), from: a, wantErr: ErrReference, says: "not a map"},
		"a list":             {objects: yamlIn("[" + canary + "]"), from: a, wantErr: ErrReference, says: "not a map"},
		"no number":          {objects: yamlIn("a: .nan"), from: a, wantErr: ErrReference, says: "infinite"},
		"binary":             {objects: yamlIn("a: !!binary gICA"), from: a, wantErr: ErrReference, says: "binary"},
		"a map as a key":     {objects: yamlIn("? {" + canary + ": 1}\n: 2\n"), from: a, wantErr: ErrReference, says: "YAML"},
		"too deep":           {objects: yamlIn("a: " + strings.Repeat("[", 200) + strings.Repeat("]", 200)), from: a, wantErr: ErrReference, says: "levels"},
		"too large":          {objects: yamlIn("a: " + strings.Repeat("x", 1<<20)), from: a, wantErr: ErrReference, says: "1 MiB"},
		"an alias bomb":      {objects: yamlIn(bomb()), from: a, wantErr: ErrReference, says: "aliases"},
		"aliases of a giant": {objects: yamlIn("a: &a " + strings.Repeat("x", 1<<19) + "\nb: [" + strings.Repeat("*a,", 1000) + "]"), from: a, wantErr: ErrReference, says: "aliases"},
		"below a scalar": {
			objects: objects{"ConfigMap a": {"values.yaml": "db: " + canary}, "Secret s": {"p": canary}},
			from:    []v1alpha1.ValuesReference{configMap("a"), secret("p", "db.password")},
			wantErr: ErrReference, says: `Secret foo/s cannot be put at targetPath "db.password"`,
		},
		"no path": {
			objects: objects{"Secret s": {"p": canary}}, from: []v1alpha1.ValuesReference{secret("p", "a..b")},
			wantErr: ErrReference, says: `targetPath "a..b"`,
		},
		"no text": {
			objects: objects{"Secret s": {"p": "\xff\xfe" + canary}}, from: []v1alpha1.ValuesReference{secret("p", "a")},
			wantErr: ErrReference, says: "is not text",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := v1alpha1.Chart{ValuesFrom: tc.from, Settings: tc.settings}
			if tc.values != "" {
				c.Values = &apiextensionsv1.JSON{Raw: []byte(tc.values)}
			}
			got, err := valuesOf("foo", chart{Chart: c}, tc.objects)
			if !errors.Is(err, tc.wantErr) {
				t.Fatalf("valuesOf() error = %v, want %v", err, tc.wantErr)
			}
			if err != nil {
				if !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), canary) {
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

// bomb is a small text that becomes a billion values.
func bomb() string {
	out := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 8 {
		out += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 10))
	}
	return out
}

func TestReferencesOfARelease(t *testing.T) {
	spec := v1alpha1.ControllerSpec{Tenancies: []v1alpha1.TenancySpec{{Namespace: "foo", Charts: []v1alpha1.Chart{
		{ChartName: "missing", ReleaseName: "a", ValuesFrom: []v1alpha1.ValuesReference{configMap("a"), secret("p", "p")}},
		{ChartName: "web", ReleaseName: "b", ValuesFrom: []v1alpha1.ValuesReference{configMap("a")}},
		{ChartName: "web", ReleaseName: "c"},
	}}}}
	digest := func(o objects) string {
		t.Helper()
		rels := FromSpec(spec, charts{"web": {Name: "web", Digest: "d"}}, o, nil)[0].Releases
		want := []Reference{{"foo", v1alpha1.ReferenceConfigMap, "a"}, {"foo", v1alpha1.ReferenceSecret, "s"}}
		if diff := cmp.Diff(want, rels[0].References); diff != "" {
			t.Errorf("references of a release whose chart is missing (-want +got):\n%s", diff)
		}
		if rels[1].Err != nil || rels[2].Err != nil {
			t.Fatalf("errors = %v, %v", rels[1].Err, rels[2].Err)
		}
		return rels[1].Digest
	}
	base := digest(yamlIn("a: 1\n"))
	if digest(yamlIn("{a: 1} # other notation")) != base {
		t.Error("another notation of the same values changed the digest")
	}
	if digest(yamlIn("a: 2\n")) == base {
		t.Error("another value did not change the digest")
	}
}

func TestPending(t *testing.T) {
	cases := map[string]struct {
		err  error
		want bool
	}{
		"nothing":           {nil, false},
		"a chart":           {fmt.Errorf("release a/b: %w", ErrChartPending), true},
		"a reference":       {fmt.Errorf("release a/b: %w", ErrReferencePending), true},
		"what is not there": {ErrReference, false},
	}
	for name, tc := range cases {
		if got := Pending(tc.err); got != tc.want {
			t.Errorf("%s: Pending() = %v, want %v", name, got, tc.want)
		}
	}
}
