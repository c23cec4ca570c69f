package main

import (
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// TestEndlessTemplates: templates that call themselves, or never end, are found out in a
// process of their own; fault row 118. The operator lives, and others are installed.
func TestEndlessTemplates(t *testing.T) {
	const name, values, loop, deep, fine = "endless", "endless-values", "endless-loop", "endless-deep", "endless-fine"
	text := func(template string) fixture.Chart {
		c := fixture.ConfigMap("c")
		c.Files["templates/configmap.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-conf}\ndata:\n  text: " + template + "\n"
		return c
	}
	named := func(name string, c fixture.Chart) fixture.Chart { c.Name = name; return c }
	op := startOperator(t, fixture.Home(t, "",
		named("tpl", text(`{{ tpl .Values.text . | quote }}`)),
		named("loops", text(`{{ range $i, $_ := until 200000000 }}{{ printf "%d" $i | sha256sum }}{{ end }}`)),
		named("repeats", text(`{{ repeat 1000 (repeat 1000 (repeat 1000 "0123456789")) | quote }}`)),
	))
	create(t, name,
		tenant(values, install("tpl", "a", "text", "{{ tpl .Values.text . }}")),
		tenant(loop, install("loops", "a")),
		tenant(deep, install("repeats", "a")),
		tenant(fine, install("tpl", "a", "text", "{{ .Release.Name }} is fine")),
	)
	eventually(t, patience, told(t, fine, "a is fine"))
	for _, namespace := range []string{values, loop, deep} {
		eventually(t, 2*patience, failed(t, name, namespace, "a", "release "+namespace+"/a", "take more time or memory than they may", "tpl"))
		wantRecords(t, namespace, map[string]string{})
	}
	op.lives()
	set(t, name, values, "text", "mended")
	eventually(t, patience, told(t, values, "mended"))
	op.lives()
}
