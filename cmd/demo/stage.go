package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/localcluster"
)

// stage is everything the demo runs.
type stage struct {
	cluster  *localcluster.Cluster
	client   client.WithWatch
	operator *exec.Cmd
	log      *os.File
	name     string
}

// setUp starts the cluster and the operator and applies the quick start. The
// stage must be torn down, also after an error.
func setUp(ctx context.Context, root string) (*stage, error) {
	s := &stage{}
	fmt.Println("Starting a local cluster …")
	var err error
	s.cluster, err = localcluster.Start(ctx, localcluster.Options{
		Binary: filepath.Join(root, "bin", "localcluster"), Log: os.Stderr,
	})
	if err != nil {
		return s, err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(apiextensionsv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return s, err
	}
	if s.client, err = client.NewWithWatch(s.cluster.RESTConfig(), client.Options{Scheme: scheme}); err != nil {
		return s, err
	}
	if err := s.installCRDs(ctx, filepath.Join(root, "deploy", "crd")); err != nil {
		return s, err
	}
	if err := s.startOperator(root); err != nil {
		return s, err
	}
	fmt.Println("Applying deploy/samples/quickstart.yaml …")
	var cr v1alpha1.Controller
	if err := read(filepath.Join(root, "deploy", "samples", "quickstart.yaml"), &cr); err != nil {
		return s, err
	}
	s.name = cr.Name
	return s, s.client.Create(ctx, &cr)
}

func (s *stage) installCRDs(ctx context.Context, dir string) error {
	fmt.Println("Installing the CRDs …")
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := read(path, &crd); err != nil {
			return err
		}
		if err := s.client.Create(ctx, &crd); err != nil {
			return fmt.Errorf("create CRD %s: %w", crd.Name, err)
		}
	}
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		return errors.Join(s.client.List(ctx, &v1alpha1.ControllerList{}), s.client.List(ctx, &v1alpha1.TenancyList{})) == nil, nil
	})
}

func (s *stage) startOperator(root string) error {
	fmt.Println("Starting the operator …")
	var err error
	if s.log, err = os.CreateTemp("", "multi-tenancy-operator-*.log"); err != nil {
		return err
	}
	s.operator = exec.Command(filepath.Join(root, "bin", "multi-tenancy-operator"),
		"--kubeconfig", s.cluster.Kubeconfig(), "--chart-home", filepath.Join(root, "charts"),
		"--metrics-bind-address=0", "--health-probe-bind-address=0")
	s.operator.Stdout, s.operator.Stderr = s.log, s.log
	// Ctrl-C is for the demo, which then ends the operator; if the demo is
	// killed, the operator goes with it.
	s.operator.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.operator.Start(); err != nil {
		s.operator = nil
		return fmt.Errorf("start the operator: %w", err)
	}
	return nil
}

// tearDown ends the operator and then the cluster, and waits for both.
func (s *stage) tearDown() error {
	var errs []error
	if s.operator != nil {
		errs = append(errs, s.operator.Process.Signal(syscall.SIGTERM))
		errs = append(errs, s.operator.Wait())
	}
	if s.log != nil {
		errs = append(errs, s.log.Close(), os.Remove(s.log.Name()))
	}
	if s.cluster != nil {
		errs = append(errs, s.cluster.Stop())
	}
	return errors.Join(errs...)
}

// logTail is the end of the operator's log.
func (s *stage) logTail() string {
	if s.log == nil {
		return ""
	}
	data, err := os.ReadFile(s.log.Name())
	if err != nil {
		return ""
	}
	return string(data[max(0, len(data)-4096):])
}

func forever(*v1alpha1.Controller) bool { return false }

// show draws the Controller at every change until it is enough.
func (s *stage) show(ctx context.Context, screen *screen, enough func(*v1alpha1.Controller) bool) error {
	for {
		var cr v1alpha1.Controller
		if err := s.client.Get(ctx, types.NamespacedName{Name: s.name}, &cr); err != nil {
			return err
		}
		screen.draw(&cr)
		if enough(&cr) {
			return nil
		}
		if over, err := s.follow(ctx, &cr, screen, enough); over || err != nil {
			return err
		}
	}
}

// follow draws changes until the watch ends; over says that it was enough.
func (s *stage) follow(ctx context.Context, cr *v1alpha1.Controller, screen *screen, enough func(*v1alpha1.Controller) bool) (over bool, err error) {
	changes, err := s.client.Watch(ctx, &v1alpha1.ControllerList{}, &client.ListOptions{
		Raw: listFrom(cr.ResourceVersion),
	})
	if err != nil {
		return false, err
	}
	defer changes.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case change, open := <-changes.ResultChan():
			if !open || change.Type == watch.Error {
				return false, nil
			}
			if cr, ok := change.Object.(*v1alpha1.Controller); ok && cr.Name == s.name {
				screen.draw(cr)
				if enough(cr) {
					return true, nil
				}
			}
		}
	}
}

func read(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(data, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
