package release

import (
	"context"
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Rollback makes a revision that is like an earlier one. Its record tells which
// desired state failed, and why, so that it is not tried again.
func (c *Client) Rollback(ctx context.Context, controller string, rel tenancy.Release, to int, cause string) (tenancy.Applied, error) {
	if err := c.identified(ctx, rel); err != nil {
		return tenancy.Applied{}, err
	}
	op, err := c.operation(ctx, rel)
	if err != nil {
		return tenancy.Applied{}, err
	}
	if err := op.unlock(); err != nil {
		return tenancy.Applied{}, op.explain("roll back", rel, err)
	}
	if err := op.trusted(ctx, rel, to); err != nil {
		return tenancy.Applied{}, err
	}
	op.recorded = true
	op.extra = map[string]string{
		v1alpha1.AnnotationFailedDigest: rel.Digest,
		v1alpha1.AnnotationFailedCause:  redactText(cause, rel),
	}
	op.records.labels = map[string]string{
		v1alpha1.LabelController: controller,
		v1alpha1.LabelRevision:   fmt.Sprint(rel.Revision),
		v1alpha1.LabelPosition:   fmt.Sprint(rel.Position),
	}
	rollback := action.NewRollback(op.config)
	rollback.Version = to
	rollback.Timeout = rel.Timeout
	rollback.MaxHistory = maxHistory
	err = rollback.Run(rel.Key.Name)
	return op.applied(), op.explain("roll back", rel, op.confirm(err))
}

// Verify notes on the record of a revision that the release was seen ready in it.
func (c *Client) Verify(ctx context.Context, rel tenancy.Release, revision int) error {
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:"%d"}}}`, v1alpha1.LabelVerified, revision)
	_, err := c.shared.clientset.CoreV1().Secrets(rel.Key.Namespace).Patch(
		ctx, recordName(rel.Key, revision), types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("note on the record of release %s that it is ready: %w", rel.Key, weather(err))
	}
	return nil
}

// recordName is the name of the Secret that Helm keeps a revision in.
func recordName(key tenancy.Key, revision int) string {
	return fmt.Sprintf("sh.helm.release.v1.%s.v%d", key.Name, revision)
}
