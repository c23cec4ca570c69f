package release

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/action"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	kubefake "helm.sh/helm/v3/pkg/kube/fake"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/client-go/rest"
)

// TestRendering: Helm asks for the connection and for the post-renderer where what is
// measured begins and ends, in installs and in upgrades.
func TestRendering(t *testing.T) {
	var stages []string
	var took time.Duration
	config := &action.Configuration{
		Releases:     storage.Init(driver.NewMemory()),
		KubeClient:   &kubefake.PrintingKubeClient{Out: io.Discard},
		Capabilities: chartutil.DefaultCapabilities,
		Log:          func(string, ...any) {},
	}
	measure := func() *rendering {
		r := &rendering{tell: func(stage string, d time.Duration) { stages, took = append(stages, stage), d }}
		config.RESTClientGetter = getter{shared: &shared{config: &rest.Config{}}, memo: &memo{}, rendering: r}
		return r
	}
	chart := func(template string) *helmchart.Chart {
		return &helmchart.Chart{
			Metadata:  &helmchart.Metadata{APIVersion: "v2", Name: "conf", Version: "1.0.0"},
			Templates: []*helmchart.File{{Name: "templates/conf.yaml", Data: []byte("kind: ConfigMap\napiVersion: v1\nmetadata: {name: " + template + "}\n")}},
		}
	}
	install := action.NewInstall(config)
	install.ReleaseName, install.Namespace, install.PostRenderer = "conf", "a", measure()
	rel, err := install.RunWithContext(t.Context(), chart(`{{ len (untilStep 0 20000 1) }}`), map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(rel.Manifest, "{name: 20000}") {
		t.Errorf("the manifest is %q", rel.Manifest)
	}
	upgrade := action.NewUpgrade(config)
	upgrade.Namespace, upgrade.PostRenderer = "a", measure()
	if _, err := upgrade.RunWithContext(t.Context(), "conf", chart("two"), map[string]any{}); err != nil {
		t.Fatal(err)
	}
	upgrade.PostRenderer = measure()
	if _, err := upgrade.RunWithContext(t.Context(), "conf", chart(`{{ fail "no" }}`), map[string]any{}); err == nil {
		t.Error("a template that fails is rendered")
	}
	if !slices.Equal(stages, []string{StageTemplates, StageTemplates}) || took <= 0 || took > time.Minute {
		t.Errorf("stages %q are told, the last of %s; want that of the install and that of the upgrade", stages, took)
	}
}
