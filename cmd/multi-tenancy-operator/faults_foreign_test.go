package main

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// theirs is the object of somebody else that a record is made to name.
const theirs = "\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: theirs, namespace: foreign-theirs}\n"

// TestForeignObjectInARecord: what a record was made to name by somebody is not
// deleted with the release, nor with its next revision; fault row 30.
func TestForeignObjectInARecord(t *testing.T) {
	const name = "foreign"
	startOperator(t, fixture.Home(t, "", fixture.ConfigMap("conf")))
	kubectl(t, "", "create", "namespace", "foreign-theirs")
	kubectl(t, "", "create", "configmap", "theirs", "-n", "foreign-theirs", "--from-literal=text=theirs")
	untouched := func() {
		t.Helper()
		if diff := cmp.Diff(map[string]string{"theirs": "theirs"}, texts(t, "foreign-theirs")); diff != "" {
			t.Errorf("the ConfigMaps of somebody else (-want +got):\n%s", diff)
		}
	}
	create(t, name, tenant(name, install("conf", "a", "text", "one")))
	awaitReady(t, name)
	point := func(manifest string) string { return manifest + theirs }

	rewrite(t, name, "a.v1", point)
	set(t, name, name, "text", "two")
	eventually(t, patience, holds(t, name, name, "a", 2))
	untouched()

	rewrite(t, name, "a.v2", point)
	rechart(t, name, name, without)
	eventually(t, patience, func() error {
		if got, left := records(t, name), texts(t, name); len(got)+len(left) > 0 {
			return fmt.Errorf("%v and %v are left", got, left)
		}
		return nil
	})
	untouched()
}
