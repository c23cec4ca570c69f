// Package memory ends the process in good time before its memory does: a process
// that the kernel kills leaves a Helm release locked. It reads what the kernel says
// of a cgroup (version 2), and knows nothing of the work.
package memory

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	// nearly is the part of the limit, in percent, at which the process has to end.
	nearly = 95
	// effort is the part, in percent, from which the garbage collector does all it can.
	effort = 90
	// interval is how often the cgroup is looked at.
	interval = 500 * time.Millisecond
)

// ErrNearlyOut is how Guard ends.
var ErrNearlyOut = errors.New("memory was nearly used up; raise the memory limit of the operator")

// Guard looks at the memory of a cgroup. Make one with New and run it with Start.
type Guard struct{ dir string }

// New makes a guard of the cgroup that has its files in dir; empty for none.
func New(dir string) *Guard { return &Guard{dir: dir} }

// Start returns ErrNearlyOut when the working set comes near the limit of the
// cgroup, and otherwise when ctx ends. Without a limit at the start it looks no
// more.
func (g *Guard) Start(ctx context.Context) error {
	if _, limited := g.limit(); !limited {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if used, limit, err := g.look(); err != nil {
			log.FromContext(ctx).V(1).Info("the memory of the cgroup cannot be read", "reason", err.Error())
		} else if near(used, limit) {
			log.FromContext(ctx).Error(ErrNearlyOut, "the operator ends as soon as the running operations have", "workingSetBytes", used, "limitBytes", limit)
			return ErrNearlyOut
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// NeedLeaderElection lets a manager run the guard of a standby, too.
func (*Guard) NeedLeaderElection() bool { return false }

// SetGoLimit has the garbage collector work harder before the limit is near, unless
// GOMEMLIMIT says when. The Go runtime does not look at the cgroup by itself.
func (g *Guard) SetGoLimit() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit, limited := g.limit(); limited {
		debug.SetMemoryLimit(int64(float64(limit) * effort / 100))
	}
}

// near decides whether the process has to end.
func near(used, limit uint64) bool { return float64(used) >= float64(limit)*nearly/100 }

// look reads the working set, as the kubelet counts it, and the limit, which a
// resize of the pod may move.
func (g *Guard) look() (used, limit uint64, err error) {
	limit, limited := g.limit()
	if !limited {
		limit = math.MaxUint64
	}
	current, err := g.read("memory.current")
	if err != nil {
		return 0, 0, err
	}
	if used, err = strconv.ParseUint(current, 10, 64); err != nil {
		return 0, 0, fmt.Errorf("read memory.current: %w", err)
	}
	stat, err := g.read("memory.stat")
	if err != nil {
		return 0, 0, err
	}
	return used - min(used, inactiveFile(stat)), limit, nil
}

// limit is memory.max; there is none on a machine without cgroups, either.
func (g *Guard) limit() (bytes uint64, limited bool) {
	if g.dir == "" {
		return 0, false
	}
	text, err := g.read("memory.max")
	if err != nil {
		return 0, false
	}
	bytes, err = strconv.ParseUint(text, 10, 64) // it may be "max"
	return bytes, err == nil && bytes > 0
}

// inactiveFile finds the page cache that the kernel takes back without being
// asked.
func inactiveFile(stat string) uint64 {
	for line := range strings.Lines(stat) {
		if number, found := strings.CutPrefix(line, "inactive_file "); found {
			n, _ := strconv.ParseUint(strings.TrimSpace(number), 10, 64)
			return n
		}
	}
	return 0
}

func (g *Guard) read(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(g.dir, name))
	return strings.TrimSpace(string(text)), err
}
