package transport

import (
	"net/http"

	"k8s.io/client-go/util/flowcontrol"
)

// Pace makes a wrapper of round trippers that begins at most perSecond requests in a
// second, after atOnce that need not wait, and lets at most atOnce wait for the
// beginning of their answer. Informers that lost the API server all come back in the
// moment it does, and too many at once are turned away.
func Pace(perSecond, atOnce int) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return paced{
			next: next, places: make(chan struct{}, atOnce),
			limiter: flowcontrol.NewTokenBucketRateLimiter(float32(perSecond), atOnce),
		}
	}
}

type paced struct {
	next    http.RoundTripper
	places  chan struct{}
	limiter flowcontrol.RateLimiter
}

// RoundTrip implements http.RoundTripper.
func (p paced) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := p.await(req); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	defer func() { <-p.places }()
	return p.next.RoundTrip(req)
}

// await takes a place when it is the request's turn. The place comes first: while
// nothing is answered nothing is begun, and nothing piles up.
func (p paced) await(req *http.Request) error {
	select {
	case p.places <- struct{}{}:
	case <-req.Context().Done():
		return req.Context().Err()
	}
	if err := p.limiter.Wait(req.Context()); err != nil {
		<-p.places
		return err
	}
	return nil
}

// WrappedRoundTripper lets client-go find the transport inside.
func (p paced) WrappedRoundTripper() http.RoundTripper { return p.next }
