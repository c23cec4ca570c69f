// Package localcluster starts real Kubernetes clusters for tests and for the
// demonstration: a control plane whose nodes and pods are simulated. It runs
// the binary built from cmd/localcluster and knows nothing of what is inside.
package localcluster

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// stopPatience is how long a cluster may take to stop before it is killed.
const stopPatience = time.Minute

// Options say what kind of cluster to start. The zero value is a cluster of
// three nodes whose pods start at once, in a directory of its own.
type Options struct {
	// Dir holds the data, the logs and the kubeconfig; it must be empty, or
	// left by an earlier cluster. If it is empty text, a fresh temporary
	// directory is used and removed at Stop.
	Dir string
	// Nodes is the number of simulated nodes, 3 if it is 0.
	Nodes int
	// Pods is "fast" (the default: pods are ready at once) or "general" (pods
	// take a few seconds to start, to complete and to stop).
	Pods string
	// APIServerFlags are added to those of kube-apiserver.
	APIServerFlags []string
	// Log receives the progress of the start and what the supervisor notices
	// later. Nil discards it.
	Log io.Writer
	// Binary is the path of localcluster. If it is empty, the environment
	// variable LOCALCLUSTER names it; if that is empty too, it is
	// bin/localcluster in the module of the working directory.
	Binary string
}

// Cluster is a running cluster. Its processes end at Stop, and also when the
// process that called Start ends, however it ends. Methods other than Stop may
// be called at the same time.
type Cluster struct {
	binary  string
	dir     string
	remove  string // directory to remove at Stop
	state   state
	config  *rest.Config
	process *exec.Cmd
	stdin   io.Closer
	ended   chan struct{} // closed when the supervisor has been waited for
	err     error         // how it ended; read after ended
}

// Start starts a cluster and returns when it is usable: all nodes are ready
// and pods can be created in namespace default. When ctx ends before, the start
// is given up; later it has no effect. The caller must call Stop.
func Start(ctx context.Context, o Options) (_ *Cluster, err error) {
	binary, err := findBinary(o.Binary)
	if err != nil {
		return nil, err
	}
	c := &Cluster{binary: binary, dir: o.Dir, ended: make(chan struct{})}
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp("", "localcluster-"); err != nil {
			return nil, fmt.Errorf("create a directory for a local cluster: %w", err)
		}
		c.remove = c.dir
	}
	if err := c.start(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("start a local cluster in %s: %w", c.dir, err), c.removeDir())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options) error {
	var complaints tail
	c.process = exec.Command(c.binary, o.args(c.dir)...)
	c.process.Stderr = io.MultiWriter(&complaints, orDiscard(o.Log))
	// Ctrl-C is for the caller, who may still need the cluster to end its work.
	c.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := c.process.StdinPipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	c.stdin = stdin
	// A pipe of our own: Wait would close that of StdoutPipe, perhaps before
	// the line has been read.
	stdout, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer func() { _ = stdout.Close() }()
	c.process.Stdout = write
	err = c.process.Start()
	_ = write.Close() // the child has its own
	if err != nil {
		return fmt.Errorf("run %s: %w", c.binary, err)
	}
	go func() {
		c.err = c.process.Wait()
		close(c.ended)
	}()
	abort := context.AfterFunc(ctx, func() { _ = stdin.Close() })
	defer abort()

	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		stopErr := c.end()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %s", errors.Join(stopErr, c.err), complaints.String())
	}
	if err := json.Unmarshal(line, &c.state); err != nil {
		return errors.Join(fmt.Errorf("read what %s printed: %w", c.binary, err), c.end())
	}
	c.config, err = clientcmd.BuildConfigFromFlags("", c.state.Kubeconfig)
	if err != nil {
		return errors.Join(fmt.Errorf("read %s: %w", c.state.Kubeconfig, err), c.end())
	}
	c.config.QPS = -1
	return nil
}

// args are the arguments of the binary.
func (o Options) args(dir string) []string {
	args := []string{"run", "--until-eof", "--dir", dir}
	if o.Nodes != 0 {
		args = append(args, "--nodes", strconv.Itoa(o.Nodes))
	}
	if o.Pods != "" {
		args = append(args, "--pods", o.Pods)
	}
	for _, f := range o.APIServerFlags {
		args = append(args, "--apiserver-flag="+f)
	}
	return args
}

// Kubeconfig returns the path of an administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return c.state.Kubeconfig }

// RESTConfig returns an administrator's configuration that does not throttle
// its client. Each call returns a copy.
func (c *Cluster) RESTConfig() *rest.Config { return rest.CopyConfig(c.config) }

// Restart stops the component, if it still runs, and starts it again on the
// same ports and data. The flags are added for this start only. It returns
// when the component is ready.
func (c *Cluster) Restart(ctx context.Context, component string, flags ...string) error {
	args := slices.Concat([]string{"restart", "--dir", c.dir, component, "--"}, flags)
	_, err := c.execute(ctx, "", args)
	return err
}

// Kubectl runs kubectl as administrator and returns what it prints. stdin is
// what it reads for -f -. Its complaints become part of the error.
func (c *Cluster) Kubectl(ctx context.Context, stdin string, args ...string) (string, error) {
	return c.execute(ctx, stdin, slices.Concat([]string{"kubectl", "--dir", c.dir, "--"}, args))
}

func (c *Cluster) execute(ctx context.Context, stdin string, args []string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.binary, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("run localcluster %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// Stop ends the cluster and returns when all its processes are gone. A
// directory that Start created is removed. Stopping again is harmless.
func (c *Cluster) Stop() error {
	return errors.Join(c.end(), c.removeDir())
}

// end asks the supervisor to stop and waits for it. How it ended counts only
// if it did not stop by itself: a test may have killed it.
func (c *Cluster) end() error {
	_ = c.stdin.Close() // closed before, if this is not the first call
	select {
	case <-c.ended:
		return nil
	case <-time.After(stopPatience):
	}
	err := c.process.Process.Kill()
	<-c.ended
	return errors.Join(fmt.Errorf("stop the cluster in %s: it did not stop within %s and was killed", c.dir, stopPatience), err)
}

func (c *Cluster) removeDir() error {
	if c.remove == "" {
		return nil
	}
	if err := os.RemoveAll(c.remove); err != nil {
		return fmt.Errorf("remove the directory of the cluster: %w", err)
	}
	return nil
}
