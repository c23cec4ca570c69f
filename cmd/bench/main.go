// Command bench does the same work three times: with plain API writes (the floor),
// with the helm command in a loop, and with the operator. Each does it on a fresh
// local cluster. With many tenancies the operator plays scenarios, too. It prints what
// all that took, as tables with ratios and goals, and leaves nothing behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/zapr"
	"go.uber.org/zap"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// options are what the command line says.
type options struct {
	root     string
	sizes    []int // all three contenders
	more     []int // floor and operator alone
	only     string
	profiles string
	requests bool

	scenarios []string      // with the sizes of more
	flap      time.Duration // how long pods flap
	hang      int           // how many tenancies have a chart that hangs
}

func main() {
	// What is started dies with the thread that started it.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if len(os.Args) == 2 && os.Args[1] == workCommand {
		return work(ctx, os.Stdin, os.Stdout)
	}
	opts, err := parseFlags()
	if err != nil {
		return err
	}
	// What the libraries have to say of watches that end with a cluster helps nobody.
	silence := zapr.NewLogger(zap.NewNop())
	ctrl.SetLogger(silence)
	klog.SetLogger(silence)
	results, err := runAll(ctx, opts)
	if ctx.Err() != nil {
		err = errors.New("interrupted; what was started has been ended")
	}
	// What was measured before an error took its time.
	printTables(os.Stdout, results)
	printScenarios(os.Stdout, results)
	printGoals(os.Stdout, results)
	if opts.requests {
		printRequests(os.Stdout, results)
	}
	return err
}

func parseFlags() (options, error) {
	var opts options
	flag.StringVar(&opts.root, "root", ".", "the root of the repository")
	sizes := flag.String("sizes", "25 100", "numbers of tenancies for floor, helm loop and operator")
	more := flag.String("more", "1000", "numbers of tenancies for floor and operator")
	flag.StringVar(&opts.only, "only", "", "run one contender alone: floor, helm or operator")
	flag.StringVar(&opts.profiles, "profiles", "", "directory for CPU and heap profiles of the operator; they cost CPU")
	flag.BoolVar(&opts.requests, "requests", false, "list the requests of each phase by verb and resource")
	scenarios := flag.String("scenarios", strings.Join(allScenarios, " "), "what else is done with the operator at the sizes of -more; empty for nothing")
	flag.DurationVar(&opts.flap, "flap", 5*time.Minute, "how long pods flap; 0 leaves that out")
	flag.IntVar(&opts.hang, "hang", 50, "how many tenancies, and at most one in 20, have a chart that hangs; 0 leaves that out")
	flag.Parse()
	var err error
	if opts.scenarios, err = opts.chosen(*scenarios); err != nil {
		return opts, err
	}
	if opts.sizes, err = numbers(*sizes); err != nil {
		return opts, err
	}
	opts.more, err = numbers(*more)
	return opts, err
}

// numbers reads numbers of tenancies.
func numbers(text string) ([]int, error) {
	var out []int
	for word := range strings.FieldsSeq(text) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > 5000 {
			return nil, fmt.Errorf("%q is no number of tenancies from 1 to 5000", word)
		}
		out = append(out, n)
	}
	return out, nil
}
