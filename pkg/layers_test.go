package pkg_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "multitenancy.dev/multi-tenancy-operator/"

// arrows lists which packages of this module a package may import. An arrow that
// is missing here is a decision, to be made in doc/decisions.
var arrows = map[string][]string{
	"pkg/api/v1alpha1": {},
	"pkg/tenancy":      {"pkg/api/v1alpha1"},
	"pkg/plan":         {"pkg/tenancy", "pkg/api/v1alpha1"},
	"pkg/queue":        {},
	"pkg/chart":        {"pkg/tenancy", "pkg/outbound"},
	"pkg/admission":    {"pkg/tenancy", "pkg/api/v1alpha1"},
	"pkg/servingcert":  {},
	"pkg/drift":        {},
	"pkg/outbound":     {},
	"pkg/release":      {"pkg/tenancy", "pkg/api/v1alpha1", "pkg/drift"},
	"pkg/status":       {"pkg/tenancy", "pkg/api/v1alpha1"},
	"pkg/guardrail":    {"pkg/tenancy", "pkg/api/v1alpha1"},
	"pkg/watch":        {"pkg/tenancy", "pkg/api/v1alpha1", "pkg/status", "pkg/drift", "pkg/guardrail"},
	"pkg/controller":   {"pkg/tenancy", "pkg/api/v1alpha1", "pkg/plan", "pkg/queue", "pkg/status", "pkg/guardrail"},
	"pkg/transport":    {},
	"pkg/memory":       {},
	"pkg/fixture":      {},
	"pkg/localcluster": {},
}

// only lists who may import what must stay in one room.
var only = map[string][]string{
	"helm.sh/helm/v3/pkg/action":                 {"pkg/release"},
	"helm.sh/helm/v3/pkg/kube":                   {"pkg/release"},
	"helm.sh/helm/v3/pkg/storage":                {"pkg/release"},
	"helm.sh/helm/v3/":                           {"pkg/release", "pkg/chart"},
	"k8s.io/client-go/informers":                 {"pkg/watch"},
	"k8s.io/client-go/metadata/metadatainformer": {"pkg/watch"},
}

func TestLayers(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		imports := strings.Fields(line)
		from := strings.TrimPrefix(imports[0], module)
		allowed, known := arrows[from]
		if strings.HasPrefix(from, "pkg/") && !known && from != "pkg" {
			t.Errorf("%s has no place in the house: list its arrows", from)
		}
		seen++
		for _, to := range imports[1:] {
			if own, ours := strings.CutPrefix(to, module); ours && known && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s", from, own)
			}
			for guarded, rooms := range only {
				if strings.HasPrefix(to, guarded) && known && !slices.Contains(rooms, from) {
					t.Errorf("%s imports %s, which only %s may", from, to, strings.Join(rooms, ", "))
				}
			}
			if strings.HasPrefix(from, "cmd/") && strings.HasPrefix(to, "helm.sh/") {
				t.Errorf("%s imports %s", from, to)
			}
		}
	}
	if seen < len(arrows) {
		t.Errorf("go list named %d packages, want at least %d", seen, len(arrows))
	}
}
