package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The namespace and the Lease of the operator.
const (
	operatorNamespace = "multi-tenancy"
	operatorLease     = "multi-tenancy-operator.multitenancy.dev"
)

// operator is the contender that is a process of its own over all phases.
type operator struct {
	stage      *stage
	workload   workload
	controller *controller
	records    *records
	profiles   string
	charts     string // the chart home
	// abandoned says that it is killed at the end: an operation that never ends would
	// keep it from ending as it should.
	abandoned bool
	applied   time.Time // when the whole spec was sent last

	log     *os.File
	process *exec.Cmd // nil when it does not run
	pprof   string    // address of its profiles
	before  usage     // of its processes that have ended
}

// startOperator prepares the cluster and starts the operator in it. It must be
// ended, also after an error.
func startOperator(ctx context.Context, s *stage, w workload, charts, profiles string) (*operator, error) {
	o := &operator{stage: s, workload: w, profiles: profiles, charts: charts}
	if _, err := s.cluster.Kubectl(ctx, "", "apply", "-f", filepath.Join(s.root, "deploy", "crd")); err != nil {
		return o, err
	}
	if _, err := s.cluster.Kubectl(ctx, "", "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"); err != nil {
		return o, err
	}
	_, err := s.admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}}, metav1.CreateOptions{})
	if err != nil {
		return o, fmt.Errorf("create namespace %s: %w", operatorNamespace, err)
	}
	if o.controller, err = followController(ctx, s.cluster.RESTConfig()); err != nil {
		return o, err
	}
	if o.records, err = followRecords(ctx, s.cluster.RESTConfig()); err != nil {
		return o, err
	}
	if o.log, err = os.Create(filepath.Join(s.dir, "operator.log")); err != nil {
		return o, fmt.Errorf("create the operator's log: %w", err)
	}
	return o, o.start(ctx)
}

// start starts the operator with its default settings, but for addresses that may be
// taken, and waits until it holds its Lease.
func (o *operator) start(ctx context.Context) error {
	args := []string{"--kubeconfig", o.stage.kubeconfig, "--chart-home", o.charts, "--chart-cache=", "--leader-elect"}
	addresses, err := freeAddresses(3)
	if err != nil {
		return err
	}
	args = append(args, "--metrics-bind-address="+addresses[0], "--health-probe-bind-address="+addresses[1])
	if o.profiles != "" {
		o.pprof = addresses[2]
		args = append(args, "--pprof-bind-address="+o.pprof)
	}
	cmd := exec.Command(operatorBinary(o.stage.root), args...)
	cmd.Env = append(os.Environ(), "POD_NAMESPACE="+operatorNamespace)
	cmd.Stdout, cmd.Stderr = o.log, o.log
	// Ctrl-C is for the bench, which then ends the operator.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the operator: %w", err)
	}
	o.process = cmd
	for {
		lease, err := o.stage.admin.CoordinationV1().Leases(operatorNamespace).Get(ctx, operatorLease, metav1.GetOptions{})
		switch {
		case err == nil && lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "":
			return nil
		case err != nil && !apierrors.IsNotFound(err):
			return fmt.Errorf("read the Lease of the operator: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func operatorBinary(root string) string { return filepath.Join(root, "bin", "multi-tenancy-operator") }

// stop ends the operator as Kubernetes does.
func (o *operator) stop() error {
	if o.process == nil {
		return nil
	}
	used, err := o.usage()
	if err != nil {
		return errors.Join(fmt.Errorf("the operator has ended: %w", err), o.process.Wait())
	}
	o.before = used
	err = errors.Join(o.process.Process.Signal(syscall.SIGTERM), o.process.Wait())
	o.process = nil
	return err
}

func (o *operator) end() error {
	err := o.quit()
	if o.log != nil {
		err = errors.Join(err, o.log.Close())
	}
	if err == nil || o.log == nil {
		return err
	}
	text, _ := os.ReadFile(o.log.Name()) // what can be told of the failure
	return fmt.Errorf("%w; the operator's log ends: %s", err, text[max(0, len(text)-2048):])
}

// quit stops the operator, or kills it.
func (o *operator) quit() error {
	if !o.abandoned || o.process == nil {
		return o.stop()
	}
	if err := o.process.Process.Kill(); err != nil {
		return errors.Join(fmt.Errorf("the operator has ended: %w", err), o.process.Wait())
	}
	_ = o.process.Wait() // says that it was killed
	o.process = nil
	return nil
}

// usage is that of all its processes so far.
func (o *operator) usage() (usage, error) {
	if o.process == nil {
		return o.before, nil
	}
	cpu, err := processCPU(o.process.Process.Pid)
	if err != nil {
		return usage{}, err
	}
	peak, err := processPeak(o.process.Process.Pid)
	if err != nil {
		return usage{}, err
	}
	return usage{CPU: o.before.CPU + cpu, Peak: max(o.before.Peak, peak)}, nil
}

// freeAddresses finds ports that nobody uses, all different.
func freeAddresses(n int) ([]string, error) {
	var out []string
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = listener.Close() }()
		out = append(out, listener.Addr().String())
	}
	return out, nil
}
