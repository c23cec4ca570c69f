package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// run keeps a cluster running in the foreground until it is told to stop.
func run(ctx context.Context, args []string) (err error) {
	o, err := parseOptions("run", args)
	if err != nil {
		return err
	}
	l, err := o.dir.lock()
	if errors.Is(err, errLocked) {
		return fmt.Errorf("start a cluster in %s: %w: see localcluster status", o.dir, err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	if err := l.claim(os.Getpid()); err != nil {
		return err
	}
	if err := o.dir.clear(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.untilEOF {
		// Nothing can interrupt a read of standard input: this goroutine ends
		// with it or with the process.
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	ctl, err := listenControl(o.dir, cancel)
	if err != nil {
		return err
	}
	defer ctl.close()

	s := newSupervisor(o, os.Stderr)
	defer s.close()
	began := time.Now()
	if err := s.start(ctx); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("start the cluster in %s: it was told to stop", o.dir)
		}
		return err
	}
	s.report("ready after %.1f s", time.Since(began).Seconds())
	if err := s.announce(); err != nil {
		return err
	}
	return s.serve(ctx, ctl.requests)
}

// announce writes cluster.json and prints it as one line.
func (s *supervisor) announce() error {
	st := s.state()
	if err := st.write(s.options.dir); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(st); err != nil {
		return fmt.Errorf("print the state of the cluster: %w", err)
	}
	return nil
}
