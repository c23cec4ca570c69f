package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// history is what Helm's storage holds after each of three operations.
type history struct{ Installed, Upgraded, RolledBack map[string]record }

// TestWhatIsStoredIsWhatHelmStores: a release that the operator makes is, byte for
// byte, the one that the helm command makes of the same chart and values, so
// that helm goes on with it. Both use the same namespaces, one after the other.
func TestWhatIsStoredIsWhatHelmStores(t *testing.T) {
	home := parityHome(t)
	want := byHelm(t, home)
	kubectl(t, "", "delete", "crd", "widgets.parity.example") // which helm never does
	got := byOperator(t, home)
	for _, chart := range slices.Sorted(maps.Keys(parityCases)) {
		t.Run(chart, func(t *testing.T) {
			tc := parityCases[chart]
			for _, h := range []history{want[chart], got[chart]} {
				wantKept(t, h, tc.kept)
				for _, records := range []map[string]record{h.Installed, h.Upgraded, h.RolledBack} {
					for _, rel := range records {
						rel.normalise(t, tc.generated)
					}
				}
			}
			if n := len(want[chart].RolledBack); n != 3 {
				t.Errorf("helm stored %d revisions, want 3", n)
			}
			if diff := cmp.Diff(want[chart], got[chart]); diff != "" {
				t.Errorf("stored (-helm +operator):\n%s", diff)
			}
		})
	}
}

// wantKept: what a revision finds in the cluster is in the next one as well, and
// what it does not look for is not.
func wantKept(t *testing.T, h history, kept map[string][]string) {
	t.Helper()
	for secret, keys := range kept {
		for _, key := range keys {
			first := secretValue(t, h.Upgraded["sh.helm.release.v1.rel.v1"]["manifest"].(string), secret, key)
			second := secretValue(t, h.Upgraded["sh.helm.release.v1.rel.v2"]["manifest"].(string), secret, key)
			if first != second {
				t.Errorf("key %s of Secret %s was %s and became %s", key, secret, first, second)
			}
		}
	}
}

// parityHome is a chart home with the charts of testdata, some of them packed.
func parityHome(t *testing.T) string {
	t.Helper()
	home := fixture.Home(t, filepath.Join("testdata", "charts"))
	helm(t, "package", filepath.Join("testdata", "packed", "whole"), "-d", home)
	helm(t, "package", filepath.Join("testdata", "packed", "cache"), "-d", filepath.Join(home, "subcharts", "charts"))
	return home
}

// wantHelmKnows: the commands that look at releases find those of the operator.
func wantHelmKnows(t *testing.T, ns string) {
	t.Helper()
	var revisions []map[string]any
	if err := json.Unmarshal([]byte(helm(t, "history", "rel", "-n", ns, "-o", "json")), &revisions); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range revisions {
		got = append(got, fmt.Sprint(r["revision"], " ", r["status"], " ", r["chart"], " ", r["description"]))
	}
	want := []string{
		"1 superseded subcharts-3.0.0-rc.1 Install complete",
		"2 superseded subcharts-3.0.0-rc.1 Upgrade complete",
		"3 deployed subcharts-3.0.0-rc.1 Rollback to 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("helm history (-want +got):\n%s", diff)
	}
	values := helm(t, "get", "values", "rel", "-n", ns, "-o", "yaml")
	if diff := cmp.Diff("database:\n  primary:\n    service:\n      port: 5432\njobs:\n  workers: 2\n", values); diff != "" {
		t.Errorf("helm get values (-want +got):\n%s", diff)
	}
}
