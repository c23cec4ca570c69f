package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
	"multitenancy.dev/multi-tenancy-operator/pkg/localcluster"
)

// chaosSeed is the environment variable that plays a run of TestRandomEdits again.
const chaosSeed = "CHAOS_SEED"

// TestRandomEdits: whatever was edited, by whomever, and whoever died meanwhile, the
// end is that of a clean run of the last spec, and nothing else was touched.
func TestRandomEdits(t *testing.T) {
	const (
		name     = "chaos"
		edits    = 200
		kills    = 6
		restarts = 2
		pause    = 200 * time.Millisecond // at most, between two edits
	)
	seed := seedOf(t)
	random := rand.New(rand.NewPCG(seed, edits))
	home := fixture.Home(t, "", breakable(fixture.Deployment("web")), breakable(fixture.ConfigMap("conf")))
	plantForeign(t, home)
	create(t, name, randomTenancy(random, chaosNamespace(0)), randomTenancy(random, chaosNamespace(1)))
	edit(t, name, func(s *v1alpha1.ControllerSpec) { s.MaxRemovals = new(int32(1000)) })
	foreign := foreignObjects(t)

	moments := random.Perm(edits)
	deaths, outages := moments[:kills], moments[kills:kills+restarts]
	op := startOperator(t, home)
	for i := range edits {
		// The moment of an edit, and of a death after it, is left to chance.
		time.Sleep(time.Duration(random.Int64N(int64(pause))))
		randomMove(t, name, seed, uint64(i))
		if slices.Contains(deaths, i) {
			op.kill()
			op = startOperator(t, home)
		}
		if slices.Contains(outages, i) {
			pid, err := world.cluster.PID(localcluster.APIServer)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if err := world.cluster.Restart(t.Context(), localcluster.APIServer); err != nil {
				t.Fatal(err)
			}
		}
		op.lives()
	}
	edit(t, name, mendSpec)
	took := eventually(t, 2*patience, settled(t, name))
	wild := chaosState(t)
	t.Logf("ready %s after the last edit, with %d releases and objects", took.Round(time.Millisecond), len(wild))
	noPending(t)
	last := get(t, name).Spec

	kubectl(t, "", "delete", "controller", name)
	eventually(t, patience, isGone(t, name))
	if diff := cmp.Diff(foreignState, chaosState(t)); diff != "" {
		t.Errorf("what is left of the releases (-want +got):\n%s", diff)
	}

	create(t, name+"-clean", last.Tenancies...)
	eventually(t, patience, settled(t, name+"-clean"))
	if diff := cmp.Diff(chaosState(t), wild); diff != "" {
		t.Errorf("the end is not that of a clean run (-clean +wild):\n%s", diff)
	}
	if diff := cmp.Diff(foreign, foreignObjects(t)); diff != "" {
		t.Errorf("what is no release's was touched (-before +after):\n%s", diff)
	}
}

// seedOf is the seed of this run.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv(chaosSeed); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s=%d", chaosSeed, seed)
	return seed
}

// settled says what keeps a Controller from being ready with every object of its
// releases there: what a person deleted last may not have been missed yet.
func settled(t *testing.T, name string) func() error {
	return func() error {
		if err := isReady(t, name)(); err != nil {
			return err
		}
		state := chaosState(t)
		for _, tn := range get(t, name).Spec.Tenancies {
			for _, c := range tn.Charts {
				if object := objectOf(tn, c); state[object] == "" {
					return fmt.Errorf("there is no %s", object)
				}
			}
		}
		return nil
	}
}

// noPending fails the test when a record is left pending, or a history is too long.
func noPending(t *testing.T) {
	t.Helper()
	count := map[string]int{}
	for record, state := range everything(t, chaosPrefix) {
		if strings.HasPrefix(state, "pending") || state == "uninstalling" {
			t.Errorf("record %s is left %s", record, state)
		}
		count[record[:strings.LastIndex(record, ".v")]]++
	}
	for release, n := range count {
		if n > 5 {
			t.Errorf("%s has %d records, want 5 at most", release, n)
		}
	}
}
