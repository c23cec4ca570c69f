package main

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestSoak: upgrades leave nothing behind: neither goroutines nor memory in the
// operator, and no more records than the history may have.
func TestSoak(t *testing.T) {
	const (
		name     = "soak"
		tenants  = 25
		releases = 2
		early    = 1  // edit, of 50 upgrades
		late     = 10 // edits, of 500
	)
	t.Setenv("GOGC", "20") // collected often, so that what is measured is what lives
	address := freePort(t)
	startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")), "--metrics-bind-address="+address)
	var tenancies []v1alpha1.TenancySpec
	for i := range tenants {
		tenancies = append(tenancies, tenant(fmt.Sprint("soak-", i), install("conf", "a"), install("conf", "b")))
	}
	create(t, name, tenancies...)
	awaitReady(t, name)

	var before usage
	for round := 1; round <= late; round++ {
		edit(t, name, func(s *v1alpha1.ControllerSpec) {
			for i := range s.Tenancies {
				for j := range s.Tenancies[i].Charts {
					s.Tenancies[i].Charts[j].Settings = []v1alpha1.Setting{{Key: "text", Value: fmt.Sprint(round)}}
				}
			}
		})
		eventually(t, patience, func() error {
			done := 0
			for record, state := range everything(t, "soak-") {
				if state == "deployed" && strings.HasSuffix(record, fmt.Sprintf(".v%d", round+1)) {
					done++
				}
			}
			if done < tenants*releases {
				return fmt.Errorf("%d releases have revision %d, want %d", done, round+1, tenants*releases)
			}
			return nil
		})
		if round == early {
			awaitReady(t, name)
			before = use(t, address)
		}
	}
	awaitReady(t, name)
	after := use(t, address)
	t.Logf("after %d edits: %s; after %d: %s", early, before, late, after)
	if after.goroutines > before.goroutines*1.1 {
		t.Errorf("%.0f goroutines after %d edits and %.0f after %d", before.goroutines, early, after.goroutines, late)
	}
	if after.heap > before.heap*1.1 {
		t.Errorf("%.0f bytes live after %d edits and %.0f after %d", before.heap, early, after.heap, late)
	}
	count := map[string]int{}
	for record := range everything(t, "soak-") {
		count[record[:strings.LastIndex(record, ".v")]]++
	}
	if len(count) != tenants*releases {
		t.Errorf("%d releases have records, want %d", len(count), tenants*releases)
	}
	for release, n := range count {
		if n > 5 {
			t.Errorf("%s has %d records, want 5 at most", release, n)
		}
	}
}

// usage is what a process holds when it is idle.
type usage struct{ goroutines, heap float64 }

func (u usage) String() string {
	return fmt.Sprintf("%.0f goroutines, %.1f MiB live", u.goroutines, u.heap/(1<<20))
}

// use measures an operator that is idle: the least it was seen with while its
// garbage was collected a few times, which the answers to scrapes bring about.
func use(t *testing.T, address string) usage {
	t.Helper()
	const collections = 5
	least := usage{math.Inf(1), math.Inf(1)}
	var first float64
	eventually(t, patience, func() error {
		values := scrape(t, address)
		cycles := values["go_gc_cycles_total_gc_cycles_total"]
		if first == 0 {
			first = cycles
		}
		least.goroutines = min(least.goroutines, values["go_goroutines"])
		if cycles > first {
			least.heap = min(least.heap, values["go_gc_heap_live_bytes"])
		}
		if cycles < first+collections || values["go_gc_heap_live_bytes"] == 0 {
			return fmt.Errorf("%.0f collections, want %d, with %.0f bytes live", cycles-first, collections, values["go_gc_heap_live_bytes"])
		}
		return nil
	})
	return least
}

// scrape reads the metrics that have no labels.
func scrape(t *testing.T, address string) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for line := range strings.Lines(metricsOf(t, address)) {
		var name string
		var value float64
		if _, err := fmt.Sscanf(line, "%s %g", &name, &value); err == nil {
			out[name] = value
		}
	}
	return out
}

// metricsOf is the text of a metrics endpoint.
func metricsOf(t *testing.T, address string) string {
	t.Helper()
	answer, err := http.Get("http://" + address + "/metrics") //nolint:noctx // the test ends with its patience
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("the metrics answer %s: %v", answer.Status, err)
	}
	return string(body)
}
