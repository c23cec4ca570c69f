package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// helmEdits is how many edits are timed with helm, which takes long for each.
	helmEdits = 10
	// calm is how long the operator may take to come to rest before it is called idle.
	calm = 15 * time.Second
	// idleTime is how long it is then looked at.
	idleTime = time.Minute
	// afterRestart is how long CPU counts for a restart after the status is right.
	afterRestart = 3 * time.Second
)

// contender does the work.
type contender interface {
	install(ctx context.Context) (time.Duration, error)
	edit(ctx context.Context, n int) ([]edited, error)
	upgrade(ctx context.Context) (time.Duration, error)
	uninstall(ctx context.Context) (time.Duration, error)
	usage() (usage, error)
	end() error
}

// contest is one contender with one workload on one cluster.
type contest struct {
	opts   options
	helm   string
	stage  *stage
	charts string  // the chart home of the operator
	last   reading // at the end of the last phase
	result *result
	more   bool // whether the scenarios are played, too
}

func newContest(opts options, helm, contender string, tenancies int) *contest {
	return &contest{
		opts: opts, helm: helm, charts: filepath.Join(opts.root, "charts"),
		result: &result{Contender: contender, Workload: workload{Tenancies: tenancies}},
	}
}

// runAll does everything the options ask for.
func runAll(ctx context.Context, opts options) (results, error) {
	root, err := filepath.Abs(opts.root)
	if err != nil {
		return nil, fmt.Errorf("find the root of the repository: %w", err)
	}
	opts.root = root
	if _, err := os.Stat(operatorBinary(root)); err != nil {
		return nil, fmt.Errorf("the operator is not built: run make bench, or make build before: %w", err)
	}
	helm, err := buildHelm(ctx, root)
	if err != nil {
		return nil, err
	}
	var all results
	do := func(sizes []int, more bool, contenders ...string) error {
		for _, n := range sizes {
			for _, name := range contenders {
				if opts.only != "" && opts.only != name {
					continue
				}
				c := newContest(opts, helm, name, n)
				c.more = more
				err := c.run(ctx, c.phases)
				if c.result.Install != nil {
					all = append(all, c.result)
				}
				if err == nil && more && name == operatorName {
					err = playScenarios(ctx, opts, helm, c.result)
				}
				if err != nil {
					return fmt.Errorf("%s with %d tenancies: %w", name, n, err)
				}
			}
		}
		return nil
	}
	if err := do(opts.sizes, false, floorName, helmName, operatorName); err != nil {
		return all, err
	}
	err = do(opts.more, true, floorName, operatorName)
	return all, err
}

// buildHelm builds helm from the Go module, if it is not built yet.
func buildHelm(ctx context.Context, root string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "-n", "helm")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build helm: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// run does the phases on a cluster of its own.
func (c *contest) run(ctx context.Context, phases func(context.Context, contender) error) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	c.progress("starting a local cluster")
	c.stage, err = setUp(ctx, c.opts.root)
	defer func() { err = errors.Join(err, c.stage.tearDown()) }()
	defer cancel() // before the cluster goes
	if err != nil {
		return err
	}
	who, err := c.prepare(ctx)
	defer func() { err = errors.Join(err, who.end()) }()
	if err != nil {
		return err
	}
	if c.last, err = c.read(who); err != nil {
		return err
	}
	c.last.used = usage{} // what starting has cost the operator is part of its first phase
	return phases(ctx, who)
}

// prepare makes the contender, which must be ended, also after an error.
func (c *contest) prepare(ctx context.Context) (contender, error) {
	r := c.result
	if r.Contender == operatorName {
		return startOperator(ctx, c.stage, r.Workload, c.charts, c.opts.profiles)
	}
	w := &worker{job: job{
		Contender: r.Contender, Workload: r.Workload,
		Kubeconfig: c.stage.kubeconfig, Watcher: c.stage.cluster.Kubeconfig(),
		Helm: c.helm, Charts: filepath.Join(c.opts.root, "charts"),
	}}
	var err error
	if r.Contender == floorName {
		w.job.Patterns, err = c.stage.makePatterns(ctx, c.helm, r.Workload)
	}
	return w, err
}

