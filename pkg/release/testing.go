package release

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/action"
	helmrelease "helm.sh/helm/v3/pkg/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Test runs the test hooks of the latest revision, and notes the outcome on its
// record. That a test fails is an outcome, and no error.
func (c *Client) Test(ctx context.Context, rel tenancy.Release, request string) (tenancy.Applied, error) {
	if err := c.identified(ctx, rel); err != nil {
		return tenancy.Applied{}, err
	}
	op, err := c.operation(ctx, rel)
	if err != nil {
		return tenancy.Applied{}, err
	}
	last, err := op.config.Releases.Last(rel.Key.Name)
	if err != nil {
		return tenancy.Applied{}, op.explain("test", rel, err)
	}
	if err := op.trusted(ctx, rel, last.Version); err != nil {
		return tenancy.Applied{}, err
	}
	// Helm writes the record anew, and must not lose what is on it.
	record, err := op.secrets.Get(ctx, recordName(rel.Key, last.Version), metav1.GetOptions{})
	if err != nil {
		return tenancy.Applied{}, op.explain("test", rel, err)
	}
	op.secrets.from, op.extra = last.Version, ours(record.Annotations)

	outcome := tenancy.Test{Request: request, Revision: last.Version, Phase: v1alpha1.TestSucceeded}
	if tests(last) {
		test := action.NewReleaseTesting(op.config)
		test.Timeout = rel.Timeout
		test.Namespace = rel.Key.Namespace
		if _, err := test.Run(rel.Key.Name); err != nil {
			outcome.Phase, outcome.Message = v1alpha1.TestFailed, tenancy.Message(op.explain("test", rel, err))
		}
	} else {
		outcome.Message = "the chart has no test hook"
	}
	outcome.Finished = time.Now().UTC().Truncate(time.Second)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{v1alpha1.AnnotationTested: tenancy.TestReport(outcome)},
	}})
	if err != nil {
		return tenancy.Applied{}, fmt.Errorf("write down the test of release %s: %w", rel.Key, err)
	}
	_, err = op.secrets.Patch(ctx, record.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return tenancy.Applied{Test: outcome}, op.explain("test", rel, err)
}

// ours keeps the annotations that the operator puts on records.
func ours(all map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range all {
		if strings.HasPrefix(name, v1alpha1.GroupVersion.Group+"/") {
			out[name] = value
		}
	}
	return out
}

// tests says that a release has test hooks.
func tests(rel *helmrelease.Release) bool {
	return slices.ContainsFunc(rel.Hooks, func(h *helmrelease.Hook) bool {
		return slices.Contains(h.Events, helmrelease.HookTest)
	})
}
