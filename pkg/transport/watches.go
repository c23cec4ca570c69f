package transport

import (
	"net/http"
	"strings"
)

// Watches makes a wrapper of round trippers that tells of each request for a watch,
// also of one that fails: which resource ("pods", "deployments.apps"), and whether it
// asks for what there is as well, as informers do when they begin and when the API
// server can no longer say what they missed. Otherwise it goes on where another watch
// ended. tell is called at once and must not block.
func Watches(tell func(resource string, anew bool)) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper { return watched{next: next, tell: tell} }
}

type watched struct {
	next http.RoundTripper
	tell func(resource string, anew bool)
}

// RoundTrip implements http.RoundTripper.
func (w watched) RoundTrip(req *http.Request) (*http.Response, error) {
	if watches(req) {
		w.tell(resourceOf(req.URL.Path), req.URL.Query().Get("sendInitialEvents") == "true")
	}
	return w.next.RoundTrip(req)
}

// WrappedRoundTripper lets client-go find the transport inside.
func (w watched) WrappedRoundTripper() http.RoundTripper { return w.next }

// resourceOf is the resource at the path of a collection, with its group:
// [prefix]/api/VERSION/[namespaces/NAME/]RESOURCE or
// [prefix]/apis/GROUP/VERSION/[namespaces/NAME/]RESOURCE.
func resourceOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	last := len(parts) - 1
	group := last - 2
	if last >= 4 && parts[last-2] == "namespaces" {
		group -= 2
	}
	if group < 0 || parts[group] == "api" {
		return parts[last]
	}
	return parts[last] + "." + parts[group]
}
