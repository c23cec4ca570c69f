package release

import (
	"errors"
	"testing"
)

func TestJournalTellsWhatTheErrorDoesNot(t *testing.T) {
	cases := map[string]struct {
		log  []string
		err  string
		want string
	}{
		"flow is not told": {
			log: []string{"checking 3 resources for changes"}, err: "boom", want: "boom",
		},
		"a cause that the error hides is": {
			log: []string{"uninstall: Failed to delete release: [finalizer stuck]"}, err: "failed to delete release: web",
			want: "failed to delete release: web (before that: uninstall: Failed to delete release: [finalizer stuck])",
		},
		"what the error says is not said twice": {
			log: []string{"warning: Upgrade \"web\" failed: no good", "error updating the resource \"web\": no good"}, err: "upgrade: no good", want: "upgrade: no good",
		},
		"the last lines alone": {
			log: []string{"Failed one", "Failed two", "Failed three", "Failed three"}, err: "boom",
			want: "boom (before that: Failed two; Failed three)",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			j := &journal{}
			for _, line := range tc.log {
				j.log(line, []any{}...)
			}
			if got := j.explain(errors.New(tc.err)).Error(); got != tc.want {
				t.Errorf("explain() = %q, want %q", got, tc.want)
			}
		})
	}
}
