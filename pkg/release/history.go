package release

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	helmrelease "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubelabels "k8s.io/apimachinery/pkg/labels"
)

// fresh is how long what was read of a history is not read again by the same
// operation. Helm asks three times before it writes, and unpacks every revision each
// time; after a hook, which may take long, it is read anew.
const fresh = time.Second

// history is the records of one release as last read or written.
type history struct {
	name  string
	at    time.Time
	items []corev1.Secret
}

// Query implements driver.Driver for what Helm asks: the records of one release, of
// any status or of one.
func (r *records) Query(want map[string]string) ([]*helmrelease.Release, error) {
	items, err := r.secrets.history(context.Background(), want["name"]) //nolint:forbidigo // Helm hands no context down to its storage
	if err != nil {
		return nil, fmt.Errorf("query the records of a release: %w", err)
	}
	selector := kubelabels.SelectorFromSet(want)
	deployed := want["status"] == helmrelease.StatusDeployed.String()
	var out []*helmrelease.Release
	var manifest string
	for i := range items {
		secret := &items[i]
		rel := r.secrets.read(secret)
		if rel == nil {
			rel = standIn(secret, manifest)
			if deployed {
				continue // whatever its label says
			}
		}
		manifest = rel.Manifest
		if selector.Matches(kubelabels.Set(secret.Labels)) {
			out = append(out, lend(rel, secret))
		}
	}
	if len(out) == 0 {
		return nil, driver.ErrReleaseNotFound
	}
	return out, nil
}

// lend copies of a release what Helm changes in what it was given.
func lend(rel *helmrelease.Release, secret *corev1.Secret) *helmrelease.Release {
	out, info := *rel, *rel.Info
	out.Info = &info
	out.Labels = maps.Clone(secret.Labels)
	out.Hooks = slices.Clone(rel.Hooks)
	for i, hook := range out.Hooks {
		if hook != nil {
			own := *hook
			out.Hooks[i] = &own
		}
	}
	return &out
}

// history lists the records of a release, the oldest first.
func (s *secrets) history(ctx context.Context, name string) ([]corev1.Secret, error) {
	if s.past.name == name && time.Since(s.past.at) < fresh {
		return s.past.items, nil
	}
	selector := kubelabels.SelectorFromSet(kubelabels.Set{"owner": "helm", "name": name})
	list, err := s.List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	s.blind = err
	if err != nil {
		return nil, err
	}
	s.past = history{name: name, at: time.Now(), items: list.Items}
	s.sealed = make(map[string]bool, len(list.Items))
	for i := range list.Items {
		s.sealed[list.Items[i].Name] = s.seal.genuine(&list.Items[i])
	}
	s.past.sort()
	return s.past.items, nil
}

// put notes a record that was written.
func (h *history) put(secret *corev1.Secret) {
	if secret.Labels["name"] != h.name {
		return
	}
	h.drop(secret.Name)
	h.items = append(h.items, *secret)
	h.sort()
}

// drop notes a record that is gone.
func (h *history) drop(name string) {
	h.items = slices.DeleteFunc(slices.Clone(h.items), func(s corev1.Secret) bool { return s.Name == name })
}

func (h *history) sort() {
	slices.SortFunc(h.items, func(a, b corev1.Secret) int {
		if by := revision(&a) - revision(&b); by != 0 {
			return by
		}
		return strings.Compare(a.Name, b.Name)
	})
}
