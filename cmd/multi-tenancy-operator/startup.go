package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// sandboxCommand makes the program render one chart, which may not end, and nothing else.
const sandboxCommand = "render-in-sandbox"

// sandbox is this program as a process of its own. It knows nothing of the environment
// but how the race detector, where there is one, ends.
func sandbox(ctx context.Context) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the operator's own program: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, sandboxCommand)
	cmd.Env = []string{"GOMAXPROCS=1", "GORACE=" + os.Getenv("GORACE")}
	return cmd, nil
}

// metricsServer is how the metrics are served.
func metricsServer(opts options) server.Options {
	out := server.Options{BindAddress: opts.metricsAddress, SecureServing: opts.metricsSecure}
	if opts.metricsSecure {
		out.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return out
}

// crdPatience is how long the operator waits for its own kinds: they may be installed
// at the same time.
const crdPatience = 30 * time.Second

// installed waits until the API server has the operator's own kinds. It does not wait for
// the API server.
func installed(ctx context.Context, api discovery.ServerResourcesInterface) error {
	group := v1alpha1.GroupVersion.String()
	var missing error
	err := wait.PollUntilContextTimeout(ctx, time.Second, crdPatience, true, func(context.Context) (bool, error) {
		first := missing == nil
		if _, missing = api.ServerResourcesForGroupVersion(group); !apierrors.IsNotFound(missing) {
			return true, nil
		}
		if first {
			ctrl.Log.Info("the API server does not know Controllers yet; deploy/crd is waited for", "group", group, "for", crdPatience.String())
		}
		return false, nil
	})
	if err != nil && apierrors.IsNotFound(missing) {
		return fmt.Errorf("the API server does not know Controllers of %s: apply deploy/crd, and start the operator again", group)
	}
	return ctx.Err()
}
