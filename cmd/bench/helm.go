package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// helmAtOnce is how many helm commands run at a time: as many as the operator runs
// operations by default.
const helmAtOnce = 4

// helmLoop runs the helm command, and sums up what its processes use.
type helmLoop struct {
	job  job
	home string // for what helm keeps between its runs

	mu  sync.Mutex
	cpu time.Duration
	max int64
}

// doHelm does a phase with the helm command.
func doHelm(ctx context.Context, j job) (result outcome, err error) {
	loop := &helmLoop{job: j}
	if loop.home, err = os.MkdirTemp("", "multi-tenancy-bench-helm-"); err != nil {
		return outcome{}, fmt.Errorf("create a directory for helm: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(loop.home)) }()
	begin := time.Now()
	switch j.Phase {
	case phaseInstall:
		err = loop.releases(ctx, loop.upgradeInstall)
	case phaseEdit:
		result.Edits, err = loop.edits(ctx)
	case phaseUpgrade:
		err = each(ctx, j.Workload.Tenancies, helmAtOnce, func(ctx context.Context, i int) error {
			return loop.upgradeInstall(ctx, i, j.Workload.releases(upgradeGrace)[0])
		})
	case phaseUninstall:
		err = loop.releases(ctx, loop.uninstall)
	}
	result.Wall, result.CPU, result.Peak = time.Since(begin), loop.cpu, loop.max
	return result, err
}

// releases calls do for every release.
func (l *helmLoop) releases(ctx context.Context, do func(context.Context, int, release) error) error {
	all := l.job.Workload.releases(firstGrace)
	return each(ctx, l.job.Workload.Tenancies*len(all), helmAtOnce, func(ctx context.Context, i int) error {
		return do(ctx, i/len(all), all[i%len(all)])
	})
}

func (l *helmLoop) upgradeInstall(ctx context.Context, tenancy int, rel release) error {
	args := []string{
		"upgrade", "--install", "--create-namespace", "--namespace", namespace(tenancy),
		rel.name, filepath.Join(l.job.Charts, rel.chart),
	}
	return l.run(ctx, append(args, setArgs(rel)...))
}

func (l *helmLoop) uninstall(ctx context.Context, tenancy int, rel release) error {
	return l.run(ctx, []string{"uninstall", "--namespace", namespace(tenancy), rel.name})
}

// setArgs gives helm the settings of a release.
func setArgs(rel release) []string {
	var args []string
	for _, s := range rel.settings {
		args = append(args, "--set", s.Key+"="+s.Value)
	}
	return args
}

func (l *helmLoop) edits(ctx context.Context) ([]edited, error) {
	config, err := clientcmd.BuildConfigFromFlags("", l.job.Watcher)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", l.job.Watcher, err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	var out []edited
	for i := range l.job.Edits {
		one, err := timeEdit(ctx, client, i, editGrace, func(ctx context.Context) error {
			return l.upgradeInstall(ctx, i, l.job.Workload.releases(editGrace)[0])
		})
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// run runs helm once.
func (l *helmLoop) run(ctx context.Context, args []string) error {
	// It dies with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, l.job.Helm, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.job.Kubeconfig,
		"HELM_CACHE_HOME="+l.home, "HELM_CONFIG_HOME="+l.home, "HELM_DATA_HOME="+l.home, "HOME="+l.home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run helm %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(output.Bytes()))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		l.max = max(l.max, used.Maxrss<<10)
	}
	return nil
}
