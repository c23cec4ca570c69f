package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// pattern is what Helm makes of a release in any tenancy: the objects, and a
// record. The floor writes the same.
type pattern struct {
	Release string
	Objects []unstructured.Unstructured
	Record  corev1.Secret
}

// patternNamespace is where helm installs each release once, to see what it makes.
const patternNamespace = "pattern"

// makePatterns installs the releases of one tenancy with helm, without pods, looks
// at what is there, and uninstalls them.
func (s *stage) makePatterns(ctx context.Context, helm string, w workload) ([]pattern, error) {
	var out []pattern
	for _, rel := range w.releases(firstGrace) {
		chart := append([]string{rel.name, filepath.Join(s.root, "charts", rel.chart), "--namespace", patternNamespace}, setArgs(rel)...)
		manifest, err := s.helm(ctx, helm, append([]string{"template"}, chart...)...)
		if err != nil {
			return nil, err
		}
		p := pattern{Release: rel.name}
		if p.Objects, err = objects(manifest, rel.name); err != nil {
			return nil, err
		}
		noPods := []string{"--create-namespace", "--set", rel.settings[0].Key + "=0"}
		if _, err := s.helm(ctx, helm, slices.Concat([]string{"install"}, chart, noPods)...); err != nil {
			return nil, err
		}
		record, err := s.admin.CoreV1().Secrets(patternNamespace).Get(ctx, recordName(rel.name, 1), metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("read the record of the pattern: %w", err)
		}
		p.Record = corev1.Secret{Type: record.Type, Data: record.Data}
		p.Record.Labels = record.Labels
		if _, err := s.helm(ctx, helm, "uninstall", rel.name, "--namespace", patternNamespace); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, s.admin.CoreV1().Namespaces().Delete(ctx, patternNamespace, metav1.DeleteOptions{})
}

func (s *stage) helm(ctx context.Context, helm string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, helm, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.cluster.Kubeconfig(),
		"HELM_CACHE_HOME="+s.dir, "HELM_CONFIG_HOME="+s.dir, "HELM_DATA_HOME="+s.dir, "HOME="+s.dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run helm %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// objects reads a manifest, without its hooks, with what Helm adds to every
// object, but for the namespace.
func objects(manifest []byte, release string) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		var u unstructured.Unstructured
		switch err := decoder.Decode(&u.Object); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("read the manifest of release %s: %w", release, err)
		}
		annotations := u.GetAnnotations()
		if len(u.Object) == 0 || annotations["helm.sh/hook"] != "" {
			continue
		}
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations["meta.helm.sh/release-name"] = release
		u.SetAnnotations(annotations)
		out = append(out, u)
	}
}

func recordName(release string, revision int) string {
	return fmt.Sprintf("sh.helm.release.v1.%s.v%d", release, revision)
}
