{{/*
The application's name: label app.kubernetes.io/name.
*/}}
{{- define "statefulset-example.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
The name of the objects: the release and the chart, or the release alone when
it has the chart's name in it. A dot is allowed in a release's name, but not in
a Service's. At most 52 characters: Kubernetes puts the StatefulSet's name and a
hash of 11 characters into a label of its pods.
*/}}
{{- define "statefulset-example.fullname" -}}
{{- $fullname := .Values.fullnameOverride }}
{{- if not $fullname }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $fullname = contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- end }}
{{- $fullname | replace "." "-" | trunc 52 | trimSuffix "-" }}
{{- end }}

{{/*
The tag of the image. It also is the version people see in the labels.
*/}}
{{- define "statefulset-example.tag" -}}
{{- default (printf "%s-alpine" .Chart.AppVersion) .Values.image.tag }}
{{- end }}

{{- define "statefulset-example.image" -}}
{{- printf "%s:%s" .Values.image.repository (include "statefulset-example.tag" .) }}
{{- end }}

{{/*
The labels that select the pods. They must never change: a workload's selector
is immutable.
*/}}
{{- define "statefulset-example.selectorLabels" -}}
app.kubernetes.io/name: {{ include "statefulset-example.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/*
The labels of every object.
*/}}
{{- define "statefulset-example.labels" -}}
{{ include "statefulset-example.selectorLabels" . }}
app.kubernetes.io/version: {{ include "statefulset-example.tag" . | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{/*
The labels of the pods: podLabels, but the selector's labels win. The chart's
version is left out, so that a new chart with the same pods restarts none.
*/}}
{{- define "statefulset-example.podLabels" -}}
{{- $own := include "statefulset-example.selectorLabels" . | fromYaml }}
{{- $_ := set $own "app.kubernetes.io/version" (include "statefulset-example.tag" . | trunc 63 | trimAll "-_.") }}
{{- merge $own (default dict .Values.podLabels) | toYaml }}
{{- end }}

{{- define "statefulset-example.serviceAccountName" -}}
{{- $default := .Values.serviceAccount.create | ternary (include "statefulset-example.fullname" .) "default" }}
{{- default $default .Values.serviceAccount.name }}
{{- end }}

{{/*
The Service that gives every pod a DNS name of its own. A StatefulSet cannot
change it.
*/}}
{{- define "statefulset-example.headlessName" -}}
{{- printf "%s-headless" (include "statefulset-example.fullname" .) }}
{{- end }}

{{/*
What nginx serves. The pods carry a checksum of it, so that a change restarts
them. Files come from the volume; the front page of an empty volume is the
pod's name.
*/}}
{{- define "statefulset-example.nginxConf" -}}
{{- $port := .Values.service.internalPort | int -}}
server {
  listen {{ $port }};
  {{- if .Values.listenIPv6 }}
  listen [::]:{{ $port }};
  {{- end }}
  root {{ .Values.persistence.mountPath }};
  absolute_redirect off;
  server_tokens off;

  location = /healthz {
    access_log off;
    default_type text/plain;
    return 200 "ok\n";
  }
  location = / {
    try_files /index.html @pod;
  }
  location / {
    try_files $uri $uri/ =404;
  }
  location @pod {
    default_type text/plain;
    return 200 "$hostname\n";
  }
}
{{- end }}

{{/*
podSecurityContext. A port below 1024 is for root only, except when this sysctl
says otherwise. It is a safe one: Pod Security "restricted" allows it.
*/}}
{{- define "statefulset-example.podSecurityContext" -}}
{{- $context := deepCopy (default dict .Values.podSecurityContext) }}
{{- if and (lt (int .Values.service.internalPort) 1024) (not (hasKey $context "sysctls")) }}
{{- $sysctl := dict "name" "net.ipv4.ip_unprivileged_port_start" "value" "0" }}
{{- $_ := set $context "sysctls" (list $sysctl) }}
{{- end }}
{{- toYaml $context }}
{{- end }}
