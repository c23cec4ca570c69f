package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// stopPatience is how long a component may take to stop before it is killed.
const stopPatience = 5 * time.Second

// spawner starts all children from one thread that lives as long as the
// spawner: the kernel sends a child its parent-death signal when the thread
// that forked it ends, not when the process does.
type spawner struct {
	requests chan func()
	done     chan struct{}
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan func()), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		runtime.LockOSThread()
		for request := range s.requests {
			request()
		}
	}()
	return s
}

// start runs the command; the kernel kills it when this process ends.
func (s *spawner) start(cmd *exec.Cmd) error {
	// A group of its own, so that an interrupt typed at the terminal reaches
	// the supervisor only, which stops its children in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	result := make(chan error)
	s.requests <- func() { result <- cmd.Start() }
	return <-result
}

// close ends the thread. All children must have been waited for.
func (s *spawner) close() {
	close(s.requests)
	<-s.done
}

// child is one start of a component.
type child struct {
	name string
	log  string
	pid  int
	done chan struct{} // closed when the process has been waited for
	err  error         // how it ended; read after done
}

// startChild starts this binary as the named component, which writes to log.
// ended is told when the child is gone.
func startChild(s *spawner, d directory, name string, args []string, ended chan<- struct{}) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the binary to start %s: %w", name, err)
	}
	log, err := os.OpenFile(d.log(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", name, err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(self, append([]string{name}, args...)...)
	cmd.Dir = string(d)
	// KWOK would otherwise read a configuration from the home directory.
	cmd.Env = append(os.Environ(), "KWOK_WORKDIR="+string(d))
	cmd.Stdout, cmd.Stderr = log, log
	if err := s.start(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{name: name, log: d.log(name), pid: cmd.Process.Pid, done: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.done)
		select {
		case ended <- struct{}{}:
		default: // somebody is about to look already
		}
	}()
	return c, nil
}

func (c *child) running() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// stop ends the child, by force when it takes too long, and waits for it.
func (c *child) stop() {
	if !c.running() {
		return
	}
	// An error means that it has just ended; done tells.
	_ = syscall.Kill(c.pid, syscall.SIGTERM)
	select {
	case <-c.done:
		return
	case <-time.After(stopPatience):
	}
	_ = syscall.Kill(c.pid, syscall.SIGKILL)
	<-c.done
}

// failure describes a child that ended by itself, with the end of its log.
func (c *child) failure() error {
	how := "exit status 0"
	if c.err != nil {
		how = c.err.Error()
	}
	return fmt.Errorf("%s ended with %s; the end of %s:\n%s", c.name, how, c.log, lastLines(c.log, 15))
}

func lastLines(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
