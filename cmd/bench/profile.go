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

// profile collects a CPU profile of the operator for a while, beside what it does,
// and then one of its memory. The returned channel tells when that is done.
func (o *operator) profile(ctx context.Context, phase string, length time.Duration) <-chan error {
	done := make(chan error, 1)
	if o.profiles == "" {
		done <- nil
		return done
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
	go func() {
		err := save("cpu", fmt.Sprintf("profile?seconds=%d", int(length.Seconds())))
		done <- errors.Join(err, save("heap", "heap"))
	}()
	return done
}
