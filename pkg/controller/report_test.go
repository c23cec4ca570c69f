package controller

import (
	"context"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/status"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// tenanciesOf is a client that lists Tenancies of one name.
type tenanciesOf struct {
	client.Client
	namespaces []string
}

func (c *tenanciesOf) List(_ context.Context, to client.ObjectList, _ ...client.ListOption) error {
	list, ok := to.(*v1alpha1.TenancyList)
	if !ok {
		return nil
	}
	for _, ns := range c.namespaces {
		t := v1alpha1.Tenancy{}
		t.Namespace, t.Name = ns, "one"
		list.Items = append(list.Items, t)
	}
	return nil
}

// TestReadyAfterItsTenancies: a Controller is told to be ready when its Tenancies are
// there, or could not be made for a while.
func TestReadyAfterItsTenancies(t *testing.T) {
	api := &tenanciesOf{namespaces: []string{"a"}}
	r := &Report{Client: api, Known: &Known{Watch: watched{}}}
	cr := &v1alpha1.Controller{}
	cr.Name = "one"
	now := time.Unix(1e9, 0)
	ready := status.Rollup(status.Facts{Desired: []tenancy.Tenancy{{Namespace: "a"}, {Namespace: "b"}}})
	unready := status.Rollup(status.Facts{Desired: []tenancy.Tenancy{{Namespace: "c", Releases: []tenancy.Release{{}}}}})

	if r.early(t.Context(), cr, unready, now) {
		t.Error("what is not ready is not told")
	}
	if !r.early(t.Context(), cr, ready, now) || !r.early(t.Context(), cr, ready, now.Add(tenanciesWithin-1)) {
		t.Error("it is told though a Tenancy is missing")
	}
	if r.early(t.Context(), cr, ready, now.Add(tenanciesWithin)) {
		t.Error("a Tenancy that cannot be made keeps it from being told")
	}
	api.namespaces = []string{"a", "b"}
	if r.early(t.Context(), cr, ready, now) || !r.withheld.IsZero() {
		t.Error("it is not told though the Tenancies are there")
	}
}
