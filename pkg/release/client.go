// Package release runs Helm: it installs, upgrades, recovers and uninstalls one
// release at a time for its caller. It is the only importer of Helm's action,
// kube and storage packages. It decides nothing: whether an operation is due is
// the caller's business.
package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/action"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// maxHistory is how many revisions of a release are kept.
const maxHistory = 5

// Charts hands out copies of charts by digest.
type Charts interface {
	Load(digest string) (*helmchart.Chart, error)
}

// Client runs Helm operations. Every operation gets a configuration and a chart
// of its own, because actions change both; what is expensive to make
// (connections, discovery, REST mapping) is shared by all.
type Client struct {
	shared   *shared
	charts   Charts
	checker  checker
	lives    func(namespace string) bool
	account  string
	sealing  *sealing
	sandbox  *sandbox
	park     func(wait func() error) error
	onRender func(stage string, took time.Duration)
}

// Option sets what has a default.
type Option func(*Client)

// WithPark sets what is called around a long wait of an operation, such as
// for a hook, so that the caller can give the worker to somebody else.
func WithPark(park func(wait func() error) error) Option {
	return func(c *Client) { c.park = park }
}

// New makes a client of the API server that config names.
func New(config *rest.Config, charts Charts, opts ...Option) (*Client, error) {
	shared, err := newShared(config)
	if err != nil {
		return nil, fmt.Errorf("connect Helm to the API server: %w", err)
	}
	c := &Client{
		shared: shared, charts: charts, checker: newChecker(),
		lives: func(string) bool { return false },
		park:  func(wait func() error) error { return wait() }, onRender: func(string, time.Duration) {},
	}
	for _, opt := range opts {
		opt(c)
	}
	return c, nil
}

// Install makes the first revision of a release, and its namespace when that is
// missing. On an error Applied still tells what was left behind.
func (c *Client) Install(ctx context.Context, controller string, rel tenancy.Release) (tenancy.Applied, error) {
	chart, err := c.chart(ctx, rel)
	if err != nil {
		return tenancy.Applied{}, err
	}
	if err := c.EnsureNamespace(ctx, rel.Key.Namespace); err != nil {
		return tenancy.Applied{}, fmt.Errorf("install release %s: %w", rel.Key, weather(err))
	}
	if err := c.identified(ctx, rel); err != nil {
		return tenancy.Applied{}, err
	}
	op, err := c.operation(ctx, rel)
	if err != nil {
		return tenancy.Applied{}, err
	}
	install := action.NewInstall(op.config)
	install.ReleaseName = rel.Key.Name
	install.Namespace = rel.Key.Namespace
	install.Timeout = rel.Timeout
	install.Labels = labels(controller, rel)
	install.SkipCRDs = true
	install.SkipSchemaValidation = true // check has done it, without loading anything a schema refers to
	install.Replace = true              // of a history that an uninstall by hand has kept
	install.TakeOwnership = rel.Adopt
	install.PostRenderer = op.rendering
	if err := c.applyCRDs(ctx, op, rel, chart); err != nil {
		return tenancy.Applied{}, op.explain("install", rel, err)
	}
	_, err = install.RunWithContext(context.WithoutCancel(ctx), chart, copyValues(rel.Values))
	return op.applied(), op.explain("install", rel, op.confirm(err))
}

// Upgrade makes the next revision of a release.
func (c *Client) Upgrade(ctx context.Context, controller string, rel tenancy.Release) (tenancy.Applied, error) {
	chart, err := c.chart(ctx, rel)
	if err != nil {
		return tenancy.Applied{}, err
	}
	if err := c.identified(ctx, rel); err != nil {
		return tenancy.Applied{}, err
	}
	op, err := c.operation(ctx, rel)
	if err != nil {
		return tenancy.Applied{}, err
	}
	upgrade := action.NewUpgrade(op.config)
	upgrade.Namespace = rel.Key.Namespace
	upgrade.Timeout = rel.Timeout
	upgrade.Labels = labels(controller, rel)
	upgrade.MaxHistory = maxHistory
	upgrade.ResetValues = true
	upgrade.SkipCRDs = true
	upgrade.SkipSchemaValidation = true
	upgrade.TakeOwnership = rel.Adopt
	upgrade.PostRenderer = op.rendering
	if err := c.applyCRDs(ctx, op, rel, chart); err != nil {
		return tenancy.Applied{}, op.explain("upgrade", rel, err)
	}
	_, err = upgrade.RunWithContext(context.WithoutCancel(ctx), rel.Key.Name, chart, copyValues(rel.Values))
	return op.applied(), op.explain("upgrade", rel, op.confirm(err))
}

