package release

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	helmchart "helm.sh/helm/v3/pkg/chart"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func withSchema(schema string, defaults map[string]any) *helmchart.Chart {
	return &helmchart.Chart{
		Metadata: &helmchart.Metadata{Name: "web", Version: "1.0.0", APIVersion: "v2"},
		Values:   defaults, Schema: []byte(schema),
	}
}

func TestCheck(t *testing.T) {
	const schema = `{"type":"object","properties":{
		"n":{"type":"integer","minimum":1},"s":{"enum":["a","b"]},"p":{"pattern":"^x$"},"deep":{"type":"object","required":["k"]}}}`
	cases := map[string]struct {
		values map[string]any
		says   string
	}{
		"nothing":            {map[string]any{}, ""},
		"what fits":          {map[string]any{"n": int64(3), "s": "a", "p": "x", "deep": map[string]any{"k": 1.0}}, ""},
		"a type":             {map[string]any{"n": "secret"}, "n must be integer and is string"},
		"a minimum":          {map[string]any{"n": int64(0)}, "n must be at least 1"},
		"an enum":            {map[string]any{"s": "secret"}, "s must be one of [a b]"},
		"a pattern":          {map[string]any{"p": "secret"}, "p must match ^x$"},
		"what is required":   {map[string]any{"deep": map[string]any{"x": "secret"}}, `deep must have "k"`},
		"below a number":     {map[string]any{"n": map[string]any{"x": 1.0}}, "nothing can be set below n"},
		"below a text":       {map[string]any{"t": map[string]any{"x": 1.0}}, "nothing can be set below t"},
		"below an empty one": {map[string]any{"e": map[string]any{"x": 1.0}}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := newChecker().check(withSchema(schema, map[string]any{"n": 1.0, "t": "text", "e": "", "deep": map[string]any{"k": 1.0}}), tc.values)
			if name == "what is required" {
				err = newChecker().check(withSchema(schema, nil), tc.values)
			}
			switch {
			case tc.says == "":
				if err != nil {
					t.Errorf("check() = %v", err)
				}
			case !errors.Is(err, tenancy.ErrValues) || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "secret"):
				t.Errorf("check() = %v, want ErrValues that says %q and no value", err, tc.says)
			}
		})
	}
}

// TestSchemaReachesNothing: a chart's schema reads neither files nor URLs, fault row 117.
func TestSchemaReachesNothing(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	for _, url := range []string{server.URL + "/x.json", "file:///etc/passwd", "urn:x"} {
		err := newChecker().check(withSchema(fmt.Sprintf(`{"$ref": %q}`, url), nil), map[string]any{})
		if !errors.Is(err, tenancy.ErrChartInvalid) || !strings.Contains(err.Error(), "not followed") {
			t.Errorf("check() with a reference to %s = %v", url, err)
		}
	}
	if asked > 0 {
		t.Errorf("the server was asked %d times", asked)
	}
}

func TestRedact(t *testing.T) {
	rel := tenancy.Release{
		Key: tenancy.Key{Namespace: "school-1", Name: "moodle"}, Chart: tenancy.Chart{Name: "moodle-chart"},
		Values: map[string]any{
			"password": "hunter2-hunter2", "list": []any{map[string]any{"token": "tok-abcdef"}}, "pin": int64(12345678),
			"text": "first line\nsecond line", "quoted": `say "secret" twice`, "name": "moodle", "chart": "moodle-chart", "short": "ab", "long": "hunter2-hunter2-and-more",
		},
	}
	encoded := base64.StdEncoding.EncodeToString([]byte("hunter2-hunter2"))
	err := redact(fmt.Errorf(`release school-1/moodle of moodle-chart: hunter2-hunter2-and-more hunter2-hunter2 tok-abcdef 12345678 %s "first line\nsecond line" %q ab: %w`,
		encoded, `say "secret" twice`, tenancy.ErrValues), rel)
	for _, secret := range []string{"hunter2", "tok-", "1234", "second line", `secret`, encoded, "and-more"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("redact() = %q, want no %q in it", err, secret)
		}
	}
	if !strings.Contains(err.Error(), "release school-1/moodle of moodle-chart") || !strings.Contains(err.Error(), " ab:") {
		t.Errorf("redact() = %q, want the names left in it", err)
	}
	if !errors.Is(err, tenancy.ErrValues) {
		t.Error("redact() lost what kind of error it is")
	}
	if unwrapped := errors.Unwrap(err); unwrapped != nil && strings.Contains(unwrapped.Error(), "hunter2") {
		t.Error("the text that was redacted can be unwrapped")
	}
}
