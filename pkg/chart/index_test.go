package chart

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestParseIndex: an index is read the same, however it is written, and only what is
// wanted of it.
func TestParseIndex(t *testing.T) {
	one := map[string][]listed{"web": {{Version: "1.0.0", URLs: []string{"web.tgz"}, Digest: "aa"}}}
	many := "  other:\n  - version: 6.6.6\n    description: |\n      web:\n      - version: 7.7.7\n"
	cases := map[string]struct {
		text string
		want map[string][]listed
		bad  string
	}{
		"as Helm writes it": {"apiVersion: v1\nentries:\n" + many + "  web:\n  - digest: aa\n    urls:\n    - web.tgz\n    version: 1.0.0\n" +
			strings.Replace(many, "other", "z", 1) + "generated: \"2026-01-01T00:00:00Z\"\n", one, ""},
		"indented more":     {"entries:\n\n    # all of them\n    'web':\n        - {version: 1.0.0, urls: [web.tgz], digest: aa}\n\n# end\napiVersion: v1\n", one, ""},
		"with CRLF":         {"apiVersion: v1\r\nentries:\r\n  web:\r\n  - version: 1.0.0\r\n    urls: [web.tgz]\r\n    digest: aa\r\n", one, ""},
		"in the flow style": {"{apiVersion: v1, entries: {web: [{version: 1.0.0, urls: [web.tgz], digest: aa}], other: []}}", one, ""},
		"half in it":        {"---\napiVersion: v1\nentries: {web: [{version: 1.0.0, urls: [web.tgz], digest: aa}], other: []}\n", one, ""},
		"JSON":              {`{"apiVersion":"v1","entries":{"web":[{"version":"1.0.0","urls":["web.tgz"],"digest":"aa"}],"other":[null]}}`, one, ""},
		"a quoted key":      {"apiVersion: v1\n\"entries\":\n  web: [{version: 1.0.0, urls: [web.tgz], digest: aa}]\n", one, ""},
		"without the chart": {"apiVersion: v1\nentries:\n" + many, map[string][]listed{}, ""},
		"empty":             {"", nil, "no apiVersion"},
		"a list":            {"apiVersion: v1\nentries:\n- web\n", nil, "not the YAML"},
		"no list":           {"apiVersion: v1\nentries:\n  web: text\n", nil, "not the YAML"},
		"one large chart":   {"apiVersion: v1\nentries:\n  web:\n" + strings.Repeat("  - {version: 1.0.0}\n", maxPiece/20), nil, "read at once"},
		"large, not wanted": {"apiVersion: v1\nentries:\n  other:\n" + strings.Repeat("  - {version: 1.0.0}\n", maxPiece/20), map[string][]listed{}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parseIndex([]byte(tc.text), map[string]bool{"web": true})
			if tc.bad != "" {
				if err == nil || !strings.Contains(err.Error(), tc.bad) {
					t.Errorf("parseIndex() = %v, want %q", err, tc.bad)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("parseIndex() (-want +got):\n%s%v", diff, err)
			}
		})
	}
}
