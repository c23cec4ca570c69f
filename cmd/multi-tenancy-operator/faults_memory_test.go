package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// cgroup writes the files of a cgroup with a limit of 1000 MiB.
func cgroup(t *testing.T, dir string, usedMiB int) {
	t.Helper()
	for file, text := range map[string]string{
		"memory.max": fmt.Sprint(1000 << 20), "memory.current": fmt.Sprint(usedMiB << 20), "memory.stat": fmt.Sprint("inactive_file ", 10<<20),
	} {
		whole := filepath.Join(dir, file+".new") // the kernel's files are never half written
		if err := os.WriteFile(whole, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(whole, filepath.Join(dir, file)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNearlyOutOfMemory: before the kernel kills it, the process ends by itself when
// the running operation has, and the next one goes on, fault row 14.
func TestNearlyOutOfMemory(t *testing.T) {
	const name = "memory"
	home, dir := fixture.Home(t, "", fixture.Stuck("hang", "pre-install"), fixture.ConfigMap("conf")), t.TempDir()
	cgroup(t, dir, 100)
	op := startOperator(t, home, "--memory-cgroup="+dir)
	create(t, name, tenant(name, install("hang", "a"), install("conf", "b")))
	eventually(t, patience, recorded(t, name, "a.v1", "pending-install"))

	cgroup(t, dir, 961)
	eventually(t, patience, func() error {
		for line := range strings.Lines(op.log.String()) {
			if strings.Contains(line, `"level":"error"`) && strings.Contains(line, `"workingSetBytes":997195776,"limitBytes":1048576000`) {
				return nil
			}
		}
		return fmt.Errorf("the operator does not say that its memory is nearly used up:\n%s", op.log)
	})
	op.lives() // the hook runs
	wantRecords(t, name, map[string]string{"a.v1": "pending-install"})
	unstick(t)
	eventually(t, patience, func() error {
		select {
		case <-op.ended:
			return nil
		default:
			return fmt.Errorf("the operator does not end; its log:\n%s", op.log)
		}
	})
	if code := op.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("the operator ended with code %d, want 1; its log:\n%s", code, op.log)
	}
	wantRecords(t, name, map[string]string{"a.v1": "deployed"})

	cgroup(t, dir, 100)
	startOperator(t, home, "--memory-cgroup="+dir)
	awaitReady(t, name)
	wantRecords(t, name, map[string]string{"a.v1": "deployed", "b.v1": "deployed"})
}
