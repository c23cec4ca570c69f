package main

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestWhatHelmRefusesIsRefused: a chart that helm does not install is not
// installed by the operator, for the same reason, and neither leaves a record.
func TestWhatHelmRefusesIsRefused(t *testing.T) {
	const name = "refused"
	cases := map[string]struct {
		files map[string]string
		why   string // what both say
	}{
		"missing-dependency": {
			files: map[string]string{"Chart.yaml": "dependencies: [{name: cache, version: 1.x.x, condition: cache.enabled}]\n"},
			why:   "missing in charts/ directory: cache",
		},
		"other-kubernetes": {files: map[string]string{"Chart.yaml": "kubeVersion: <1.20.0\n"}, why: "kubeVersion: <1.20.0"},
		"fails":            {files: map[string]string{"templates/fail.yaml": `{{ fail "no luck" }}`}, why: "no luck"},
		"requires":         {files: map[string]string{"templates/a.yaml": `{{ required "a domain is needed" .Values.domain }}`}, why: "a domain is needed"},
		"library":          {files: map[string]string{"Chart.yaml": "type: library\n"}, why: "library chart"},
		"no-yaml":          {files: map[string]string{"templates/a.yaml": "a: {{ 1 }}: b\n"}, why: "YAML parse error"},
		"no-template":      {files: map[string]string{"templates/a.yaml": `{{ include "nothing" . }}`}, why: "nothing"},
		"unknown-kind":     {files: map[string]string{"templates/a.yaml": "apiVersion: no.example/v1\nkind: Nothing\nmetadata: {name: a}\n"}, why: `"Nothing"`},
		"breaks-schema":    {files: map[string]string{"values.schema.json": `{"required": ["domain"]}`}, why: "domain"},
	}
	home := t.TempDir()
	tenancy := tenant(name)
	for _, chart := range slices.Sorted(maps.Keys(cases)) {
		c := fixture.ConfigMap(chart)
		maps.Copy(c.Files, cases[chart].files)
		c.Files["Chart.yaml"] = fmt.Sprintf("apiVersion: v2\nname: %s\nversion: 0.1.0\n%s", chart, cases[chart].files["Chart.yaml"])
		c.Write(t, home)
		tenancy.Charts = append(tenancy.Charts, install(chart, chart))
	}
	kubectl(t, "", "create", "namespace", name)
	startOperator(t, home)
	create(t, name, tenancy)
	for chart, tc := range cases {
		t.Run(chart, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), world.helm, "install", chart, filepath.Join(home, chart), "-n", name,
				"--kubeconfig", world.cluster.Kubeconfig()).CombinedOutput()
			if err == nil || !strings.Contains(string(out), tc.why) {
				t.Errorf("helm says %v: %s, want an error with %q", err, out, tc.why)
			}
			eventually(t, patience, func() error {
				rel := find(get(t, name), name, chart)
				if rel == nil || rel.Phase != v1alpha1.ReleaseFailed || !strings.Contains(rel.Message, tc.why) {
					return fmt.Errorf("the release = %+v, want it failed with %q", rel, tc.why)
				}
				return nil
			})
		})
	}
	wantRecords(t, name, map[string]string{})
}
