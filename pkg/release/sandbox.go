package release

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"k8s.io/utils/lru"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// What templates may take in the sandbox: of time, of memory, and of stack, which is how
// deep they may call each other. Charts take a small part of it.
const (
	sandboxTime   = 20 * time.Second
	sandboxMemory = 512 << 20
	sandboxStack  = 64 << 20
)

// triedAtMost is how many outcomes are remembered.
const triedAtMost = 4096

// sandbox tries templates that may not end where they harm nobody: in a process of its
// own. Helm's engine has no bounds: a value that a chart passes to tpl and that calls tpl
// with itself ends the process. It looks at each chart once, with its own values, and at
// values with templates in them.
type sandbox struct {
	command func(ctx context.Context) (*exec.Cmd, error)
	flights singleflight.Group
	tried   *lru.Cache // whether it was endless, by what was tried
}

// WithSandbox sets what makes the command that renders a chart in a process of its own:
// one that calls RenderInSandbox. Without it charts are rendered without a trial.
func WithSandbox(command func(ctx context.Context) (*exec.Cmd, error)) Option {
	return func(c *Client) { c.sandbox = &sandbox{command: command, tried: lru.New(triedAtMost)} }
}

// trial is what is rendered.
type trial struct {
	Files       []*helmchart.File
	Values      map[string]any
	Name        string
	Namespace   string
	Revision    int
	KubeVersion chartutil.KubeVersion
	APIVersions chartutil.VersionSet
}

// try renders what may not end. It is an error when it does not.
func (s *sandbox) try(ctx context.Context, chart *helmchart.Chart, rel tenancy.Release, caps *chartutil.Capabilities) error {
	t := trial{
		Files: chart.Raw, Name: rel.Key.Name, Namespace: rel.Key.Namespace, Revision: rel.Revision,
		KubeVersion: caps.KubeVersion, APIVersions: caps.APIVersions,
	}
	if err := s.once(ctx, "chart "+rel.Chart.Digest, t); err != nil {
		return fmt.Errorf("%w: %w", tenancy.ErrChartInvalid, err)
	}
	if !templated(rel.Values) {
		return nil
	}
	t.Values = rel.Values
	if err := s.once(ctx, "values "+rel.Digest, t); err != nil {
		return fmt.Errorf("%w: with templates in them, %w", tenancy.ErrValues, err)
	}
	return nil
}

// once renders what was not rendered before.
func (s *sandbox) once(ctx context.Context, key string, t trial) error {
	outcome, err, _ := s.flights.Do(key, func() (any, error) {
		if known, ok := s.tried.Get(key); ok {
			return known, nil
		}
		endless, err := s.run(ctx, t)
		if err != nil {
			return nil, err
		}
		s.tried.Add(key, endless)
		return endless, nil
	})
	if err != nil {
		return err
	}
	if endless, _ := outcome.(bool); endless {
		return errors.New("the templates take more time or memory than they may; look for a template, or a value, that calls itself with tpl or include, and for long loops")
	}
	return nil
}

// run says that templates do not end within bounds.
func (s *sandbox) run(ctx context.Context, t trial) (endless bool, err error) {
	input, err := json.Marshal(t)
	if err != nil {
		return false, fmt.Errorf("encode the chart for a trial of its templates: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sandboxTime)
	defer cancel()
	cmd, err := s.command(ctx)
	if err != nil {
		return false, fmt.Errorf("try the templates of the chart: %w", err)
	}
	cmd.Stdin = bytes.NewReader(input)
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false, nil
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return false, ctx.Err()
	case errors.As(err, &exit):
		return true, nil
	}
	return false, fmt.Errorf("try the templates of the chart: %w", err)
}

// templated says that a text in values may be a template.
func templated(node any) bool {
	switch node := node.(type) {
	case string:
		return strings.Contains(node, "{{")
	case []any:
		return slices.ContainsFunc(node, templated)
	case map[string]any:
		for _, child := range node {
			if templated(child) {
				return true
			}
		}
	}
	return false
}

// bound ends the process when it takes more memory than it may. A limit of the system's
// would count what is reserved, too.
func bound() {
	total := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	for range time.Tick(10 * time.Millisecond) {
		if metrics.Read(total); total[0].Value.Uint64() > sandboxMemory {
			os.Exit(1)
		}
	}
}

// RenderInSandbox renders the chart that it reads, and says nothing: that it comes to its
// end is all that is asked. What is wrong with the chart is told where it is rendered in
// earnest. It bounds its whole process, and is for one that does nothing else.
func RenderInSandbox(from io.Reader) error {
	debug.SetMaxStack(sandboxStack)
	debug.SetMemoryLimit(sandboxMemory / 2)
	// If memory is short, it is short here.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	go bound()
	var t trial
	if err := json.NewDecoder(from).Decode(&t); err != nil {
		return fmt.Errorf("read what to render: %w", err)
	}
	files := make([]*loader.BufferedFile, 0, len(t.Files))
	for _, f := range t.Files {
		files = append(files, &loader.BufferedFile{Name: f.Name, Data: f.Data})
	}
	chart, err := loader.LoadFiles(files)
	if err != nil {
		return nil //nolint:nilerr // told elsewhere
	}
	if err := chartutil.ProcessDependenciesWithMerge(chart, t.Values); err != nil {
		return nil //nolint:nilerr // told elsewhere
	}
	options := chartutil.ReleaseOptions{Name: t.Name, Namespace: t.Namespace, Revision: t.Revision, IsInstall: t.Revision <= 1, IsUpgrade: t.Revision > 1}
	caps := &chartutil.Capabilities{KubeVersion: t.KubeVersion, APIVersions: t.APIVersions, HelmVersion: chartutil.DefaultCapabilities.HelmVersion}
	values, err := chartutil.ToRenderValuesWithSchemaValidation(chart, t.Values, options, caps, true)
	if err != nil {
		return nil //nolint:nilerr // told elsewhere
	}
	_, _ = engine.Render(chart, values) // told elsewhere
	return nil
}
