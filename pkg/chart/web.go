package chart

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/outbound"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// web is a Helm repository: an index.yaml and what it points to.
type web struct {
	repository tenancy.Repository
	limits     limits
	client     *outbound.Client // of this turn
	index      map[string][]listed
	names      map[string]bool // of the charts that were wanted of the index
	stamp      stamp
	parsing    chan struct{} // one index is parsed at a time
}

// begin reads what is wanted of the index, if it is another index than the last time or
// more is wanted of it.
func (w *web) begin(ctx context.Context, client *outbound.Client, refs []tenancy.ChartRef) error {
	w.client = client
	names := make(map[string]bool, len(refs))
	for _, ref := range refs {
		if names[ref.Name] = true; !w.names[ref.Name] {
			w.stamp = stamp{}
		}
	}
	data, now, err := w.get(ctx, strings.TrimSuffix(w.repository.URL, "/")+"/index.yaml", w.stamp, w.limits.index)
	if errors.Is(err, errNotModified) {
		return nil
	}
	if err != nil {
		return err
	}
	select {
	case w.parsing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	entries, err := parseIndex(data, names)
	<-w.parsing
	if err != nil {
		return fmt.Errorf("its index.yaml cannot be used: %w", err)
	}
	w.index, w.names, w.stamp = entries, names, now
	return nil
}

// find looks the reference up in the index.
func (w *web) find(_ context.Context, ref tenancy.ChartRef) (archive, error) {
	list := w.index[ref.Name]
	if len(list) == 0 {
		return archive{}, absent(ref, "is not")
	}
	byVersion := make(map[string]listed, len(list))
	versions := make([]string, 0, len(list))
	for _, l := range list {
		if _, twice := byVersion[l.Version]; twice || len(l.URLs) == 0 {
			continue
		}
		byVersion[l.Version] = l
		versions = append(versions, l.Version)
	}
	version, err := pick(ref.Version, versions)
	if err != nil {
		return archive{}, err
	}
	if version == "" {
		return archive{}, absent(ref, fmt.Sprintf("has no version that fits %q", ref.Version))
	}
	found := byVersion[version]
	place, err := w.locate(found.URLs[0])
	if err != nil {
		return archive{}, useless(ref, version, err)
	}
	digest := strings.ToLower(strings.TrimPrefix(found.Digest, "sha256:"))
	if raw, err := hex.DecodeString(digest); err != nil || len(raw) != 0 && len(raw) != sha256.Size {
		return archive{}, useless(ref, version, errors.New("the index lists it with a digest that is no sha256"))
	}
	return archive{version: version, digest: digest, place: place}, nil
}

// locate makes a URL of what the index says, which may be relative to it.
func (w *web) locate(text string) (string, error) {
	base, err := url.Parse(strings.TrimSuffix(w.repository.URL, "/") + "/")
	if err != nil {
		return "", errors.New("the url of the repository is not one")
	}
	u, err := base.Parse(text)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("the index points to what is no http or https URL")
	case base.Scheme == "https" && u.Scheme != "https":
		return "", errors.New("the index leads from https to http, which is refused")
	}
	u.User = nil // whoever writes the index does not choose who we are
	return u.String(), nil
}

func (w *web) fetch(ctx context.Context, a archive) ([]byte, stamp, error) {
	data, now, err := w.get(ctx, a.place, a.stamp, w.limits.archive)
	if errors.Is(err, outbound.ErrTooLarge) {
		err = fmt.Errorf("%w: the archive of version %s in repository %q is larger than %d bytes",
			tenancy.ErrChartInvalid, a.version, w.repository.Name, w.limits.archive)
	}
	return data, now, err
}

// get downloads a file unless it has its stamp.
func (w *web) get(ctx context.Context, place string, known stamp, limit int64) ([]byte, stamp, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, stamp{}, errors.New("its url is not one")
	}
	if known.etag != "" {
		req.Header.Set("If-None-Match", known.etag)
	}
	if known.modified != "" {
		req.Header.Set("If-Modified-Since", known.modified)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, stamp{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusNotModified && known != (stamp{}):
		return nil, known, errNotModified
	case resp.StatusCode != http.StatusOK:
		return nil, stamp{}, statusError{req.URL, resp.StatusCode}
	}
	data, err := outbound.Read(resp.Body, limit)
	if err != nil {
		return nil, stamp{}, &url.Error{Op: "read", URL: place, Err: err}
	}
	return data, stampOf(resp.Header), nil
}

// stampOf is what a server says about the state of a file. A time alone says too
// little of a file that has just been written: it may be written again in the same second.
func stampOf(h http.Header) stamp {
	now := stamp{h.Get("ETag"), h.Get("Last-Modified")}
	if now.etag != "" || now.modified == "" {
		return now
	}
	modified, err := http.ParseTime(now.modified)
	date, err2 := http.ParseTime(h.Get("Date"))
	if err != nil || err2 != nil || date.Sub(modified) < time.Minute {
		return stamp{}
	}
	return now
}
