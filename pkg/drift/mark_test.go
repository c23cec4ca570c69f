package drift_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/drift"
)

func entry(manager, subresource, fields string, at time.Time) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, Subresource: subresource,
		Time: &metav1.Time{Time: at}, FieldsV1: metav1.NewFieldsV1(fields),
	}
}

func TestMark(t *testing.T) {
	now := time.Unix(1e9, 0)
	object := func(change ...func(*metav1.ObjectMeta)) *metav1.ObjectMeta {
		o := &metav1.ObjectMeta{
			UID: "u", Generation: 1, ResourceVersion: "10",
			ManagedFields: []metav1.ManagedFieldsEntry{entry("helm", "", `{"f:spec":{"k:80":{},"k:443":{}}}`, now)},
		}
		for _, c := range change {
			c(o)
		}
		return o
	}
	bare := func(o *metav1.ObjectMeta) { o.Generation = 0 }
	status := func(o *metav1.ObjectMeta) {
		o.ManagedFields = append(o.ManagedFields, entry("kubelet", "status", `{"f:status":{}}`, now))
	}
	written := func(o *metav1.ObjectMeta) { o.ResourceVersion = "11" }
	cases := map[string]struct {
		before, after *metav1.ObjectMeta
		same          bool
	}{
		"a first write to the status": {before: object(), after: object(status, written), same: true},
		"a later write to the status": {
			before: object(bare, status), same: true,
			after: object(bare, status, written, func(o *metav1.ObjectMeta) { o.ManagedFields[1].Time = &metav1.Time{Time: now.Add(time.Hour)} }),
		},
		"the keys of fields in another order": {
			before: object(), same: true,
			after: object(func(o *metav1.ObjectMeta) {
				o.ManagedFields[0].FieldsV1 = metav1.NewFieldsV1(`{"f:spec":{"k:443":{},"k:80":{}}}`)
			}),
		},
		"the clock in another zone": {
			before: object(), same: true,
			after: object(func(o *metav1.ObjectMeta) {
				o.ManagedFields[0].Time = &metav1.Time{Time: now.In(time.FixedZone("away", 3600))}
			}),
		},
		"the spec":                               {before: object(), after: object(func(o *metav1.ObjectMeta) { o.Generation = 2 })},
		"another object of the same name":        {before: object(), after: object(func(o *metav1.ObjectMeta) { o.UID = "other" })},
		"metadata, by somebody else":             {before: object(), after: object(func(o *metav1.ObjectMeta) { o.ManagedFields = append(o.ManagedFields, entry("kubectl", "", `{}`, now)) })},
		"metadata, by the same one, later":       {before: object(), after: object(func(o *metav1.ObjectMeta) { o.ManagedFields[0].Time = &metav1.Time{Time: now.Add(time.Second)} })},
		"metadata, by the same one, at once":     {before: object(), after: object(func(o *metav1.ObjectMeta) { o.ManagedFields[0].FieldsV1 = metav1.NewFieldsV1(`{"f:metadata":{}}`) })},
		"what has neither status nor generation": {before: object(bare), after: object(bare, written)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before, after := drift.Mark(tc.before), drift.Mark(tc.after)
			if (before == after) != tc.same {
				t.Errorf("Mark() = %s and then %s, want the same: %t", before, after, tc.same)
			}
		})
	}
	if drift.Mark(&metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "old"}}}) == "" {
		t.Error("Mark() of an object without times is empty")
	}
}

func TestAt(t *testing.T) {
	for text, want := range map[string]uint64{"": 0, "10": 10, "ten": 0, "18446744073709551615": 1<<64 - 1} {
		if got := drift.At(&metav1.ObjectMeta{ResourceVersion: text}); got != want {
			t.Errorf("At(%q) = %d, want %d", text, got, want)
		}
	}
}
