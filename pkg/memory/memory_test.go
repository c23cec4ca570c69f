package memory

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"testing/synctest"
)

// cgroup writes the files of a cgroup, by their name after "memory.".
func cgroup(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, "memory."+name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGuard(t *testing.T) {
	const stat = "anon 90\nactive_file 5\ninactive_file 10\nslab 1"
	cases := map[string]struct {
		files map[string]string
		ends  bool
	}{
		"there is no cgroup":                        {},
		"there is no limit":                         {files: map[string]string{"max": "max", "current": "99", "stat": stat}},
		"the limit cannot be read":                  {files: map[string]string{"max": "a lot", "current": "99", "stat": stat}},
		"there is room":                             {files: map[string]string{"max": "100", "current": "50", "stat": stat}},
		"just below":                                {files: map[string]string{"max": "1000", "current": "959", "stat": stat}},
		"just there":                                {files: map[string]string{"max": "1000", "current": "960", "stat": stat}, ends: true},
		"full, and most of it is page cache":        {files: map[string]string{"max": "100", "current": "100", "stat": "inactive_file 60"}},
		"more page cache than memory":               {files: map[string]string{"max": "100", "current": "50", "stat": "inactive_file 60"}},
		"full, and nothing is said of a page cache": {files: map[string]string{"max": "100", "current": "100", "stat": "anon 100"}, ends: true},
		"what is used cannot be read":               {files: map[string]string{"max": "100", "current": "", "stat": stat}},
		"the details cannot be read":                {files: map[string]string{"max": "100", "current": "100"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cgroup(t, dir, tc.files)
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithTimeout(t.Context(), 3*interval)
				defer stop()
				err := New(dir).Start(ctx)
				if ended := errors.Is(err, ErrNearlyOut); ended != tc.ends || (!tc.ends && err != nil) {
					t.Errorf("Start() = %v, want it to end by itself: %t", err, tc.ends)
				}
				if !tc.ends && ctx.Err() == nil {
					t.Error("Start() returned before it was told to")
				}
			})
		})
	}
}

// TestGuardKeepsLooking: both the memory in use and the limit move.
func TestGuardKeepsLooking(t *testing.T) {
	for name, then := range map[string]map[string]string{
		"more is used":            {"current": "99"},
		"the limit is taken down": {"max": "51"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cgroup(t, dir, map[string]string{"max": "100", "current": "50", "stat": ""})
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				go func() { ended <- New(dir).Start(t.Context()) }()
				synctest.Wait()
				select {
				case err := <-ended:
					t.Fatalf("Start() = %v while there was room", err)
				default:
				}
				cgroup(t, dir, then)
				if err := <-ended; !errors.Is(err, ErrNearlyOut) {
					t.Errorf("Start() = %v, want %v", err, ErrNearlyOut)
				}
			})
		})
	}
}

func TestSetGoLimit(t *testing.T) {
	cases := map[string]struct {
		max, environment string
		want             int64
	}{
		"a limit":                     {max: "1000000000000", want: 900000000000},
		"no limit":                    {max: "max", want: math.MaxInt64},
		"the environment has its say": {max: "1000000000000", environment: "off", want: math.MaxInt64},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOMEMLIMIT", tc.environment)
			before := debug.SetMemoryLimit(math.MaxInt64)
			defer debug.SetMemoryLimit(before)
			dir := t.TempDir()
			cgroup(t, dir, map[string]string{"max": tc.max})
			New(dir).SetGoLimit()
			if got := debug.SetMemoryLimit(-1); got != tc.want {
				t.Errorf("the limit is %d, want %d", got, tc.want)
			}
		})
	}
}
