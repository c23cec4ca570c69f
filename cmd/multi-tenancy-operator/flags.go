package main

import (
	"cmp"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	crzap "sigs.k8s.io/controller-runtime/pkg/log/zap"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// options are what the command line and the environment say.
type options struct {
	chartHome      string
	chartCache     string
	chartInterval  time.Duration
	chartNetworks  []netip.Prefix
	namespace      string
	account        string
	concurrent     int
	informers      int
	leaderElect    bool
	metricsAddress string
	metricsSecure  bool
	probeAddress   string
	pprofAddress   string
	gracePeriod    time.Duration
	patience       time.Duration
	memoryCgroup   string
	zap            crzap.Options

	webhooks        bool
	webhookPort     int
	webhookCerts    string
	webhookValidity time.Duration
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.chartHome, "chart-home", cmp.Or(os.Getenv("CHART_HOME"), "charts"),
		"directory of charts, unpacked or as .tgz (environment: CHART_HOME)")
	flag.StringVar(&o.chartCache, "chart-cache", filepath.Join(os.TempDir(), "multi-tenancy-operator-charts"),
		"directory that keeps what was fetched from chart repositories over a restart; empty for none")
	flag.DurationVar(&o.chartInterval, "chart-source-interval", 5*time.Minute,
		"how often chart repositories are looked at")
	flag.Func("allowed-source-networks",
		"networks that are not public and where chart repositories may be, such as 10.0.0.0/8,fd00::/8 (default none)",
		func(text string) (err error) {
			o.chartNetworks, err = networks(text)
			return err
		})
	flag.StringVar(&o.account, "default-service-account", "",
		"the ServiceAccount, in the namespace of each tenancy, as which charts are applied where the Controller names none; empty for the operator itself")
	flag.IntVar(&o.concurrent, "concurrent", 16,
		"how many Helm operations run at a time; one that waits for a hook does not count")
	flag.IntVar(&o.informers, "namespaced-informers", 25,
		"up to how many namespaces have informers of their own; more are followed by one set of informers for the whole cluster, which costs less")
	flag.BoolVar(&o.leaderElect, "leader-elect", false,
		"let one of several replicas act, chosen by a Lease")
	flag.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080",
		"address of the metrics endpoint; 0 for none")
	flag.BoolVar(&o.metricsSecure, "metrics-secure", false,
		"serve the metrics with TLS, to those alone who may get the path /metrics; false for anybody who reaches the address")
	flag.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081",
		"address of /healthz and /readyz; 0 for none")
	flag.StringVar(&o.pprofAddress, "pprof-bind-address", "0",
		"address of the profiles of the Go runtime (/debug/pprof/), which anybody who reaches it may read; 0 for none")
	flag.DurationVar(&o.gracePeriod, "graceful-shutdown-timeout", 10*time.Minute,
		"how long running Helm operations may take to end when the operator stops")
	flag.DurationVar(&o.patience, "request-timeout", time.Minute,
		"how long the API server may take for one answer; a watch may be silent for twice that")
	flag.StringVar(&o.memoryCgroup, "memory-cgroup", "/sys/fs/cgroup",
		"directory of the cgroup (version 2) whose memory limit the operator heeds: near it, it ends by itself; empty for none")
	flag.IntVar(&o.webhookPort, "webhook-port", 9443,
		"port of the webhooks, which are served when the environment variable ENABLE_WEBHOOKS is true")
	flag.StringVar(&o.webhookCerts, "webhook-cert-dir", "",
		"directory of tls.crt and tls.key for the webhooks, read again when they change; empty for certificates that the operator makes and rotates itself")
	flag.DurationVar(&o.webhookValidity, "webhook-cert-validity", 90*24*time.Hour,
		"how long a certificate that the operator makes is valid; it is renewed when a third of that is left")
	// A failed operation is no bug of the operator's: its place in the code tells nobody anything.
	o.zap.StacktraceLevel = zapcore.DPanicLevel
	o.zap.BindFlags(flag.CommandLine)
	flag.Parse()
	o.namespace = cmp.Or(os.Getenv("POD_NAMESPACE"), "multi-tenancy")
	o.webhooks = os.Getenv("ENABLE_WEBHOOKS") == "true"
	return o
}

// networks reads a list of CIDRs.
func networks(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, fmt.Errorf("%q is not a network such as 10.0.0.0/8", part)
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}
