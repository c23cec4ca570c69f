package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// record is a release as a Secret of Helm holds it. Nothing is left out, since it
// is not read into a type.
type record map[string]any

// stored reads all revisions in a namespace, by the names of their Secrets.
func stored(t testing.TB, namespace string) map[string]record {
	t.Helper()
	list, err := world.kube.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]record{}
	for _, s := range list.Items {
		rel := decode(t, s.Data["release"])
		// What the operator adds to a record: its own labels.
		maps.DeleteFunc(s.Labels, func(key, _ string) bool { return strings.HasPrefix(key, "multitenancy.dev/") })
		for _, key := range []string{"createdAt", "modifiedAt"} {
			delete(s.Labels, key)
		}
		rel["secret"] = map[string]any{"type": string(s.Type), "labels": s.Labels, "keys": slices.Sorted(maps.Keys(s.Data))}
		out[s.Name] = rel
	}
	return out
}

func decode(t testing.TB, data []byte) record {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(string(data))
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	rel := record{}
	decoder := json.NewDecoder(unpacked)
	decoder.UseNumber() // 1e+06 and 1000000 are not the same
	if err := decoder.Decode(&rel); err != nil {
		t.Fatal(err)
	}
	return rel
}

// normalise takes out of a record what differs between any two of them: times,
// and the values that are generated.
func (rel record) normalise(t testing.TB, generated map[string][]string) {
	t.Helper()
	info := rel["info"].(map[string]any)
	for _, key := range []string{"first_deployed", "last_deployed"} {
		hideTime(info, key)
	}
	hooks, _ := rel["hooks"].([]any)
	for _, h := range hooks {
		run := h.(map[string]any)["last_run"].(map[string]any)
		hideTime(run, "started_at")
		hideTime(run, "completed_at")
	}
	chart := rel["chart"].(map[string]any)
	for _, part := range []string{"templates", "files"} {
		readable(t, chart[part])
	}
	rel["manifest"] = hideGenerated(t, rel["manifest"].(string), generated)
}

// hideTime keeps whether there is a time.
func hideTime(in map[string]any, key string) {
	if text, _ := in[key].(string); text != "" {
		in[key] = "(a time)"
	}
}

// readable turns the bytes of a chart's files into text, for the sake of the diff.
func readable(t testing.TB, files any) {
	t.Helper()
	list, _ := files.([]any)
	for _, f := range list {
		file := f.(map[string]any)
		data, err := base64.StdEncoding.DecodeString(file["data"].(string))
		if err != nil {
			t.Fatal(err)
		}
		file["data"] = string(data)
	}
}

// hideGenerated puts what kind of value it is in the place of each generated one;
// every one of them must be there.
func hideGenerated(t testing.TB, manifest string, generated map[string][]string) string {
	t.Helper()
	for secret, keys := range generated {
		for _, key := range keys {
			value := secretValue(t, manifest, secret, key)
			manifest = strings.Replace(manifest, value, kindOf(t, value), 1)
		}
	}
	return manifest
}

// secretValue finds the base64 text under a key of a Secret in a manifest.
func secretValue(t testing.TB, manifest, secret, key string) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^  ` + regexp.QuoteMeta(key) + `: "?([A-Za-z0-9+/]+=*)"?$`)
	for doc := range strings.SplitSeq(manifest, "\n---\n") {
		if !strings.Contains(doc, "kind: Secret\n") || !strings.Contains(doc, "  name: "+secret+"\n") {
			continue
		}
		if found := line.FindStringSubmatch(doc); found != nil {
			return found[1]
		}
	}
	t.Fatalf("the manifest has no Secret %s with the key %s:\n%s", secret, key, manifest)
	return ""
}

// kindOf describes a generated value: its PEM blocks, or its length.
func kindOf(t testing.TB, value string) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		t.Fatal(err)
	}
	kind := ""
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		kind += "(" + block.Type + ")"
	}
	if kind == "" {
		kind = fmt.Sprintf("(%d bytes)", len(data))
	}
	return kind
}
