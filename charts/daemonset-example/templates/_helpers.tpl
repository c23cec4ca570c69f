{{/*
The application's name: label app.kubernetes.io/name.
*/}}
{{- define "daemonset-example.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
The name of the objects: the release and the chart, or the release alone when
it has the chart's name in it. A dot is allowed in a release's name, but not in
a Service's.
*/}}
{{- define "daemonset-example.fullname" -}}
{{- $fullname := .Values.fullnameOverride }}
{{- if not $fullname }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $fullname = contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- end }}
{{- $fullname | replace "." "-" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
The tag of the image. It also is the version people see in the labels.
*/}}
{{- define "daemonset-example.tag" -}}
{{- default (printf "v%s" .Chart.AppVersion) .Values.image.tag }}
{{- end }}

{{- define "daemonset-example.image" -}}
{{- printf "%s:%s" .Values.image.repository (include "daemonset-example.tag" .) }}
{{- end }}

{{/*
The labels that select the pods. They must never change: a workload's selector
is immutable.
*/}}
{{- define "daemonset-example.selectorLabels" -}}
app.kubernetes.io/name: {{ include "daemonset-example.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/*
The labels of every object.
*/}}
{{- define "daemonset-example.labels" -}}
{{ include "daemonset-example.selectorLabels" . }}
app.kubernetes.io/version: {{ include "daemonset-example.tag" . | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{/*
The labels of the pods: podLabels, but the selector's labels win. The chart's
version is left out, so that a new chart with the same pods restarts none.
*/}}
{{- define "daemonset-example.podLabels" -}}
{{- $own := include "daemonset-example.selectorLabels" . | fromYaml }}
{{- $_ := set $own "app.kubernetes.io/version" (include "daemonset-example.tag" . | trunc 63 | trimAll "-_.") }}
{{- merge $own (default dict .Values.podLabels) | toYaml }}
{{- end }}

{{- define "daemonset-example.serviceAccountName" -}}
{{- $default := .Values.serviceAccount.create | ternary (include "daemonset-example.fullname" .) "default" }}
{{- default $default .Values.serviceAccount.name }}
{{- end }}
