package release

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	helmchart "helm.sh/helm/v3/pkg/chart"
	helmrelease "helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/drift"
)

// maxRecord is how large a record may be when it is unpacked.
const maxRecord = 64 << 20

// unreadable describes the revision a record stands for that cannot be read.
const unreadable = "The record of this revision cannot be read"

// secrets are the Secrets of a namespace as Helm's storage shall see them. Helm
// leaves out a record that it cannot read, so that it makes the same revision
// again for ever, and panics when it is asked for it by name. Here such a
// record is a failed revision with the manifest of the one before it.
//
// It also keeps why a history could not be read, which Helm takes for none, and puts
// our annotations on the record of the revision that an operation makes, where
// Helm knows labels alone.
type secrets struct {
	corev1client.SecretInterface
	blind       error
	verdicts    map[types.UID]verdict
	annotations func() map[string]string
	// from is the first revision that is annotated; 0 for none.
	from int
	// at is the resource version of what was written last.
	at   uint64
	past history
	// seal is put on what the operator writes, and stays on what it wrote before.
	seal   seal
	sealed map[string]bool // by name: the records that were genuine when they were read last
}

// verdict is what a record was found to be in one of its versions.
type verdict struct {
	version string
	release *helmrelease.Release // nil when it cannot be read
}

// Get implements the client of Secrets.
func (s *secrets) Get(ctx context.Context, name string, opts metav1.GetOptions) (*corev1.Secret, error) {
	secret, err := s.SecretInterface.Get(ctx, name, opts)
	if err != nil {
		return nil, err
	}
	if s.read(secret) == nil {
		mend(secret, "")
	}
	return secret, nil
}

// Create implements the client of Secrets. Nothing is made over a history that
// could not be read.
func (s *secrets) Create(ctx context.Context, secret *corev1.Secret, opts metav1.CreateOptions) (*corev1.Secret, error) {
	if s.blind != nil {
		return nil, fmt.Errorf("read the history of the release: %w", s.blind)
	}
	s.from = revision(secret)
	s.annotate(secret)
	s.seal.put(secret)
	return s.wrote(s.SecretInterface.Create(ctx, secret, opts))
}

// Update implements the client of Secrets.
func (s *secrets) Update(ctx context.Context, secret *corev1.Secret, opts metav1.UpdateOptions) (*corev1.Secret, error) {
	mine := s.from > 0 && revision(secret) >= s.from
	if mine {
		s.annotate(secret)
	}
	if mine || s.sealed[secret.Name] {
		s.seal.put(secret)
	}
	return s.wrote(s.SecretInterface.Update(ctx, secret, opts))
}

// Delete implements the client of Secrets.
func (s *secrets) Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error {
	err := s.SecretInterface.Delete(ctx, name, opts)
	if err == nil {
		s.past.drop(name)
	}
	return err
}

// wrote notes what was written.
func (s *secrets) wrote(secret *corev1.Secret, err error) (*corev1.Secret, error) {
	if err == nil {
		s.at = max(s.at, drift.At(secret))
		s.past.put(secret)
	}
	return secret, err
}

func (s *secrets) annotate(secret *corev1.Secret) {
	for name, value := range s.annotations() {
		if value != "" {
			metav1.SetMetaDataAnnotation(&secret.ObjectMeta, name, value)
		}
	}
}

// read unpacks a record; nil when that cannot be done, or what is in it is not
// what its labels say.
func (s *secrets) read(secret *corev1.Secret) *helmrelease.Release {
	if known, ok := s.verdicts[secret.UID]; ok && known.version == secret.ResourceVersion {
		return known.release
	}
	rel, err := unpack(secret.Data["release"])
	if err != nil || rel.Info == nil || rel.Chart == nil || rel.Chart.Metadata == nil ||
		rel.Name != secret.Labels["name"] || rel.Version != revision(secret) {
		rel = nil
	}
	if s.verdicts == nil {
		s.verdicts = map[types.UID]verdict{}
	}
	s.verdicts[secret.UID] = verdict{version: secret.ResourceVersion, release: rel}
	return rel
}

func revision(secret *corev1.Secret) int {
	n, _ := strconv.Atoi(secret.Labels["version"])
	return n
}

func unpack(packed []byte) (*helmrelease.Release, error) {
	text := make([]byte, base64.StdEncoding.DecodedLen(len(packed)))
	n, err := base64.StdEncoding.Decode(text, packed)
	if err != nil {
		return nil, err
	}
	text = text[:n]
	if bytes.HasPrefix(text, []byte{0x1f, 0x8b, 0x08}) {
		unpacked, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		if text, err = io.ReadAll(io.LimitReader(unpacked, maxRecord+1)); err != nil {
			return nil, err
		}
		if len(text) > maxRecord {
			return nil, errors.New("the record is too large")
		}
	}
	rel := &helmrelease.Release{}
	return rel, json.Unmarshal(text, rel)
}

// mend puts a failed revision in the place of what cannot be read.
func mend(secret *corev1.Secret, manifest string) {
	text, _ := json.Marshal(standIn(secret, manifest)) // of plain data: cannot fail
	secret.Data = map[string][]byte{"release": []byte(base64.StdEncoding.EncodeToString(text))}
}

// standIn is a failed revision in the place of what cannot be read.
func standIn(secret *corev1.Secret, manifest string) *helmrelease.Release {
	return &helmrelease.Release{
		Name: secret.Labels["name"], Namespace: secret.Namespace, Version: revision(secret),
		Info:     &helmrelease.Info{Status: helmrelease.StatusFailed, Description: unreadable},
		Chart:    &helmchart.Chart{Metadata: &helmchart.Metadata{}},
		Manifest: manifest,
	}
}
