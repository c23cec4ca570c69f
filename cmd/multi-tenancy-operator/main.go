// Command multi-tenancy-operator runs the Helm charts of many tenancies in one
// cluster, as one Controller object lists them, and reports their live state.
package main

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"net/http"
	"os"

	"github.com/go-logr/zapr"
	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	crzap "sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"multitenancy.dev/multi-tenancy-operator/pkg/admission"
	"multitenancy.dev/multi-tenancy-operator/pkg/chart"
	"multitenancy.dev/multi-tenancy-operator/pkg/controller"
	"multitenancy.dev/multi-tenancy-operator/pkg/guardrail"
	"multitenancy.dev/multi-tenancy-operator/pkg/memory"
	"multitenancy.dev/multi-tenancy-operator/pkg/queue"
	"multitenancy.dev/multi-tenancy-operator/pkg/release"
	"multitenancy.dev/multi-tenancy-operator/pkg/transport"
	"multitenancy.dev/multi-tenancy-operator/pkg/watch"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == sandboxCommand {
		if err := release.RenderInSandbox(os.Stdin); err != nil {
			os.Exit(1)
		}
		return
	}
	opts := parseFlags()
	logger := setLogger(opts)
	if err := run(ctrl.SetupSignalHandler(), opts); err != nil {
		logger.Error("operator ended", zap.Error(err))
		os.Exit(1)
	}
}

// setLogger sends the logs of every library through one JSON logger. What Helm
// prints by itself is dropped: its warnings quote the values of releases.
func setLogger(opts options) *zap.Logger {
	raw := crzap.NewRaw(crzap.UseFlagOptions(&opts.zap))
	logger := zapr.NewLogger(raw)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	stdlog.SetOutput(io.Discard)
	return raw
}

// The informers of namespaces, four for each, make so many requests in a second, and
// so many at once.
const (
	informersPerSecond = 200
	informersAtOnce    = 50
)

func run(ctx context.Context, opts options) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the API server: %w", err)
	}
	// How much is asked at a time is bounded by --concurrent, and fairness among
	// clients is the API server's business.
	config.QPS = -1
	config.DisableCompression = true // bytes are cheaper near the API server than its CPU
	work, err := newWork(opts)
	if err != nil {
		return err
	}
	config.Wrap(transport.Watches(work.counts.Watched))
	// Nothing above the connection has a deadline: not Helm, and not the informers.
	config.Wrap(transport.Bound(opts.patience))
	var hooks webhooks
	settings := manager.Options{
		Scheme:                        scheme(),
		Metrics:                       metricsServer(opts),
		HealthProbeBindAddress:        opts.probeAddress,
		PprofBindAddress:              opts.pprofAddress,
		LeaderElection:                opts.leaderElect,
		LeaderElectionID:              "multi-tenancy-operator.multitenancy.dev",
		LeaderElectionNamespace:       opts.namespace,
		LeaderElectionReleaseOnCancel: true, // nothing runs after the manager has stopped
		GracefulShutdownTimeout:       &opts.gracePeriod,
	}
	if opts.webhooks {
		settings.WebhookServer = hooks.server(opts)
	}
	mgr, err := ctrl.NewManager(config, settings)
	if err != nil {
		return fmt.Errorf("make the manager: %w", err)
	}
	client, err := kubernetes.NewForConfigAndClient(binary(mgr.GetConfig()), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("connect to the API server: %w", err)
	}
	recorder, stop := newRecorder(client)
	defer stop()
	if err := installed(ctx, client.Discovery()); err != nil {
		return err
	}
	validator, err := wire(mgr, client, recorder, work, opts)
	if err != nil {
		return err
	}
	if opts.webhooks {
		if err := hooks.answer(ctx, mgr, client, validator, opts); err != nil {
			return err
		}
	}
	return mgr.Start(ctx)
}

// binary makes clients speak Protobuf, which costs both sides less than JSON: what the
// controller-manager watches too is encoded once for both. It is for Kubernetes' own
// kinds alone.
func binary(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	return config
}

// work is the queue, what is counted, and the bells of those who fill the one and read
// the other.
type work struct {
	schedule, report, mirror controller.Wake
	jobs                     *queue.Queue
	counts                   *controller.Metrics
}

