package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// operator is a running operator process.
type operator struct {
	t     testing.TB
	cmd   *exec.Cmd
	log   *logBuffer
	home  string
	ended chan struct{}
	err   error
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.data.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.data.String()
}

// tail is the end of the log: what a test found wrong stands above it, and is to be
// seen without a search.
func (l *logBuffer) tail(lines int) string {
	all := strings.SplitAfter(l.String(), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "")
}

// startOperator runs the operator on a chart home. It is stopped, and must end
// well and without a data race, when the test is over.
func startOperator(t testing.TB, home string, flags ...string) *operator {
	t.Helper()
	return startOperatorAs(t, world.cluster.Kubeconfig(), home, flags...)
}

func startOperatorAs(t testing.TB, kubeconfig, home string, flags ...string) *operator {
	t.Helper()
	args := append([]string{
		"--kubeconfig", kubeconfig, "--chart-home", home,
		"--metrics-bind-address=0", "--health-probe-bind-address=0",
	}, flags...)
	op := &operator{t: t, cmd: exec.Command(world.operator, args...), log: &logBuffer{}, home: home, ended: make(chan struct{})}
	op.cmd.Stdout, op.cmd.Stderr = op.log, op.log
	op.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1 exitcode=66 atexit_sleep_ms=0")
	op.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := op.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		op.err = op.cmd.Wait()
		close(op.ended)
	}()
	t.Cleanup(op.stop)
	eventually(t, patience, func() error {
		if op.log.String() == "" {
			return errors.New("the operator says nothing")
		}
		return nil
	})
	return op
}

// stop asks the operator to end, and waits until it has.
func (op *operator) stop() {
	op.t.Helper()
	select {
	case <-op.ended:
		return
	default:
	}
	if err := op.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		op.t.Errorf("stop the operator: %v", err)
	}
	<-op.ended
	if op.err != nil || strings.Contains(op.log.String(), "DATA RACE") {
		op.t.Errorf("the operator ended with %v; its log:\n%s", op.err, op.log)
	}
	if op.t.Failed() {
		op.t.Logf("the operator said last:\n%s", op.log.tail(40))
	}
}

// kill ends the operator as a crash does.
func (op *operator) kill() {
	op.t.Helper()
	if err := op.cmd.Process.Kill(); err != nil {
		op.t.Fatalf("kill the operator: %v", err)
	}
	<-op.ended
	if strings.Contains(op.log.String(), "DATA RACE") {
		op.t.Errorf("the operator raced; its log:\n%s", op.log)
	}
}
