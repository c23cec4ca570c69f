// Package drift tells whether somebody else changed an object of a release. It
// does no I/O.
package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Mark is short and changes whenever somebody writes to an object what is not its
// status: its generation and who manages which fields since when tell. An
// object whose status nobody has ever written is told by its resource version,
// which nothing else changes then.
func Mark(object metav1.Object) string {
	h := sha256.New()
	fmt.Fprintln(h, object.GetUID(), object.GetGeneration())
	status := false
	for _, f := range object.GetManagedFields() {
		if f.Subresource != "" {
			status = true
			continue
		}
		var at time.Time
		if f.Time != nil {
			at = f.Time.UTC()
		}
		fmt.Fprintln(h, f.Manager, f.Operation, at)
		if f.FieldsV1 != nil {
			h.Write(canonical(f.FieldsV1.GetRawBytes()))
		}
	}
	if !status && object.GetGeneration() == 0 {
		fmt.Fprintln(h, object.GetResourceVersion())
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// canonical is JSON in one notation: clients that decode an object put the keys of
// its fields in another order than the API server does.
func canonical(text []byte) []byte {
	var value any
	if json.Unmarshal(text, &value) != nil {
		return text
	}
	out, err := json.Marshal(value)
	if err != nil {
		return text
	}
	return out
}

// At is the resource version of an object as a number; 0 when it is none.
func At(object metav1.Object) uint64 {
	at, _ := strconv.ParseUint(object.GetResourceVersion(), 10, 64)
	return at
}
