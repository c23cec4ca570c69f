package release

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/releaseutil"
)

// Build implements kube.Interface. Helm does not validate what comes from a
// record. What that holds of kinds which the API server has no more is left out:
// it went with its kind, and must not keep the release from what follows.
func (k *kubeClient) Build(manifest io.Reader, validate bool) (kube.ResourceList, error) {
	if validate {
		return k.Client.Build(manifest, validate)
	}
	text, err := io.ReadAll(manifest)
	if err != nil {
		return nil, err
	}
	all, err := k.Client.Build(bytes.NewReader(text), validate)
	if !noKind(err) {
		return all, err
	}
	all = nil
	parts := releaseutil.SplitManifests(string(text))
	for i := range len(parts) {
		part, err := k.Client.Build(strings.NewReader(parts[fmt.Sprintf("manifest-%d", i)]), validate)
		switch {
		case noKind(err):
		case err != nil:
			return nil, err
		default:
			all = append(all, part...)
		}
	}
	return all, nil
}

// noKind says that the API server does not know a kind. The error itself is lost
// on its way.
func noKind(err error) bool {
	return err != nil && strings.Contains(err.Error(), "no matches for kind")
}

// WatchUntilReady implements kube.Interface: a hook may run for long. Which one
// it was is told when it fails.
func (k *kubeClient) WatchUntilReady(resources kube.ResourceList, timeout time.Duration) error {
	err := k.park(func() error { return k.Client.WatchUntilReady(resources, timeout) })
	if err == nil {
		return nil
	}
	var names []string
	for _, info := range resources {
		names = append(names, info.Mapping.GroupVersionKind.Kind+" "+info.Name)
	}
	return fmt.Errorf("hook %s: %w", strings.Join(names, ", "), err)
}
