package release

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// public are the cluster-scoped kinds that every template may look up: charts choose by
// them, and they tell nothing of other tenancies.
var public = []schema.GroupResource{
	{Group: "storage.k8s.io", Resource: "storageclasses"},
	{Group: "networking.k8s.io", Resource: "ingressclasses"},
	{Group: "scheduling.k8s.io", Resource: "priorityclasses"},
	{Group: "node.k8s.io", Resource: "runtimeclasses"},
	{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"},
}

// lookups is the connection that Helm gives templates for their lookup function. It
// reads in the namespace of the release, and refuses other requests: Helm would make
// them with the rights of the operator.
type lookups struct {
	next http.RoundTripper
	gate gate
	// base is the path below which the API server answers.
	base   string
	mapper func() (meta.RESTMapper, error)
}

// RoundTrip implements http.RoundTripper.
func (l lookups) RoundTrip(req *http.Request) (*http.Response, error) {
	if reason := l.refuse(req.Method, strings.TrimPrefix(req.URL.Path, l.base)); reason != "" {
		return forbidden(req, reason)
	}
	return l.next.RoundTrip(req)
}

// WrappedRoundTripper lets client-go find the transport inside.
func (l lookups) WrappedRoundTripper() http.RoundTripper { return l.next }

// refuse says why a request is not made; empty when it may be.
func (l lookups) refuse(method, path string) string {
	if method != http.MethodGet {
		return method + " is not for templates"
	}
	at := targetOf(path)
	switch {
	case at.resource == "" || at.namespace == l.gate.namespace:
		return ""
	case at.namespace != "":
		return fmt.Sprintf("lookup of %s in namespace %s: templates may look into namespace %s alone", at.resource, at.namespace, l.gate.namespace)
	case at.Group == "" && at.resource == "namespaces" && at.name == l.gate.namespace:
		return ""
	case slices.Contains(public, schema.GroupResource{Group: at.Group, Resource: at.resource}) || l.allowed(at):
		return ""
	}
	return fmt.Sprintf("lookup of %s in the whole cluster: templates may look into namespace %s alone, "+
		"and at cluster-scoped objects of the kinds in allowedClusterKinds", at.resource, l.gate.namespace)
}

// allowed says that a resource is cluster-scoped and of a kind that the release may have.
func (l lookups) allowed(at target) bool {
	mapper, err := l.mapper()
	if err != nil {
		return false
	}
	kind, err := mapper.KindFor(at.WithResource(at.resource))
	if err != nil || !l.gate.allows(kind.Group, kind.Kind) {
		return false
	}
	mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	return err == nil && mapping.Scope.Name() == meta.RESTScopeNameRoot
}

// target is what a request is about. resource is empty when it is about no object:
// which kinds there are, or the version of the API server.
type target struct {
	schema.GroupVersion
	namespace, resource, name string
}

// targetOf reads the path of a request:
// /api/VERSION/... or /apis/GROUP/VERSION/..., then [namespaces/NAMESPACE/]RESOURCE[/NAME].
func targetOf(path string) target {
	var at target
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		at.Version, parts = parts[1], parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		at.Group, at.Version, parts = parts[1], parts[2], parts[3:]
	default:
		return at
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		at.namespace, parts = parts[1], parts[2:]
	}
	at.resource = parts[0]
	if len(parts) > 1 {
		at.name = parts[1]
	}
	return at
}

// forbidden answers as the API server does when something is not allowed.
func forbidden(req *http.Request, reason string) (*http.Response, error) {
	body, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden, Message: reason,
	})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusForbidden, Status: "403 Forbidden", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}, nil
}
