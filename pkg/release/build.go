package release

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	helmrelease "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
)

// Build implements kube.Interface. Helm validates what comes from a chart, which has to
// pass the gate, and does not validate what comes from a record. What that holds of kinds which the API server has no more is left out:
// it went with its kind, and must not keep the release from what follows.
func (k *kubeClient) Build(manifest io.Reader, validate bool) (kube.ResourceList, error) {
	if validate {
		all, err := k.Client.Build(manifest, validate)
		if err == nil {
			err = k.gate.admit(all)
		}
		return all, err
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

// admit lets hooks, and the manifest if that has not been yet, through the gate
// before any of it is applied. An object of a kind that the API server does not know
// yet passes when it is built again to be applied.
func (k *kubeClient) admit(rel *helmrelease.Release, manifest bool) error {
	var texts []string
	for _, hook := range rel.Hooks {
		texts = append(texts, hook.Manifest)
	}
	if manifest {
		texts = append(texts, rel.Manifest)
	}
	var all kube.ResourceList
	for _, text := range texts {
		built, err := k.Build(strings.NewReader(text), false)
		if err != nil {
			return err
		}
		all = append(all, built...)
	}
	return k.gate.admit(all)
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
