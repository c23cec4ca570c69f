package chart

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	helmregistry "helm.sh/helm/v3/pkg/registry"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// fake is a registry with one manifest, and whatever it says a blob is.
type fake struct {
	manifest, mediaType string
	blob                []byte
	tags                string
	link                string
}

func (f fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := []byte(f.tags)
	switch {
	case strings.Contains(r.URL.Path, "/manifests/"):
		body = []byte(f.manifest)
		w.Header().Set("Content-Type", f.mediaType)
		w.Header().Set("Docker-Content-Digest", fmt.Sprintf("sha256:%x", sha256.Sum256(body)))
	case strings.Contains(r.URL.Path, "/blobs/"):
		body = f.blob
	case f.link != "":
		w.Header().Set("Link", f.link)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// layer is a manifest with one layer.
func layer(config, kind, digest string, size int) string {
	return fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":%q,"digest":"sha256:%x","size":2},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
		config, sha256.Sum256([]byte("{}")), kind, digest, size)
}

func TestHostileRegistries(t *testing.T) {
	const image = "application/vnd.oci.image.manifest.v1+json"
	good := packedChart(t, "web", "1.0.0")
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(good))
	config, kind := helmregistry.ConfigMediaType, helmregistry.ChartLayerMediaType
	evil := append([]byte("evil"), good[4:]...)
	tags := `{"tags":["1.0.0"]}`
	cases := map[string]struct {
		registry fake
		want     error
		text     string
	}{
		"another blob":                   {fake{manifest: layer(config, kind, digest, len(good)), mediaType: image, blob: evil, tags: tags}, tenancy.ErrChartInvalid, "mismatch"},
		"a digest of nothing":            {fake{manifest: layer(config, kind, "sha256:../../evil", 1), mediaType: image, tags: tags}, tenancy.ErrChartInvalid, "not a Helm chart"},
		"row 124: a blob of 10 GiB":      {fake{manifest: layer(config, kind, digest, 10<<30), mediaType: image, tags: tags}, tenancy.ErrChartInvalid, "larger than the limit"},
		"an image":                       {fake{manifest: layer("application/vnd.oci.image.config.v1+json", kind, digest, 1), mediaType: image, tags: tags}, tenancy.ErrChartInvalid, "not a Helm chart"},
		"an index of images":             {fake{manifest: "{}", mediaType: "application/vnd.oci.image.index.v1+json", tags: tags}, tenancy.ErrChartInvalid, "not a Helm chart"},
		"a chart without a chart":        {fake{manifest: layer(config, "text/plain", digest, 1), mediaType: image, tags: tags}, tenancy.ErrChartInvalid, "not a Helm chart"},
		"no JSON":                        {fake{manifest: "<html>", mediaType: image, tags: tags}, tenancy.ErrChartInvalid, "not a Helm chart"},
		"tags that are none":             {fake{tags: "<html>"}, tenancy.ErrSource, "failed to decode"},
		"row 124: tags without end":      {fake{tags: tags, link: `</v2/charts/web/tags/list?n=1&last=a>; rel="next"`}, tenancy.ErrSource, "more tags than are allowed"},
		"row 124: empty pages of tags":   {fake{tags: `{"tags":[]}`, link: `</v2/charts/web/tags/list?n=1&last=a>; rel="next"`}, tenancy.ErrChartNotFound, "no version"},
		"row 123: tags at a private one": {fake{tags: tags, link: `<http://10.0.0.1/v2/charts/web/tags/list>; rel="next"`}, tenancy.ErrSource, "not the same origin"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := serve(t, tc.registry)
			s, _ := run(t, small, func(s *Sources) { s.limits.tags = 20 })
			r := tenancy.Repository{Name: "shop", URL: "oci://" + server.Listener.Addr().String() + "/charts", Insecure: true}
			s.Sync([]tenancy.Repository{r}, []tenancy.ChartRef{wanting("")})
			await(t, isError(s, wanting(""), tc.want))
			says(t, s, wanting(""), tc.text)
		})
	}
}
