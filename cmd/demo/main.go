// Command demo shows the main job on a throw-away local cluster: it installs the
// CRD, runs the operator with the Controller of the quick start, and shows the
// live status until everything is ready. At a terminal it then stays until
// Ctrl-C. It ends every process it started.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/term"
)

// options are what the command line says.
type options struct {
	root     string
	patience time.Duration
	stay     bool
}

func main() {
	// What the demo starts dies with the thread that started it.
	runtime.LockOSThread()
	var opts options
	flag.StringVar(&opts.root, "root", ".", "the root of the repository")
	flag.DurationVar(&opts.patience, "patience", 3*time.Minute, "how long everything may take to become ready")
	flag.Parse()
	opts.stay = term.IsTerminal(int(os.Stdout.Fd())) && term.IsTerminal(int(os.Stdin.Fd()))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, opts)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opts options) (err error) {
	stage, err := setUp(ctx, opts.root)
	defer func() { err = errors.Join(err, stage.tearDown()) }()
	if err != nil {
		return err
	}
	screen := &screen{out: os.Stdout, live: opts.stay}
	patience, cancel := context.WithTimeout(ctx, opts.patience)
	defer cancel()
	if err := stage.show(patience, screen, ready); err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C before everything was ready is no failure
		}
		return fmt.Errorf("not everything became ready in %s: %w; the log of the operator ends:\n%s",
			opts.patience, err, cmp.Or(stage.logTail(), "(it is empty)"))
	}
	fmt.Fprintln(os.Stdout, "\nEverything is ready.")
	if !opts.stay {
		return nil
	}
	screen.footer = fmt.Sprintf("Ctrl-C ends the demo. Meanwhile, in another terminal:\n"+
		"  export KUBECONFIG=%s\n  %s kubectl edit controller example-controller",
		stage.cluster.Kubeconfig(), filepath.Join(opts.root, "bin", "localcluster"))
	if err := stage.show(ctx, screen, forever); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
