package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// window is how long one CPU profile is. Those of a phase are read together:
// go tool pprof -top install-100-cpu-*.pprof
const window = 5 * time.Second

// profile collects CPU profiles of the operator, one after the other, until the
// returned function is called, and then one of its memory.
func (o *operator) profile(ctx context.Context, phase string) (stop func() error) {
	if o.profiles == "" {
		return func() error { return nil }
	}
	save := func(kind, query string) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+o.pprof+"/debug/pprof/"+query, nil)
		if err != nil {
			return fmt.Errorf("ask for a profile: %w", err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return fmt.Errorf("ask for a profile: %w", err)
		}
		defer func() { _ = answer.Body.Close() }()
		path := filepath.Join(o.profiles, fmt.Sprintf("%s-%d-%s.pprof", phase, o.workload.Tenancies, kind))
		file, err := os.Create(path)
		if err != nil {
			return fmt.Errorf("save a profile: %w", err)
		}
		_, err = io.Copy(file, answer.Body)
		return errors.Join(err, file.Close())
	}
	over, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			err := save(fmt.Sprintf("cpu-%03d", i), fmt.Sprintf("profile?seconds=%d", int(window.Seconds())))
			select {
			case <-over:
				done <- errors.Join(err, save("heap", "heap"))
				return
			default:
			}
			if err != nil {
				done <- err
				return
			}
		}
	}()
	return func() error {
		close(over)
		return <-done
	}
}
