package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// workCommand makes the program a worker: a process of its own that does one job,
// so that what it uses can be told from what the bench uses.
const workCommand = "work"

// The contenders.
const (
	floorName    = "floor"
	helmName     = "helm"
	operatorName = "operator"
)

// The phases.
const (
	phaseInstall   = "install"
	phaseEdit      = "edit"
	phaseUpgrade   = "upgrade"
	phaseUninstall = "uninstall"
)

// job is what a worker is told.
type job struct {
	Contender, Phase string
	Workload         workload
	Kubeconfig       string    // of the measured client
	Watcher          string    // the kubeconfig that is not measured
	Patterns         []pattern // for the floor
	Helm, Charts     string    // for helm: the binary and the directory of charts
	Edits            int       // how many tenancies are edited in this phase, or were in an earlier one
	Upgraded         bool      // whether all were upgraded in an earlier phase
}

// outcome is what a worker tells.
type outcome struct {
	Wall  time.Duration
	Edits []edited
	CPU   time.Duration
	Peak  int64
}

// work does the job that is read from in.
func work(ctx context.Context, in io.Reader, out io.Writer) error {
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	do := doFloor
	if j.Contender == helmName {
		do = doHelm
	}
	result, err := do(ctx, j)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}

// worker is a contender whose phases are processes of their own.
type worker struct {
	job   job
	spent usage
}

func (w *worker) do(ctx context.Context, phase string) (outcome, error) {
	w.job.Phase = phase
	in, err := json.Marshal(w.job)
	if err != nil {
		return outcome{}, fmt.Errorf("encode the job: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return outcome{}, fmt.Errorf("find the binary to start a worker: %w", err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, self, workCommand)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	// It ends what it has started before it ends itself.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Run(); err != nil {
		return outcome{}, fmt.Errorf("%s by %s: %w: %s", phase, w.job.Contender, err, bytes.TrimSpace(stderr.Bytes()))
	}
	var result outcome
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil {
		return outcome{}, fmt.Errorf("read the outcome of %s by %s: %w", phase, w.job.Contender, err)
	}
	w.spent.CPU += result.CPU
	w.spent.Peak = max(w.spent.Peak, result.Peak)
	return result, nil
}

func (w *worker) install(ctx context.Context) (time.Duration, error) {
	result, err := w.do(ctx, phaseInstall)
	return result.Wall, err
}

func (w *worker) edit(ctx context.Context, n int) ([]edited, error) {
	w.job.Edits = n
	result, err := w.do(ctx, phaseEdit)
	return result.Edits, err
}

func (w *worker) upgrade(ctx context.Context) (time.Duration, error) {
	result, err := w.do(ctx, phaseUpgrade)
	w.job.Upgraded = true
	return result.Wall, err
}

func (w *worker) uninstall(ctx context.Context) (time.Duration, error) {
	result, err := w.do(ctx, phaseUninstall)
	return result.Wall, err
}

func (w *worker) usage() (usage, error) { return w.spent, nil }

func (w *worker) end() error { return nil }

// revision is the latest one of release web in a tenancy before the job.
func (j job) revision(tenancy int) int {
	n := 1
	if j.Phase != phaseEdit && tenancy < j.Edits {
		n++
	}
	if j.Upgraded {
		n++
	}
	return n
}

// each calls do for 0 to n-1, some at a time, in order. After an error no more
// begin; the first one is returned.
func each(ctx context.Context, n, atOnce int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	all.Wait()
	return context.Cause(ctx)
}
