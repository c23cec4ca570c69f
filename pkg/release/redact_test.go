package release

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// TestRedactEveryForm: a value of six characters or more is in no message, however a
// template or the API server writes it.
func TestRedactEveryForm(t *testing.T) {
	cases := map[string]string{
		"the shortest":        "abc?é!",
		"a password":          "p<&>w\"or\\d ?>~",
		"with a line's end":   "hunter2-canary\n",
		"of several lines":    "  first line\n\tsecond line\n",
		"long":                strings.Repeat("canary ", 100),
		"a key":               "-----BEGIN KEY-----\nMIIBOgIBAAJBAKj\n-----END KEY-----\n",
		"with quotes outside": `"quoted"`,
	}
	for name, secret := range cases {
		t.Run(name, func(t *testing.T) {
			rel := tenancy.Release{Values: map[string]any{"deep": []any{map[string]any{"password": secret}}}}
			lines := strings.FieldsFunc(secret, func(r rune) bool { return r == '\n' })
			forms := []string{
				secret, fmt.Sprintf("%q", secret), url.QueryEscape(secret), url.PathEscape(secret), (&url.URL{Path: secret}).EscapedPath(),
				base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawStdEncoding.EncodeToString([]byte(secret)),
				base64.URLEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
				base64.StdEncoding.EncodeToString([]byte(strings.TrimSpace(secret))),
			}
			for _, line := range lines {
				forms = append(forms, strings.TrimSpace(line))
			}
			for _, form := range forms {
				got := redact(errors.New("no good: "+form), rel).Error()
				if strings.TrimRight(strings.ReplaceAll(got, "(redacted)", ""), ` "`) != "no good:" {
					t.Errorf("redact() of %q = %q", form, got)
				}
			}
		})
	}
}

// TestRedactNumbers: a large number is in no message, whichever way a template prints it.
func TestRedactNumbers(t *testing.T) {
	rel := tenancy.Release{Values: map[string]any{"read": float64(7318553927), "set": int64(7318553928)}}
	got := redact(errors.New("no good: 7.318553927e+09 7318553927 7318553928"), rel).Error()
	if want := "no good: (redacted) (redacted) (redacted)"; got != want {
		t.Errorf("redact() = %q, want %q", got, want)
	}
}

func TestRedactKeepsTheKind(t *testing.T) {
	err := redact(fmt.Errorf("%w: count must be 1", tenancy.ErrValues), tenancy.Release{Values: map[string]any{"n": "one"}})
	if !errors.Is(err, tenancy.ErrValues) || !strings.Contains(err.Error(), "count must be 1") {
		t.Errorf("redact() = %v, want ErrValues and its text", err)
	}
}

// TestRedactWhatTheAPIServerQuotes: what it refuses is not told, only where and why.
func TestRedactWhatTheAPIServerQuotes(t *testing.T) {
	cases := map[string]string{
		`spec.replicas: Invalid value: -1: must be positive`:                                       `spec.replicas: Invalid value: must be positive`,
		`patch: Invalid value: "{\"spec\":{\"pin\":\"7\"}}": no good`:                              `patch: Invalid value: no good`,
		`spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable`:            `spec.selector: Invalid value: field is immutable`,
		`spec.type: Unsupported value: "Odd": supported values: "ClusterIP", "LoadBalancer"`:       `spec.type: Unsupported value: supported values: "ClusterIP", "LoadBalancer"`,
		`volumes[1].name: Duplicate value: "Qx7z", ports[0].port: Duplicate value: 5, x: Required`: `volumes[1].name: Duplicate value: , ports[0].port: Duplicate value: , x: Required`,
		`volumeMounts[0].name: Not found: "Qx7z \"Qx"`:                                             `volumeMounts[0].name: Not found:`,
		`spec.selector: Invalid value: {"matchLabels":{"app":"Q x: 7"}}: field is immutable`:       `spec.selector: Invalid value: field is immutable`,
	}
	for text, want := range cases {
		got := redact(errors.New(text), tenancy.Release{})
		if again := redact(got, tenancy.Release{}); got.Error() != want || again.Error() != want {
			t.Errorf("redact(%q) = %q and then %q, want %q", text, got, again, want)
		}
	}
}
