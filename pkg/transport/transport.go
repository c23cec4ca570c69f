// Package transport bounds how long the API server may leave a question without an
// answer, and how many it is asked at a time, and tells of watches. It knows nothing of
// what else is asked.
package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Bound makes a wrapper of round trippers. An answer must be complete within
// patience; a watch may go on for ever, but may be silent for twice that long at
// most. The API server sends most watches a bookmark every minute. An informer
// goes on where a watch ended, so that ending a healthy one costs a request.
func Bound(patience time.Duration) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper { return bound{next: next, patience: patience} }
}

type bound struct {
	next     http.RoundTripper
	patience time.Duration
}

// RoundTrip implements http.RoundTripper.
func (b bound) RoundTrip(req *http.Request) (*http.Response, error) {
	patience, watch := b.patience, watches(req)
	if watch {
		patience *= 2
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	silence := silent(patience)
	timer := time.AfterFunc(patience, func() { cancel(silence) })
	answer, err := b.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		timer.Stop()
		err = because(ctx, silence, err)
		cancel(nil)
		return nil, err
	}
	answer.Body = &body{ReadCloser: answer.Body, read: func(n int, err error) error {
		if watch && n > 0 && ctx.Err() == nil {
			timer.Reset(patience)
		}
		return because(ctx, silence, err)
	}, closed: func() {
		timer.Stop()
		cancel(nil)
	}}
	return answer, nil
}

// WrappedRoundTripper lets client-go find the transport inside.
func (b bound) WrappedRoundTripper() http.RoundTripper { return b.next }

func watches(req *http.Request) bool {
	switch req.URL.Query().Get("watch") {
	case "true", "1":
		return true
	}
	return false
}

// silent is the error of an answer that did not come within its time.
type silent time.Duration

func (s silent) Error() string {
	return fmt.Sprintf("no answer from the API server within %s", time.Duration(s))
}

// Timeout makes it one of the errors that end a watch as its end does.
func (silent) Timeout() bool { return true }

// Temporary completes net.Error.
func (silent) Temporary() bool { return true }

// because says that silence was the cause of an error, when it was.
func because(ctx context.Context, silence, err error) error {
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(ctx), silence) {
		return silence
	}
	return err
}

// body is what is read of an answer, under the same bound.
type body struct {
	io.ReadCloser
	read   func(n int, err error) error
	closed func()
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	return n, b.read(n, err)
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.closed()
	return b.ReadCloser.Close()
}
