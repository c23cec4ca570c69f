package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// up starts a supervisor that outlives this process and returns when its
// cluster is usable.
func up(ctx context.Context, args []string) error {
	o, err := parseOptions("up", args)
	if err != nil {
		return err
	}
	var st state
	err = o.dir.ask(ctx, http.MethodGet, "/state", nil, &st)
	switch {
	case err == nil:
		fmt.Fprintf(os.Stderr, "localcluster: a cluster runs in %s already\n", o.dir)
		printHint(o.dir)
		return nil
	case !errors.Is(err, errNotRunning):
		return err
	}
	// The lock is only tried: the supervisor takes it for itself.
	l, err := o.dir.lock()
	if err != nil {
		return err
	}
	if err := errors.Join(o.dir.clear(), os.MkdirAll(o.dir.path("log"), 0o700), l.release()); err != nil {
		return fmt.Errorf("prepare directory %s: %w", o.dir, err)
	}
	if err := startDetached(ctx, o); err != nil {
		return err
	}
	printHint(o.dir)
	return nil
}

func printHint(d directory) { fmt.Printf("export KUBECONFIG=%s\n", d.kubeconfig()) }

// startDetached starts the supervisor in a session of its own, shows its
// progress and returns when it says that the cluster is ready.
func startDetached(ctx context.Context, o options) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the binary to start the supervisor: %w", err)
	}
	log, err := os.OpenFile(o.dir.log("supervisor"), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the supervisor's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(self, append([]string{"run"}, o.args()...)...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("make a pipe for the supervisor: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the supervisor: %w", err)
	}
	ready := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(stdout, make([]byte, 1))
		ready <- err
	}()
	stop := ctx.Done()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var shown int64
	for {
		select {
		case <-tick.C:
			shown += show(log, shown)
		case <-stop:
			stop = nil
			_ = cmd.Process.Signal(syscall.SIGTERM) // the pipe tells when it has ended
		case err := <-ready:
			show(log, shown)
			if err == nil {
				return cmd.Process.Release()
			}
			return fmt.Errorf("start the cluster in %s: the supervisor ended with %w: see %s", o.dir, cmd.Wait(), log.Name())
		}
	}
}

// show copies what the log has beyond offset to standard error.
func show(log io.ReaderAt, offset int64) int64 {
	n, _ := io.Copy(os.Stderr, io.NewSectionReader(log, offset, 1<<40)) // progress only
	return n
}
