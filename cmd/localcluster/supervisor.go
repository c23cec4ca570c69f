package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// startPatience bounds the start of a cluster or of one component.
const startPatience = 3 * time.Minute

// supervisor owns the processes of one cluster. All its methods run on one
// goroutine; requests from outside come in through the control socket.
type supervisor struct {
	options    options
	spawner    *spawner
	ended      chan struct{} // some child has ended
	components []component
	children   map[string]*child
	reported   map[*child]bool // ended children that have been logged
	probe      *probe
	progress   io.Writer
}

// newSupervisor returns the supervisor of a cluster that has not been started.
// The caller must call close.
func newSupervisor(o options, progress io.Writer) *supervisor {
	return &supervisor{
		options:  o,
		spawner:  newSpawner(),
		ended:    make(chan struct{}, 1),
		children: map[string]*child{},
		reported: map[*child]bool{},
		progress: progress,
	}
}

// close ends the cluster and waits until all of it is gone.
func (s *supervisor) close() {
	s.stop()
	s.spawner.close()
}

// start brings the cluster up. Another program may take a port between its
// release and its use, so that is tried again with other ports.
func (s *supervisor) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	const attempts = 3
	for attempt := 1; ; attempt++ {
		err := s.tryStart(ctx)
		if err == nil || attempt == attempts || !strings.Contains(err.Error(), "address already in use") {
			return err
		}
		s.report("a port was taken, starting again with others")
		s.stop()
		if err := s.options.dir.clear(); err != nil {
			return err
		}
	}
}

func (s *supervisor) tryStart(ctx context.Context) (err error) {
	p, err := choosePorts()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.release()) }()
	if err := s.prepare(p); err != nil {
		return err
	}
	for i, c := range s.components {
		if err := p.release(c.ports...); err != nil {
			return fmt.Errorf("release the ports of %s: %w", c.name, err)
		}
		if err := s.launch(c, c.args); err != nil {
			return err
		}
		if c.name == kubeAPIServer {
			// The others would only wait for it, and longer than needed.
			if err := s.awaitAll(ctx, s.components[:i+1]); err != nil {
				return err
			}
		}
	}
	err = s.await(ctx, fmt.Sprintf("%d nodes to be created", s.options.nodes), s.names(), func(ctx context.Context) error {
		return createObjects(ctx, s.probe.client, s.options.nodes)
	})
	if err != nil {
		return err
	}
	err = s.await(ctx, "the service account default/default", s.names(), func(ctx context.Context) error {
		return accountReady(ctx, s.probe.client)
	})
	if err != nil {
		return err
	}
	err = s.await(ctx, "the nodes to be ready", s.names(), func(ctx context.Context) error {
		return nodesReady(ctx, s.probe.client, s.options.nodes)
	})
	if err != nil {
		return err
	}
	return s.awaitAll(ctx, s.components)
}

// prepare writes the files that the components read.
func (s *supervisor) prepare(p *ports) error {
	d := s.options.dir
	if err := os.MkdirAll(d.path("log"), 0o700); err != nil {
		return fmt.Errorf("create directory %s: %w", d.path("log"), err)
	}
	identity, err := newPKI(d)
	if err != nil {
		return err
	}
	if err := identity.writeKubeconfig(d, "https://"+loopback(p.apiserver)); err != nil {
		return err
	}
	if err := writeStages(d, s.options.pods); err != nil {
		return err
	}
	s.components = components(s.options, p)
	s.probe, err = newProbe(d.kubeconfig())
	return err
}

func (s *supervisor) launch(c component, args []string) error {
	started, err := startChild(s.spawner, s.options.dir, c.name, args, s.ended)
	if err != nil {
		return err
	}
	s.children[c.name] = started
	return nil
}

// serve answers requests and notices components that end, until ctx is done.
// A component that ends is not started again: tests kill them on purpose.
func (s *supervisor) serve(ctx context.Context, requests <-chan request) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.ended:
			if err := s.noticeEnds(); err != nil {
				return err
			}
		case r := <-requests:
			r.answer <- s.handle(ctx, r)
		}
	}
}

func (s *supervisor) noticeEnds() error {
	for _, c := range s.children {
		if !c.running() && !s.reported[c] {
			s.reported[c] = true
			s.report("%s (pid %d) ended: %v", c.name, c.pid, c.err)
		}
	}
	return s.state().write(s.options.dir)
}

func (s *supervisor) handle(ctx context.Context, r request) response {
	if r.component == "" {
		return response{state: s.state()}
	}
	return response{err: s.restart(ctx, r.component, r.flags), state: s.state()}
}

// restart stops the component if it runs and starts it again with its own and
// the given flags; it returns when the component is ready.
func (s *supervisor) restart(ctx context.Context, name string, flags []string) error {
	c, err := findComponent(s.components, name)
	if err != nil {
		return err
	}
	s.children[name].stop()
	if err := s.launch(c, slices.Concat(c.args, flags)); err != nil {
		return err
	}
	s.report("%s started again (pid %d)", name, s.children[name].pid)
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	return errors.Join(s.awaitAll(ctx, []component{c}), s.state().write(s.options.dir))
}

// stop ends all children, the last started first, and waits for each.
func (s *supervisor) stop() {
	for _, c := range slices.Backward(s.components) {
		if running, ok := s.children[c.name]; ok {
			running.stop()
		}
	}
	clear(s.children)
}

func (s *supervisor) state() state {
	st := state{Kubeconfig: s.options.dir.kubeconfig(), Server: s.probe.server, Dir: string(s.options.dir), PID: os.Getpid()}
	for _, c := range s.components {
		running := s.children[c.name]
		st.Components = append(st.Components, componentState{Name: c.name, PID: running.pid, Log: running.log, Up: running.running()})
	}
	return st
}

func (s *supervisor) names() []string {
	names := make([]string, 0, len(s.components))
	for _, c := range s.components {
		names = append(names, c.name)
	}
	return names
}

func (s *supervisor) report(format string, args ...any) {
	fmt.Fprintf(s.progress, "localcluster: "+format+"\n", args...)
}
