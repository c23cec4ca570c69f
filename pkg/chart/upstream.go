package chart

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/Masterminds/semver/v3"

	"multitenancy.dev/multi-tenancy-operator/pkg/outbound"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// upstream is a Helm repository or an OCI registry.
type upstream interface {
	// begin looks at what the charts have in common.
	begin(ctx context.Context, client *outbound.Client, refs []tenancy.ChartRef) error
	// find says which archive a reference means now.
	find(ctx context.Context, ref tenancy.ChartRef) (archive, error)
	// fetch downloads an archive; errNotModified when it still has its stamp.
	fetch(ctx context.Context, a archive) ([]byte, stamp, error)
}

// errNotModified: what was asked for is what there was before.
var errNotModified = errors.New("not modified")

// archive is a packed chart as a source lists it.
type archive struct {
	version string // as its Chart.yaml must have it
	digest  string // sha256; empty when the source does not tell
	size    int64  // of OCI alone
	place   string
	stamp   stamp // of what is held already
}

// stamp tells a server which state of a file is known.
type stamp struct{ etag, modified string }

func (s *Sources) newUpstream(r tenancy.Repository) upstream {
	if strings.HasPrefix(r.URL, "oci://") {
		return &registry{repository: r, limits: s.limits}
	}
	return &web{repository: r, limits: s.limits, parsing: s.parsing}
}

// connect makes a client with the credentials of the repository.
func (s *Sources) connect(ctx context.Context, r tenancy.Repository) (*outbound.Client, error) {
	home, err := url.Parse(r.URL)
	if err != nil || home.Host == "" {
		return nil, errors.New("its url is not one")
	}
	if home.Scheme == "oci" {
		home = registryHome(home, r.Insecure)
	}
	var cred outbound.Credentials
	if r.SecretName != "" {
		data, err := s.secrets(ctx, r.SecretName)
		if err != nil {
			return nil, fmt.Errorf("secret %q cannot be read: %w", r.SecretName, err)
		}
		if cred, err = outbound.Parse(ctx, data, home.Host); err != nil {
			return nil, fmt.Errorf("secret %q cannot be used: %w", r.SecretName, err)
		}
	}
	client, err := outbound.New(home, cred, s.allowed, s.limits.Limits)
	if err != nil {
		return nil, fmt.Errorf("secret %q cannot be used: %w", r.SecretName, err)
	}
	return client, nil
}

// resolve finds and, when it is not held yet, fetches the chart of a reference.
func (s *Sources) resolve(ctx context.Context, src *source, ref tenancy.ChartRef) (*content, error) {
	a, err := src.upstream.find(ctx, ref)
	if err != nil {
		return nil, err
	}
	same := s.among(src, ref, a)
	if a.digest != "" {
		if same == nil {
			same = s.cached(a, ref)
		}
		if same != nil {
			s.remember(src, ref, same, nil)
			return same, nil
		}
	}
	if same != nil {
		a.stamp = same.stamp
	}
	data, stamp, err := src.upstream.fetch(ctx, a)
	if errors.Is(err, errNotModified) {
		s.remember(src, ref, same, nil)
		return same, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := s.open(a, ref, data)
	if err != nil {
		return nil, err
	}
	c.stamp = stamp
	if same != nil && same.archive == c.archive {
		c = same // one copy for all
	}
	s.remember(src, ref, c, data)
	return c, nil
}

// among finds an archive among those held of a source.
func (s *Sources) among(src *source, ref tenancy.ChartRef, a archive) *content {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for other, answer := range src.answers {
		c := answer.content
		if c == nil || other.Name != ref.Name || c.chart.Version != a.version {
			continue
		}
		if c.archive == a.digest || a.digest == "" && c.place == a.place {
			return c
		}
	}
	return nil
}

// open makes a chart of an archive, which must be the one that was listed.
func (s *Sources) open(a archive, ref tenancy.ChartRef, data []byte) (*content, error) {
	sum := sha256.Sum256(data)
	c := &content{archive: hex.EncodeToString(sum[:]), place: a.place}
	if a.digest != "" && a.digest != c.archive {
		return nil, useless(ref, a.version, fmt.Errorf("its archive has digest %s and is listed with %s", c.archive, a.digest))
	}
	files, err := unpack(data, s.limits.chart)
	if err != nil {
		return nil, useless(ref, a.version, err)
	}
	if c.chart, _, err = describe(files); err != nil {
		return nil, useless(ref, a.version, err)
	}
	if c.chart.Name != ref.Name || c.chart.Version != a.version {
		return nil, useless(ref, a.version, fmt.Errorf("the archive holds %s %s", c.chart.Name, c.chart.Version))
	}
	c.files = files
	return c, nil
}

// pick chooses the version that fits best; empty when none does.
func pick(asked string, versions []string) (string, error) {
	fits, err := constraint(asked)
	if err != nil {
		return "", err
	}
	var best *semver.Version
	for _, text := range versions {
		v, err := semver.NewVersion(text)
		switch {
		case err != nil:
		case text == asked:
			return text, nil
		case fits(v) && (best == nil || better(v, best, asked)):
			best = v
		}
	}
	if best == nil {
		return "", nil
	}
	return best.Original(), nil
}
