package status_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
)

// entries are tenancies of two releases and five pods each; every nth is broken.
func entries(n, broken int) v1alpha1.ControllerStatus {
	out := v1alpha1.ControllerStatus{ObservedGeneration: 1, Summary: &v1alpha1.Summary{}}
	for i := range n {
		t := v1alpha1.TenancyEntry{Namespace: fmt.Sprintf("school-%04d", i), Phase: v1alpha1.TenancyReady}
		for _, name := range []string{"web", "db"} {
			rel := v1alpha1.ReleaseStatus{Name: name, Chart: name, Version: "1.0.0", Revision: 1, Phase: v1alpha1.ReleaseDeployed, Ready: true}
			for p := range 3 {
				rel.Pods = append(rel.Pods, v1alpha1.PodStatus{Name: fmt.Sprintf("%s-7d4b9c6f5-%05d", name, p), Workload: name, Phase: "Running", Ready: true})
			}
			t.Releases = append(t.Releases, rel)
		}
		if i%broken == broken-1 {
			t.Phase, t.Message = v1alpha1.TenancyDegraded, "release web: "+strings.Repeat("why ", 100)
			t.Releases[0].Ready, t.Releases[0].Message, t.Releases[0].Pods[0].Ready = false, t.Message, false
		}
		out.Tenancies = append(out.Tenancies, t)
	}
	return out
}

func weight(t *testing.T, v any) int {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return len(data)
}

// sizes is what each tenancy of a status weighs.
func sizes(t *testing.T, s v1alpha1.ControllerStatus) []int {
	t.Helper()
	var out []int
	for _, tn := range s.Tenancies {
		out = append(out, weight(t, tn)+1)
	}
	return out
}

func TestFit(t *testing.T) {
	const room, quiet = 512 << 10, 256 << 10
	type shape struct {
		Shown, Omitted      int // tenancies
		BrokenFirst         bool
		BrokenWhole, Broken int // broken tenancies whose broken release is shown, and all that are shown
	}
	cases := map[string]struct {
		status v1alpha1.ControllerStatus
		want   shape
		full   int // what it shall be filled up to, nearly
	}{
		"everything fits":                           {entries(100, 50), shape{Shown: 100, Broken: 2, BrokenWhole: 2}, 0},
		"the detail of what is ready does not fit":  {entries(1000, 50), shape{Shown: 1000, Broken: 20, BrokenWhole: 20, BrokenFirst: true}, quiet},
		"the detail of what is broken does not fit": {entries(1000, 1), shape{Shown: 1000, Broken: 1000, BrokenWhole: 15, BrokenFirst: true}, room},
		"not even the names fit":                    {entries(20_000, 5000), shape{Shown: 8600, Omitted: 11_400, Broken: 4, BrokenFirst: true}, room},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := weight(t, tc.status)
			out := status.Fit(tc.status, sizes(t, tc.status), room)
			got := shape{Shown: len(out.Tenancies), Omitted: int(out.Omitted), BrokenFirst: true}
			for i, tn := range out.Tenancies {
				if int(tn.Omitted)+len(tn.Releases) != 2 {
					t.Fatalf("%s shows %d releases and omits %d, want 2 in all", tn.Namespace, len(tn.Releases), tn.Omitted)
				}
				if tn.Phase == v1alpha1.TenancyReady {
					continue
				}
				got.BrokenFirst = got.BrokenFirst && i == got.Broken
				got.Broken++
				if len(tn.Releases) > 0 && !tn.Releases[0].Ready {
					got.BrokenWhole++
				}
			}
			if tc.want.Omitted > 0 { // how many names fit is a matter of their length
				if got.Shown < 5000 || got.Shown+got.Omitted != tc.want.Shown+tc.want.Omitted {
					t.Errorf("%d tenancies are shown and %d omitted", got.Shown, got.Omitted)
				}
				got.Shown, got.Omitted = tc.want.Shown, tc.want.Omitted
			}
			if tc.want.Broken == tc.want.Shown && got.BrokenWhole > 0 {
				got.BrokenWhole = tc.want.BrokenWhole
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("what is shown (-want +got):\n%s", diff)
			}
			if w := weight(t, out); tc.full > 0 && w > tc.full {
				t.Errorf("it weighs %d bytes, want at most %d", w, tc.full)
			} else if w < tc.full*8/10 {
				t.Errorf("it weighs %d bytes: there was room for more", w)
			}
			if after := weight(t, tc.status); after != before {
				t.Error("what was given was changed")
			}
			if again := status.Fit(out, sizes(t, out), room); !cmp.Equal(out, again) {
				t.Error("what fits is changed")
			}
		})
	}
}

func TestRoom(t *testing.T) {
	for rest, want := range map[int]int{0: 512 << 10, 500 << 10: 512 << 10, 700 << 10: 324 << 10, 5 << 20: 64 << 10} {
		if got := status.Room(rest); got != want {
			t.Errorf("Room(%d) = %d, want %d", rest, got, want)
		}
	}
}

func TestFitTenancy(t *testing.T) {
	many := func(n int) v1alpha1.TenancyStatus {
		rel := v1alpha1.ReleaseStatus{Name: "web", Phase: v1alpha1.ReleaseDeployed}
		for i := range n {
			rel.Pods = append(rel.Pods, v1alpha1.PodStatus{Name: fmt.Sprintf("web-7d4b9c6f5-%05d", i), Workload: "web", Phase: "Running", Ready: i%100 != 0})
		}
		return v1alpha1.TenancyStatus{Releases: []v1alpha1.ReleaseStatus{rel}}
	}
	if few := many(1000); !cmp.Equal(few, status.FitTenancy(few)) {
		t.Error("a thousand pods are too many")
	}
	out := status.FitTenancy(many(20_000))
	if w := weight(t, out); w > 1<<20 || w < 900<<10 {
		t.Errorf("it weighs %d bytes, want nearly 1 MiB", w)
	}
	pods, bad := out.Releases[0].Pods, 0
	for _, p := range pods {
		if !p.Ready {
			bad++
		}
	}
	if len(pods)+int(out.Omitted) != 20_000 || bad != 200 {
		t.Errorf("%d pods are shown and %d omitted; %d of those shown are not ready, want all 200", len(pods), out.Omitted, bad)
	}
}
