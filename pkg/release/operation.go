package release

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	helmrelease "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// operation is one Helm action on one release, and what it left behind.
type operation struct {
	key     tenancy.Key
	config  *action.Configuration
	secrets *secrets
	records *records
	kube    *kubeClient
	journal *journal
	// rendering measures Helm's engine.
	rendering *rendering
	// forget makes the next operation ask for the API server's kinds anew.
	forget func()
	// recorded says that the manifest of the revision to make comes from a record.
	recorded bool
	// extra are annotations of the record beside those that every operation makes.
	extra map[string]string
}

// operation makes what one Helm action needs, for itself alone. The namespace is
// set in all three places Helm reads one from: the storage, the getter and
// the client.
func (c *Client) operation(ctx context.Context, rel tenancy.Release) (*operation, error) {
	key := rel.Key
	seal, err := c.sealing.of(ctx, key.Namespace)
	if err != nil {
		return nil, err
	}
	rendering := &rendering{tell: c.onRender}
	getter := getter{
		shared: c.shared, namespace: key.Namespace, memo: &memo{next: c.shared.as(rel)}, rendering: rendering,
		gate: gate{namespace: key.Namespace, clusterKinds: rel.ClusterKinds, networkClosed: rel.NetworkClosed},
	}
	op := &operation{key: key, journal: &journal{}, rendering: rendering, forget: c.shared.forget}
	op.kube = newKube(getter, key, c.park, op.journal.log)
	op.secrets = &secrets{
		SecretInterface: c.shared.clientset.CoreV1().Secrets(key.Namespace),
		annotations:     func() map[string]string { return op.annotations(rel) },
		seal:            seal,
	}
	op.records = &records{Driver: driver.NewSecrets(op.secrets), secrets: op.secrets}
	op.records.admit = func(rel *helmrelease.Release) error { return op.kube.admit(rel, op.recorded) }
	capabilities, err := c.shared.capabilities()
	if err != nil {
		return nil, fmt.Errorf("ask the API server for its capabilities: %w", weather(err))
	}
	op.config = &action.Configuration{
		RESTClientGetter: getter,
		Releases:         storage.Init(op.records),
		KubeClient:       op.kube,
		Capabilities:     capabilities,
		Log:              op.journal.log,
	}
	return op, nil
}

// annotations are those of the record of the revision that the operation makes.
func (op *operation) annotations(rel tenancy.Release) map[string]string {
	out := maps.Clone(op.extra)
	if out == nil {
		out = map[string]string{}
	}
	if objects := op.kube.noted(); len(objects) > 0 {
		out[v1alpha1.AnnotationInventory] = tenancy.Inventory(objects)
	}
	if rel.ServiceAccount != "" {
		out[v1alpha1.AnnotationServiceAccount] = rel.ServiceAccount
	}
	if report := tenancy.TestReport(rel.Test); report != "" && out[v1alpha1.AnnotationTested] == "" {
		out[v1alpha1.AnnotationTested] = report
	}
	return out
}

// unlock marks the latest revision failed when it is pending.
func (op *operation) unlock() error {
	last, err := op.config.Releases.Last(op.key.Name)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !last.Info.Status.IsPending() {
		return nil
	}
	last.SetStatus(helmrelease.StatusFailed, fmt.Sprintf("The operation was interrupted in state %s", last.Info.Status))
	return op.config.Releases.Update(last)
}

// known says whether the release exists. It is an error when it does and what
// it consists of cannot be read.
func (op *operation) known() (exists bool, err error) {
	last, err := op.config.Releases.Last(op.key.Name)
	switch {
	case errors.Is(err, driver.ErrReleaseNotFound):
		return false, nil
	case err != nil:
		return false, err
	case last.Info.Description == unreadable:
		return true, fmt.Errorf("its record, Secret sh.helm.release.v1.%s.v%d, cannot be read, so that its objects are not known; "+
			"put the release back to have it mended, or delete the Secret", op.key.Name, last.Version)
	}
	return true, nil
}

func (op *operation) applied() tenancy.Applied {
	return tenancy.Applied{Revision: op.records.revision, Phase: op.records.phase, At: op.secrets.at, Objects: op.kube.noted()}
}

// confirm says that an operation did not end in a deployed revision though Helm
// tells of no error: it only logs that a record cannot be written.
func (op *operation) confirm(err error) error {
	if err == nil && op.records.phase != tenancy.PhaseDeployed {
		return fmt.Errorf("%w: revision %d runs, and its record could not be marked deployed", tenancy.ErrUnavailable, op.records.revision)
	}
	return err
}

// tooLarge says that a release does not fit a Secret, or not even a request.
func tooLarge(err error) bool {
	text := err.Error()
	return strings.Contains(text, "Request entity too large") || strings.Contains(text, "data: Too long: may not be more than")
}

// explain turns what Helm says into what a person needs, in one line and
// without the values of the release: those that are wanted, and those of every
// revision that the operation has read, whose hooks and objects it may name.
func (op *operation) explain(verb string, rel tenancy.Release, err error) error {
	if err == nil {
		return nil
	}
	if cause := op.kube.deleteError(); cause != nil {
		err = fmt.Errorf("delete its objects: %w", cause)
	}
	if tooLarge(err) {
		err = errors.New("its record is too large to be stored: chart, values and manifest must fit 1 MiB when packed; take large files out of the chart")
	}
	if strings.Contains(err.Error(), "the server could not find the requested resource") {
		op.forget() // a kind went
	}
	err = op.journal.explain(err)
	if strings.Contains(err.Error(), "invalid ownership metadata") {
		err = fmt.Errorf("%w: %w", err, tenancy.ErrNotOwned)
	}
	values := []any{rel.Values}
	for _, record := range op.secrets.verdicts {
		if record.release != nil {
			values = append(values, record.release.Config)
		}
	}
	rel.Values = map[string]any{"all": values}
	return redact(fmt.Errorf("%s release %s: %w", verb, rel.Key, kubeError(weather(err))), rel)
}
