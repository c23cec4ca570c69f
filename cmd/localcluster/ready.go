package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// probe asks the components of a cluster whether they are usable.
type probe struct {
	server string
	client kubernetes.Interface
	http   *http.Client
}

func newProbe(kubeconfig string) (*probe, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kubeconfig, err)
	}
	config.QPS = -1
	config.Timeout = 5 * time.Second
	client, err := kubernetes.NewForConfig(rest.AddUserAgent(config, "localcluster"))
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", config.Host, err)
	}
	// The certificates of the controllers are self-signed and made at their
	// start; nothing but the status code is read.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	return &probe{server: config.Host, client: client, http: &http.Client{Transport: transport, Timeout: 5 * time.Second}}, nil
}

// ready returns an error as long as the URL does not answer 200.
func (p *probe) ready(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := p.http.Do(request)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}

// awaitAll returns when all the given components are ready.
func (s *supervisor) awaitAll(ctx context.Context, these []component) error {
	for _, c := range these {
		err := s.await(ctx, c.name, []string{c.name}, func(ctx context.Context) error { return s.probe.ready(ctx, c.ready) })
		if err != nil {
			return err
		}
	}
	return nil
}

// await returns when check succeeds. It fails when ctx ends, or when one of
// the named components ends meanwhile.
func (s *supervisor) await(ctx context.Context, what string, needed []string, check func(context.Context) error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for waiting := false; ; waiting = true {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if !waiting {
			s.report("waiting for %s", what)
		}
		for _, c := range s.components {
			running, ok := s.children[c.name]
			if ok && slices.Contains(needed, c.name) && !running.running() {
				return running.failure()
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %w", what, context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}
