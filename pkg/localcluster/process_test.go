package localcluster_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/localcluster"
)

func pid(t *testing.T, cluster *localcluster.Cluster, component string) int {
	t.Helper()
	pid, err := cluster.PID(component)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func pids(t *testing.T, cluster *localcluster.Cluster) []int {
	t.Helper()
	var these []int
	for _, component := range all {
		these = append(these, pid(t, cluster, component))
	}
	return these
}

// gone tells whether a process has ended. One that nobody has waited for yet
// has ended too: it holds no port and runs no code.
func gone(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err != nil || strings.Contains(string(status), "State:\tZ")
}

func parentOf(pid int) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "\nPPid:")
	var parent int
	_, err = fmt.Sscan(rest, &parent)
	return parent, err
}
