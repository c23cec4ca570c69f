// Command localcluster is a Kubernetes cluster in one binary, for tests and
// demonstrations: etcd, kube-apiserver, kube-controller-manager and
// kube-scheduler are the real ones, nodes and pods are simulated by KWOK. It
// needs no root, no container engine and no network.
//
// It is a module of its own, so that the operator never depends on
// k8s.io/kubernetes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `localcluster is a Kubernetes cluster in one binary: a real control plane, simulated nodes and pods.

  localcluster up       [--dir DIR] [--nodes N] [--pods fast|general] [--apiserver-flag=--x=y ...]
                        starts the cluster in the background
  localcluster run      the same flags; stays in the foreground until it is interrupted,
                        with --until-eof also until its standard input ends;
                        prints one line of JSON when the cluster is usable
  localcluster down     [--dir DIR] stops the cluster and removes its data
  localcluster status   [--dir DIR] shows the processes
  localcluster restart  [--dir DIR] COMPONENT [-- FLAGS...]
                        stops COMPONENT if it runs and starts it on the same data and ports;
                        FLAGS hold for this start only
  localcluster kubectl  [--dir DIR] [--] ARGS...
                        kubectl; without --dir it uses KUBECONFIG, then the default directory

Components: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok.
DIR is bin/local unless given.
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	name, args := os.Args[1], os.Args[2:]
	if program, ok := programs()[name]; ok {
		os.Args = os.Args[1:]
		os.Exit(program())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, name, args)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "localcluster:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, name string, args []string) error {
	switch name {
	case "up":
		return up(ctx, args)
	case "run":
		return run(ctx, args)
	case "down":
		return down(ctx, args)
	case "status":
		return status(ctx, args)
	case "restart":
		return restart(ctx, args)
	case "kubectl":
		return kubectl(args)
	case "help", "-h", "-help", "--help":
		fmt.Print(usage)
		return nil
	}
	return fmt.Errorf("there is no command %q: see localcluster help", name)
}
