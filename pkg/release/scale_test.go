package release

import (
	"fmt"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"

	"multitenancy.dev/multi-tenancy-operator/pkg/chart"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// BenchmarkRender renders one release of an example chart for each tenancy, from the
// chart's bytes to its manifests, as an operation does before it asks for anything.
func BenchmarkRender(b *testing.B) {
	home := chart.NewHome("../../charts", func() {})
	found, err := home.Find(tenancy.ChartRef{Name: "deployment-example"})
	if err != nil {
		b.Fatal(err)
	}
	c := &Client{charts: home, checker: newChecker(), onRender: func(string, time.Duration) {}}
	fixture.Growth(b, func(b *testing.B, n int) func() {
		return func() {
			for i := range n {
				rel := tenancy.Release{
					Key: tenancy.Key{Namespace: fmt.Sprintf("school-%04d", i), Name: "web"}, Chart: found,
					Values: map[string]any{"replicaCount": int64(2), "podLabels": map[string]any{"school": fmt.Sprint(i)}},
				}
				if files := render(b, c, rel); len(files) == 0 {
					b.Fatal("nothing is rendered")
				}
			}
		}
	})
}

func render(b *testing.B, c *Client, rel tenancy.Release) map[string]string {
	b.Helper()
	loaded, err := c.chart(b.Context(), rel)
	if err != nil {
		b.Fatal(err)
	}
	values := copyValues(rel.Values)
	if err := chartutil.ProcessDependenciesWithMerge(loaded, values); err != nil {
		b.Fatal(err)
	}
	options := chartutil.ReleaseOptions{Name: rel.Key.Name, Namespace: rel.Key.Namespace, Revision: 1, IsInstall: true}
	top, err := chartutil.ToRenderValuesWithSchemaValidation(loaded, values, options, chartutil.DefaultCapabilities, true)
	if err != nil {
		b.Fatal(err)
	}
	files, err := engine.Engine{}.Render(loaded, top)
	if err != nil {
		b.Fatal(err)
	}
	return files
}
