package main

import (
	"strings"

	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// canaryCharts are charts that bring values into messages, each in its way.
func canaryCharts() []fixture.Chart {
	chart := func(name string, files ...string) fixture.Chart {
		c := fixture.ConfigMap(name)
		c.Files["values.yaml"] = "secret: \"\"\nnumber: 0\npin: \"\"\ncore: \"\"\n"
		c.Files["templates/configmap.yaml"] = strings.ReplaceAll(c.Files["templates/configmap.yaml"], ".Values.text", ".Values.secret")
		for i := 0; i+1 < len(files); i += 2 {
			c.Files[files[i]] = files[i+1]
		}
		return c
	}
	hook := func(job, kind string) string {
		return strings.Replace(job, "metadata:\n", "metadata:\n  annotations: {helm.sh/hook: \""+kind+"\", helm.sh/hook-output-log-policy: hook-failed}\n", 1)
	}
	return []fixture.Chart{
		chart("fails", "templates/fails.yaml", `{{ $s := .Values.secret }}{{ $n := .Values.number }}
{{ fail (printf "no good: %s %q %s %s %s %s %s %v %d" $s $s (b64enc $s) ($s | urlquery) (toJson $s) (urlJoin (dict "scheme" "http" "host" "x" "path" $s)) ($s | toJson | toJson) $n ($n | int64)) }}`),
		chart("schema", "values.schema.json", `{"properties": {"secret": {"const": "b"}}}`),
		chart("refused", "templates/pod.yaml", canaryPod),
		chart("type", "templates/deployment.yaml", strings.Replace(fixture.Deployment("type").Files["templates/deployment.yaml"],
			".Values.replicaCount", ".Values.secret | quote", 1)),
		chart("quantity", "templates/quota.yaml", "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: {{ .Values.secret | quote }}}}\n"),
		chart("yaml", "templates/yaml.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  {{ .Values.secret }}\n  {{ .Values.core }}: [\n"),
		chart("hook", "templates/hook.yaml", hook(canaryJob, "pre-install,pre-upgrade")),
		chart("hook-refused", "templates/hook.yaml", hook(canaryPod, "pre-install,pre-upgrade")),
		chart("foreign", "templates/hook.yaml", hook(strings.Replace(canaryJob, "name: hook", "name: hook\n  namespace: {{ .Values.core }}", 1), "pre-delete")),
		chart("uninstall-refused", "templates/hook.yaml", hook(canaryPod, "pre-delete")),
		chart("uninstall-account", "templates/hook.yaml", hook(strings.Replace(canaryPod, "spec:", "spec:\n  serviceAccountName: {{ .Values.secret | quote }}", 1), "pre-delete")),
		chart("account", "templates/deployment.yaml", strings.Replace(fixture.Deployment("account").Files["templates/deployment.yaml"],
			"{{ .Values.replicaCount }}", "1", 1)+"      serviceAccountName: {{ .Values.core }}\n"),
		chart("notes", "templates/NOTES.txt", "The password is {{ .Values.secret }}, the PIN {{ .Values.pin }}.\n"),
		chart("secret", "templates/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: {{ .Release.Name }}-secret}\ndata: {secret: {{ .Values.secret | b64enc }}}\n"),
		picky(),
	}
}

// canaryPod is a pod that the API server refuses for each way in which it quotes.
const canaryPod = `apiVersion: v1
kind: Pod
metadata:
  name: refused
spec:
  nodeSelector: {x: {{ .Values.secret | quote }}, y: "{{ .Values.pin }} {{ .Values.pin }}!"}
  volumes:
    - {name: {{ .Values.pin | lower }}, emptyDir: {}}
    - {name: {{ .Values.pin | lower }}, emptyDir: {}}
    - {name: {{ .Values.pin | quote }}, emptyDir: {}}
    - {name: {{ .Values.pin | quote }}, emptyDir: {}}
  containers:
    - name: main
      image: registry.k8s.io/pause:3.10
      imagePullPolicy: {{ .Values.pin }}
      env: [{name: {{ .Values.secret | quote }}, value: x}]
      ports: [{name: a, containerPort: 1, protocol: {{ .Values.secret | quote }}}]
      volumeMounts: [{name: "{{ .Values.pin }} {{ .Values.pin }}", mountPath: /x}]
`

// canaryJob is a job that never ends.
const canaryJob = `apiVersion: batch/v1
kind: Job
metadata:
  name: hook
spec:
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {nowhere: "true"}
      containers:
        - name: main
          image: registry.k8s.io/pause:3.10
          args: [{{ .Values.secret | quote }}, {{ .Values.pin | quote }}]
          env: [{name: SECRET, value: {{ .Values.secret | quote }}}]
`
