package chart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/Masterminds/semver/v3"
	godigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	helmregistry "helm.sh/helm/v3/pkg/registry"
	orascontent "oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"multitenancy.dev/multi-tenancy-operator/pkg/outbound"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// maxManifest bounds a manifest and a page of tags, in bytes.
const maxManifest = 4 << 20

// registry is an OCI registry; the charts are repositories of it.
type registry struct {
	repository tenancy.Repository
	limits     limits
	client     *auth.Client // of this turn
	manifests  map[godigest.Digest]archive
	seen       map[godigest.Digest]archive // those of this turn
}

// registryHome is the URL the requests for a registry go to.
func registryHome(u *url.URL, insecure bool) *url.URL {
	home := &url.URL{Scheme: "https", Host: u.Host}
	if home.Host == "docker.io" {
		home.Host = "registry-1.docker.io"
	}
	if insecure {
		home.Scheme = "http"
	}
	return home
}

func (r *registry) begin(_ context.Context, client *outbound.Client, _ []tenancy.ChartRef) error {
	r.client = client.Registry()
	r.manifests, r.seen = r.seen, map[godigest.Digest]archive{}
	return nil
}

// chart is the OCI repository of a chart.
func (r *registry) chart(name string) (*remote.Repository, error) {
	repo, err := remote.NewRepository(strings.TrimSuffix(strings.TrimPrefix(r.repository.URL, "oci://"), "/") + "/" + name)
	if err != nil {
		return nil, err
	}
	repo.Client, repo.PlainHTTP, repo.MaxMetadataBytes, repo.TagListPageSize = r.client, r.repository.Insecure, maxManifest, 1000
	return repo, nil
}

// find reads the tag and the manifest of the version that fits.
func (r *registry) find(ctx context.Context, ref tenancy.ChartRef) (archive, error) {
	repo, err := r.chart(ref.Name)
	if err != nil {
		return archive{}, absent(ref, "is no name a registry can have, and is not")
	}
	version, err := r.version(ctx, repo, ref)
	if err != nil {
		return archive{}, err
	}
	tagged, err := repo.Resolve(ctx, tag(version))
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		return archive{}, absent(ref, fmt.Sprintf("has no version %q", version))
	case err != nil:
		return archive{}, err
	}
	a, known := r.manifests[tagged.Digest]
	if !known {
		if a, err = manifest(ctx, repo, tagged, r.limits.archive); err != nil {
			return archive{}, corrupt(ref, version, err)
		}
		a.place = ref.Name
	}
	a.version = version
	r.seen[tagged.Digest] = a
	return a, nil
}

// version is the one asked for, or the tag that fits a range best.
func (r *registry) version(ctx context.Context, repo *remote.Repository, ref tenancy.ChartRef) (string, error) {
	if _, err := semver.StrictNewVersion(ref.Version); err == nil {
		return ref.Version, nil
	}
	var versions []string
	err := repo.Tags(ctx, "", func(tags []string) error {
		for _, t := range tags {
			versions = append(versions, strings.ReplaceAll(t, "_", "+"))
		}
		if len(versions) > r.limits.tags || len(tags) == 0 {
			return errTags
		}
		return nil
	})
	var answer *errcode.ErrorResponse
	switch {
	case errors.Is(err, errTags) && len(versions) <= r.limits.tags:
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		return "", absent(ref, "is not")
	case err != nil:
		return "", err
	}
	version, err := pick(ref.Version, versions)
	if err == nil && version == "" {
		err = absent(ref, fmt.Sprintf("has no version that fits %q", ref.Version))
	}
	return version, err
}

// errTags ends a list of tags that is empty or does not end.
var errTags = errors.New("it lists more tags than are allowed")

// tag is a version as registries can have it.
func tag(version string) string { return strings.ReplaceAll(version, "+", "_") }

var errNoChart = errors.New("it is not a Helm chart")

// manifest reads which layer the chart is.
func manifest(ctx context.Context, repo *remote.Repository, tagged ocispec.Descriptor, limit int64) (archive, error) {
	if tagged.MediaType != ocispec.MediaTypeImageManifest || tagged.Size > maxManifest {
		return archive{}, errNoChart
	}
	data, err := orascontent.FetchAll(ctx, repo.Manifests(), tagged)
	if err != nil {
		return archive{}, err
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil || m.Config.MediaType != helmregistry.ConfigMediaType {
		return archive{}, errNoChart
	}
	for _, layer := range m.Layers {
		if layer.MediaType != helmregistry.ChartLayerMediaType && layer.MediaType != helmregistry.LegacyChartLayerMediaType {
			continue
		}
		switch {
		case layer.Digest.Validate() != nil || layer.Digest.Algorithm() != godigest.SHA256:
			return archive{}, errNoChart
		case layer.Size < 0 || layer.Size > limit:
			return archive{}, fmt.Errorf("%w of %d bytes", outbound.ErrTooLarge, limit)
		}
		return archive{digest: layer.Digest.Encoded(), size: layer.Size}, nil
	}
	return archive{}, errNoChart
}

func (r *registry) fetch(ctx context.Context, a archive) ([]byte, stamp, error) {
	repo, err := r.chart(a.place)
	if err != nil {
		return nil, stamp{}, err
	}
	data, err := orascontent.FetchAll(ctx, repo.Blobs(), ocispec.Descriptor{
		MediaType: helmregistry.ChartLayerMediaType, Digest: godigest.NewDigestFromEncoded(godigest.SHA256, a.digest), Size: a.size,
	})
	return data, stamp{}, corrupt(tenancy.ChartRef{Repository: r.repository.Name, Name: a.place}, a.version, err)
}

// corrupt tells what is no good chart from a registry that cannot be reached.
func corrupt(ref tenancy.ChartRef, version string, err error) error {
	for _, bad := range []error{
		errNoChart, outbound.ErrTooLarge, orascontent.ErrMismatchedDigest, orascontent.ErrInvalidDescriptorSize, orascontent.ErrTrailingData,
	} {
		if errors.Is(err, bad) {
			return useless(ref, version, err)
		}
	}
	return err
}