func newWork(opts options) (work, error) {
	w := work{schedule: controller.NewWake(), report: controller.NewWake(), mirror: controller.NewWake()}
	w.jobs = queue.New(queue.WithWorkers(opts.concurrent), queue.WithOnChange(w.ring))
	counts, err := controller.NewMetrics(metrics.Registry, w.jobs.Load)
	if err != nil {
		return w, fmt.Errorf("register metrics: %w", err)
	}
	w.counts = counts
	return w, nil
}

// ring rings all bells.
func (w work) ring() { w.schedule.Ring(); w.tell() }

// tell rings the bells of those who write statuses.
func (w work) tell() { w.report.Ring(); w.mirror.Ring() }

// wire makes every other part and tells each of the ones it needs. The validator has what
// it needs of them.
func wire(mgr manager.Manager, client kubernetes.Interface, recorder events.EventRecorder, work work, opts options) (validator admission.Validator, err error) {
	jobs, counts := work.jobs, work.counts
	pace := transport.Pace(informersPerSecond, informersAtOnce)
	namespaced, err := kubernetes.NewForConfigAndClient(binary(mgr.GetConfig()), &http.Client{Transport: pace(mgr.GetHTTPClient().Transport)})
	if err != nil {
		return validator, fmt.Errorf("connect to the API server: %w", err)
	}
	records, err := metadata.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return validator, fmt.Errorf("connect to the API server: %w", err)
	}
	ledger := controller.NewLedger(work.tell)
	objects := func() {
		work.tell()
		// Pods move no plan, unless a release waits for another one to be ready.
		if ledger.Waiting() {
			work.schedule.Ring()
		}
	}
	watcher, err := watch.New(watch.Clients{Kube: client, Metadata: records, Namespaced: namespaced}, opts.informers, work.ring, objects,
		watch.WithOnEvent(counts.Happened))
	if err != nil {
		return validator, err
	}
	charts := chart.NewSources(chart.NewHome(opts.chartHome, work.ring),
		chart.WithCredentials(controller.Credentials(client.CoreV1().Secrets(opts.namespace))),
		chart.WithCacheDir(opts.chartCache),
		chart.WithInterval(opts.chartInterval),
		chart.WithAllowedNetworks(opts.chartNetworks),
		chart.WithOnChange(work.ring),
		chart.WithOnFetch(counts.Fetched),
		chart.WithOnForget(counts.Forgot),
	)
	releases, err := release.New(binary(mgr.GetConfig()), charts, release.WithLives(watcher.Lives), release.WithServiceAccount(opts.account),
		release.WithSealKey(client.CoreV1().Secrets(opts.namespace), "multi-tenancy-operator-records"), release.WithSandbox(sandbox),
		release.WithPark(jobs.Park), release.WithOnRender(counts.Rendered))
	if err != nil {
		return validator, err
	}
	desired := controller.NewDesired(charts, watcher.References(), opts.account)
	guard := memory.New(opts.memoryCgroup)
	guard.SetGoLimit()

	for _, part := range []manager.Runnable{guard, watcher, charts, jobs} {
		if err := mgr.Add(part); err != nil {
			return validator, fmt.Errorf("add a part to the manager: %w", err)
		}
	}
	guards := controller.NewGuards(guardrail.NewKeeper(mgr.GetClient(), mgr.GetAPIReader()), watcher)
	known := &controller.Known{Desired: desired, Queue: jobs, Watch: watcher, Ledger: ledger, Guards: guards}
	for _, reconciler := range []interface{ SetupWithManager(manager.Manager) error }{
		&controller.Schedule{
			Client: mgr.GetClient(), Recorder: recorder,
			Desired: desired, Releases: releases, Namespaces: releases, Guards: guards, Queue: jobs, Watch: watcher, Ledger: ledger, Metrics: counts, Wake: work.schedule,
		},
		&controller.Report{Client: counts.Count(mgr.GetClient()), Known: known, Metrics: counts, Wake: work.report},
		&controller.Mirror{Client: counts.Count(mgr.GetClient()), Known: known, Metrics: counts, Wake: work.mirror},
	} {
		if err := reconciler.SetupWithManager(mgr); err != nil {
			return validator, fmt.Errorf("add a reconciler to the manager: %w", err)
		}
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return validator, fmt.Errorf("add the health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return validator, fmt.Errorf("add the readiness check: %w", err)
	}
	return admission.Validator{Charts: charts, References: watcher.References(), Fit: releases.Fit}, nil
}