func (c *contest) phases(ctx context.Context, who contender) (err error) {
	r, op := c.result, asOperator(who)
	begin := time.Now()
	if r.Install, err = c.timed("install all", who, 0, func() (time.Duration, error) { return who.install(ctx) }); err != nil {
		return err
	}
	if op != nil {
		r.Deployed = op.deployed()
		if r.Size, err = op.ready(ctx); err != nil {
			return err
		}
		r.Ready = time.Since(begin)
	}
	if err := c.edits(ctx, who); err != nil {
		return err
	}
	if r.Upgrade, err = c.measure("upgrade all", who, 0, func() (time.Duration, error) { return who.upgrade(ctx) }); err != nil {
		return err
	}
	if err := settle(ctx, c.stage.admin, r.Workload); err != nil {
		return err
	}
	if op != nil {
		if err := c.quiet(ctx, op); err != nil {
			return err
		}
	}
	if r.Uninstall, err = c.measure("uninstall all", who, 0, func() (time.Duration, error) { return who.uninstall(ctx) }); err != nil {
		return err
	}
	r.Peak = c.last.used.Peak
	return nil
}

func asOperator(who contender) *operator {
	op, _ := who.(*operator) // nil for the others
	return op
}

// edits are timed when everything runs, and at rest again afterwards.
func (c *contest) edits(ctx context.Context, who contender) (err error) {
	r := c.result
	n := min(editCount, r.Workload.Tenancies)
	if r.Contender == helmName {
		n = min(helmEdits, n)
	}
	if err := settle(ctx, c.stage.admin, r.Workload); err != nil {
		return err
	}
	if err := c.rest(ctx, who); err != nil {
		return err
	}
	_, err = c.measure("single edits", who, 0, func() (time.Duration, error) {
		r.Edits, err = who.edit(ctx, n)
		return percentile(r.changed(), 50), err
	})
	if err != nil {
		return err
	}
	return settle(ctx, c.stage.admin, r.Workload)
}

// quiet are the phases in which the operator has nothing to do, and then the one in
// which pods flap.
func (c *contest) quiet(ctx context.Context, op *operator) (err error) {
	r := c.result
	if r.Size, err = op.ready(ctx); err != nil {
		return err
	}
	if err := c.rest(ctx, op); err != nil {
		return err
	}
	if r.Idle, err = c.measure("idle", op, 0, func() (time.Duration, error) { return idleTime, sleep(ctx, idleTime) }); err != nil {
		return err
	}
	r.Restart, err = c.measure("restart", op, afterRestart, func() (time.Duration, error) { return op.restart(ctx) })
	if err != nil || !c.more || !c.opts.plays(scenarioFlap) {
		return err
	}
	return c.flap(ctx, op)
}

// rest lets the cluster finish what the last phase has left it to do.
func (c *contest) rest(ctx context.Context, who contender) error {
	_, err := c.measure("coming to rest", who, 0, func() (time.Duration, error) { return calm, sleep(ctx, calm) })
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// measure does a phase, and says what it took.
func (c *contest) measure(name string, who contender, longer time.Duration, do func() (time.Duration, error)) (*sample, error) {
	if _, err := c.sample(who); err != nil { // what was between the phases
		return nil, err
	}
	return c.timed(name, who, longer, do)
}

// timed does a phase, and says what was used since the last sample until a while
// after the phase.
func (c *contest) timed(name string, who contender, longer time.Duration, do func() (time.Duration, error)) (*sample, error) {
	c.progress(name)
	took, err := do()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	time.Sleep(longer)
	s, err := c.sample(who)
	if err != nil {
		return nil, err
	}
	s.Wall = took
	c.progress(fmt.Sprintf("%s: %.3f s, %d requests, %.2f s CPU", name, took.Seconds(), s.Requests.total(), s.CPU.Seconds()))
	return s, nil
}

// sample tells what was used since the last call.
func (c *contest) sample(who contender) (*sample, error) {
	asked, written, err := c.stage.audit.take()
	if err != nil {
		return nil, err
	}
	now, err := c.read(who)
	if err != nil {
		return nil, err
	}
	s := now.since(c.last)
	s.Requests, s.Written = asked, written
	c.last = now
	c.result.countStatus(asked)
	return s, nil
}

func (c *contest) progress(text string) {
	fmt.Fprintf(os.Stderr, "bench: %s, %d tenancies: %s\n", c.result.Contender, c.result.Workload.Tenancies, text)
}