// Recover marks the latest revision failed if an operation that died left it
// pending, and upgrades. The history is kept.
func (c *Client) Recover(ctx context.Context, controller string, rel tenancy.Release) (tenancy.Applied, error) {
	op, err := c.operation(ctx, rel)
	if err != nil {
		return tenancy.Applied{}, err
	}
	if err := op.unlock(); err != nil {
		return tenancy.Applied{}, op.explain("recover", rel, err)
	}
	return c.Upgrade(ctx, controller, rel)
}

// Uninstall removes a release with its objects and its history. A release that
// is gone already is no error. Its namespace and volume claims stay. Of a namespace that
// is being deleted, in which ServiceAccounts go early, it removes as the operator itself
// what carries the mark of the release, and runs no hooks.
func (c *Client) Uninstall(ctx context.Context, rel tenancy.Release) (tenancy.Applied, error) {
	rel.ServiceAccount = cmp.Or(rel.ServiceAccount, c.account)
	alone := false
	if err := c.identified(ctx, rel); errors.Is(err, tenancy.ErrIdentity) && c.leaves(ctx, rel.Key.Namespace) {
		rel.ServiceAccount, alone = "", true
	} else if err != nil {
		return tenancy.Applied{}, err
	}
	op, err := c.operation(ctx, rel)
	if err != nil {
		return tenancy.Applied{}, err
	}
	switch exists, err := op.known(); {
	case err != nil:
		return op.applied(), op.explain("uninstall", rel, err)
	case !exists:
		return op.applied(), nil
	}
	uninstall := action.NewUninstall(op.config)
	uninstall.Timeout = rel.Timeout
	uninstall.DisableHooks = alone
	uninstall.Wait = true
	uninstall.IgnoreNotFound = true
	uninstall.DeletionPropagation = "background"
	if _, err = uninstall.Run(rel.Key.Name); err == nil {
		err = op.secrets.blind // which Helm takes for a release that is gone
	}
	return op.applied(), op.explain("uninstall", rel, err)
}

// Fit says whether the values of a release fit its chart, and that the chart is whole.
// It asks nobody: the chart must have been found.
func (c *Client) Fit(rel tenancy.Release) error {
	probe, err := c.charts.Load(rel.Chart.Digest)
	if err != nil {
		return fmt.Errorf("load the chart of release %s: %w", rel.Key, err)
	}
	// Without this, as in Helm's library, a chart is installed without the parts
	// that are missing in it.
	if err := action.CheckDependencies(probe, probe.Metadata.Dependencies); err != nil {
		return fmt.Errorf("release %s: %w: %w", rel.Key, tenancy.ErrChartInvalid, err)
	}
	if err := c.checker.check(probe, copyValues(rel.Values)); err != nil {
		return redact(fmt.Errorf("release %s: %w", rel.Key, err), rel)
	}
	return nil
}

// chart gets a copy of the release's chart, after the values were found to fit
// another copy: the check changes what it is given.
func (c *Client) chart(ctx context.Context, rel tenancy.Release) (*helmchart.Chart, error) {
	began := time.Now()
	if err := c.Fit(rel); err != nil {
		return nil, err
	}
	chart, err := c.charts.Load(rel.Chart.Digest)
	if err != nil {
		return nil, fmt.Errorf("load the chart of release %s: %w", rel.Key, err)
	}
	if c.sandbox != nil {
		caps, err := c.shared.capabilities()
		if err != nil {
			return nil, fmt.Errorf("ask the API server for its capabilities: %w", weather(err))
		}
		if err := c.sandbox.try(ctx, chart, rel, caps); err != nil {
			return nil, fmt.Errorf("release %s: %w", rel.Key, err)
		}
	}
	c.onRender(StageChart, time.Since(began))
	return chart, nil
}

func labels(controller string, rel tenancy.Release) map[string]string {
	return map[string]string{
		v1alpha1.LabelController:   controller,
		v1alpha1.LabelDigest:       rel.Digest,
		v1alpha1.LabelChart:        labelValue(rel.Chart.Name),
		v1alpha1.LabelChartVersion: labelValue(rel.Chart.Version),
		v1alpha1.LabelPosition:     fmt.Sprint(rel.Position),
		v1alpha1.LabelRevision:     fmt.Sprint(rel.Revision),
		v1alpha1.LabelChartDigest:  tenancy.ChartLabel(rel.Chart.Digest),
	}
}

// labelValue makes a label value of a name or a version, as Helm does for its
// own chart label.
func labelValue(s string) string {
	s = strings.ReplaceAll(s, "+", "_")
	return strings.Trim(s[:min(len(s), 63)], "-_.")
}

// copyValues protects the desired state from Helm, which changes what it is given.
func copyValues(values map[string]any) map[string]any {
	if values == nil {
		return map[string]any{}
	}
	return runtime.DeepCopyJSON(values)
}
