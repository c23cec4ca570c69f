package admission

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Defaulter writes into a Controller what holds where it says nothing, so that whoever
// reads it sees it. Defaults of the schema are there already. Those of a chart are not
// written where a plan may say otherwise, nor in many tenancies: they would be much of
// the object.
type Defaulter struct {
	// Account is the ServiceAccount of tenancies where nothing names one; empty for none.
	Account string
}

var _ admission.Defaulter[*v1alpha1.Controller] = Defaulter{}

// shownAtMost is how many tenancies may have the defaults of their charts written out.
const shownAtMost = 100

// Default fills in what is not said.
func (d Defaulter) Default(_ context.Context, cr *v1alpha1.Controller) error {
	if !cr.DeletionTimestamp.IsZero() {
		return nil
	}
	if cr.Spec.ServiceAccountName == "" {
		cr.Spec.ServiceAccountName = d.Account
	}
	for i := range cr.Spec.Plans {
		for j := range cr.Spec.Plans[i].Charts {
			c := v1alpha1.Chart(cr.Spec.Plans[i].Charts[j])
			fill(&c)
			cr.Spec.Plans[i].Charts[j] = v1alpha1.PlanChart(c)
		}
	}
	if len(cr.Spec.Tenancies) > shownAtMost {
		return nil
	}
	for i := range cr.Spec.Tenancies {
		if t := &cr.Spec.Tenancies[i]; t.Plan == "" {
			for j := range t.Charts {
				fill(&t.Charts[j])
			}
		}
	}
	return nil
}

// fill writes the defaults of a chart.
func fill(c *v1alpha1.Chart) {
	if c.TimeoutSeconds == 0 {
		c.TimeoutSeconds = int32(tenancy.DefaultTimeout / time.Second)
	}
	if c.OnFailure == "" {
		c.OnFailure = v1alpha1.FailureRetry
	}
	if c.Retries == nil {
		c.Retries = new(int32(tenancy.DefaultRetries))
	}
	if c.CRDs == "" {
		c.CRDs = v1alpha1.CRDsSkip
	}
}
