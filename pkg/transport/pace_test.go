package transport_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/transport"
)

// roundTripper is a function that answers requests.
type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

func ask(ctx context.Context, through http.RoundTripper) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://server", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := through.RoundTrip(req)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// TestPace: requests that come all at once are spread, fault row 78.
func TestPace(t *testing.T) {
	const perSecond, atOnce, all = 20, 10, 110
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		answering := make(chan struct{})
		var begun atomic.Int32
		through := transport.Pace(perSecond, atOnce)(roundTripper(func(*http.Request) (*http.Response, error) {
			begun.Add(1)
			<-answering
			return &http.Response{Body: http.NoBody}, nil
		}))
		var requests sync.WaitGroup
		for range all {
			requests.Go(func() {
				if err := ask(t.Context(), through); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Minute) // on the clock of the bubble
		if n := begun.Load(); n != atOnce {
			t.Errorf("%d requests began while nothing was answered, want %d", n, atOnce)
		}
		close(answering)
		requests.Wait()
		last := time.Since(begin) - time.Minute
		// The first ten had begun, and ten more need not wait after a rest.
		if want := (all - 2*atOnce) * time.Second / perSecond; last < want-time.Second/perSecond || last > want+time.Second {
			t.Errorf("all were answered after %s, want %s", last, want)
		}
	})
}

// TestPaceEnds: who no longer wants an answer does not wait for its turn.
func TestPaceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		through := transport.Pace(1, 1)(roundTripper(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		for range cap(ended) {
			go func() { ended <- ask(ctx, through) }()
		}
		synctest.Wait()
		cancel()
		for range cap(ended) {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("RoundTrip() = %v, want %v", err, context.Canceled)
			}
		}
	})
}
