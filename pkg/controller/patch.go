package controller

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// op is a step of a JSON patch (RFC 6902).
type op struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// change is the patch that gives a Controller its next status. A merge patch would hold
// every tenancy when one of them changes, since it replaces a list as a whole; this
// one holds those that changed. It is refused when somebody else wrote in between, and
// nil when nothing changes.
func change(cr *v1alpha1.Controller, next v1alpha1.ControllerStatus) (client.Patch, error) {
	var ops []op
	switch {
	case sameTenancies(cr.Status, next):
		ops = inPlace(cr.Status, next)
	case !equality.Semantic.DeepEqual(cr.Status, next):
		ops = []op{{"add", "/status", next}}
	}
	if len(ops) == 0 {
		return nil, nil
	}
	ops = append(ops, op{"replace", "/metadata/resourceVersion", cr.ResourceVersion})
	data, err := json.Marshal(ops)
	if err != nil {
		return nil, fmt.Errorf("write the status of Controller %s as a patch: %w", cr.Name, err)
	}
	return client.RawPatch(types.JSONPatchType, data), nil
}

// sameTenancies says that two statuses show the same tenancies in the same order.
func sameTenancies(before, next v1alpha1.ControllerStatus) bool {
	return before.Summary != nil && next.Summary != nil && before.Omitted == next.Omitted &&
		slices.EqualFunc(before.Tenancies, next.Tenancies, func(a, b v1alpha1.TenancyEntry) bool { return a.Namespace == b.Namespace })
}

// inPlace replaces what is different between two statuses of the same tenancies.
func inPlace(before, next v1alpha1.ControllerStatus) []op {
	var ops []op
	replace := func(field string, before, next any) {
		if !equality.Semantic.DeepEqual(before, next) {
			ops = append(ops, op{"add", "/status/" + field, next}) // add also replaces
		}
	}
	replace("observedGeneration", before.ObservedGeneration, next.ObservedGeneration)
	replace("conditions", before.Conditions, next.Conditions)
	replace("summary", before.Summary, next.Summary)
	replace("display", before.Display, next.Display)
	for i := range next.Tenancies {
		if !equality.Semantic.DeepEqual(before.Tenancies[i], next.Tenancies[i]) {
			ops = append(ops, op{"replace", fmt.Sprintf("/status/tenancies/%d", i), next.Tenancies[i]})
		}
	}
	return ops
}

// weights remembers how many bytes of a Controller are not its status, which change
// with its spec alone, but for a few.
type weights struct {
	generation string
	rest       int
}

func (w *weights) of(cr *v1alpha1.Controller) int {
	generation := fmt.Sprintf("%s %d", cr.UID, cr.Generation)
	if generation == w.generation {
		return w.rest
	}
	rest := *cr
	rest.Status = v1alpha1.ControllerStatus{}
	data, err := json.Marshal(rest)
	if err != nil {
		return 0 // it came as JSON
	}
	w.generation, w.rest = generation, len(data)
	return w.rest
}
