package transport_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/transport"
)

type answering struct{}

func (answering) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

func TestWatches(t *testing.T) {
	cases := map[string]struct {
		path string
		want []string
	}{
		"no watch":                       {"/api/v1/pods?limit=500", nil},
		"a watch that goes on":           {"/api/v1/pods?watch=true&resourceVersion=7", []string{"pods false"}},
		"a watch that begins anew":       {"/api/v1/pods?watch=true&sendInitialEvents=true", []string{"pods true"}},
		"of one namespace":               {"/api/v1/namespaces/foo/pods?watch=true", []string{"pods false"}},
		"of namespaces":                  {"/api/v1/namespaces?watch=true", []string{"namespaces false"}},
		"of a group":                     {"/apis/apps/v1/deployments?watch=true", []string{"deployments.apps false"}},
		"of a group in one namespace":    {"/apis/apps/v1/namespaces/foo/deployments?watch=1", []string{"deployments.apps false"}},
		"behind a prefix":                {"/k8s/clusters/c1/apis/apps/v1/namespaces/foo/deployments?watch=true", []string{"deployments.apps false"}},
		"of the core group, in a prefix": {"/k8s/clusters/c1/api/v1/pods?watch=true", []string{"pods false"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			trip := transport.Watches(func(resource string, anew bool) { got = append(got, fmt.Sprint(resource, " ", anew)) })(answering{})
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com"+tc.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := trip.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("what is told (-want +got):\n%s", diff)
			}
		})
	}
}
