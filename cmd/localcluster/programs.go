package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics, as in the upstream binaries
	_ "k8s.io/component-base/metrics/prometheus/version"  // version metric, as in the upstream binaries
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	kubectlerrors "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwokcmd "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	kwoksignals "sigs.k8s.io/kwok/pkg/utils/signals"
)

// The components, in the order in which they start.
const (
	etcd              = "etcd"
	kubeAPIServer     = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	kubeScheduler     = "kube-scheduler"
	kwok              = "kwok"
)

// programs are the components this binary contains. Each reads os.Args as if
// it were a binary of its own and returns its exit code. They keep flags,
// feature gates and logging in package variables, so a process runs one only.
func programs() map[string]func() int {
	return map[string]func() int{
		etcd:              func() int { etcdmain.Main(os.Args); return 0 },
		kubeAPIServer:     func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
		controllerManager: func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) },
		kubeScheduler:     func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
		kwok:              runKwok,
	}
}

// runKwok reads --config before the command exists, as KWOK's own main does:
// the command takes its defaults from the configuration.
func runKwok() int {
	forgetGlobalFlags()
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, log := kwoklog.InitFlags(kwoksignals.SetupSignalContext(), flags)
	ctx, err := kwokconfig.InitFlags(ctx, flags)
	if err != nil {
		log.Error("Read configuration", "err", err)
		return 1
	}
	cmd := kwokcmd.NewCommand(ctx)
	cmd.PersistentFlags().AddFlagSet(flags)
	if err := cmd.ExecuteContext(ctx); err != nil {
		log.Error("Run", "err", err)
		return 1
	}
	return 0
}

// forgetGlobalFlags hides the flags that the packages of the control plane
// register for every command of the process, such as a --version that is no
// boolean: KWOK and kubectl have their own.
func forgetGlobalFlags() { pflag.CommandLine = pflag.NewFlagSet(os.Args[0], pflag.ContinueOnError) }

// kubectl becomes kubectl: it exits the process on an error, as kubectl does.
func kubectl(args []string) error {
	dir, args, given := dirArgument(args)
	if given || os.Getenv("KUBECONFIG") == "" {
		path, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("find directory %s: %w", dir, err)
		}
		if err := os.Setenv("KUBECONFIG", directory(path).kubeconfig()); err != nil {
			return fmt.Errorf("set KUBECONFIG: %w", err)
		}
	}
	os.Args = append([]string{"kubectl"}, args...)
	forgetGlobalFlags()
	kubectlerrors.CheckErr(cli.RunNoErrOutput(kubectlcmd.NewDefaultKubectlCommand()))
	return nil
}
