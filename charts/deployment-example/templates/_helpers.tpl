{{/*
The application's name: label app.kubernetes.io/name.
*/}}
{{- define "deployment-example.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
The name of the objects: the release and the chart, or the release alone when
it has the chart's name in it. A dot is allowed in a release's name, but not in
a Service's.
*/}}
{{- define "deployment-example.fullname" -}}
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
{{- define "deployment-example.tag" -}}
{{- default (printf "%s-alpine" .Chart.AppVersion) .Values.image.tag }}
{{- end }}

{{- define "deployment-example.image" -}}
{{- printf "%s:%s" .Values.image.repository (include "deployment-example.tag" .) }}
{{- end }}

{{/*
The labels that select the pods. They must never change: a workload's selector
is immutable.
*/}}
{{- define "deployment-example.selectorLabels" -}}
app.kubernetes.io/name: {{ include "deployment-example.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/*
The labels of every object.
*/}}
{{- define "deployment-example.labels" -}}
{{ include "deployment-example.selectorLabels" . }}
app.kubernetes.io/version: {{ include "deployment-example.tag" . | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{/*
The labels of the pods: podLabels, but the selector's labels win. The chart's
version is left out, so that a new chart with the same pods restarts none.
*/}}
{{- define "deployment-example.podLabels" -}}
{{- $own := include "deployment-example.selectorLabels" . | fromYaml }}
{{- $_ := set $own "app.kubernetes.io/version" (include "deployment-example.tag" . | trunc 63 | trimAll "-_.") }}
{{- merge $own (default dict .Values.podLabels) | toYaml }}
{{- end }}

{{- define "deployment-example.serviceAccountName" -}}
{{- $default := .Values.serviceAccount.create | ternary (include "deployment-example.fullname" .) "default" }}
{{- default $default .Values.serviceAccount.name }}
{{- end }}
