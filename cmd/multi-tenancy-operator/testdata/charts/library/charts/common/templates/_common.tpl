{{- define "common.configmap.base" -}}
apiVersion: v1
kind: {{ .Values.kind }}
metadata:
  name: {{ .Release.Name }}
  labels:
    common: {{ .Values.common.exampleValue }}
{{- end -}}
{{- define "common.configmap" -}}
{{- $top := first . -}}
{{- $overrides := fromYaml (include (index . 1) $top) | default (dict) -}}
{{- $base := fromYaml (include "common.configmap.base" $top) | default (dict) -}}
{{- toYaml (merge $overrides $base) -}}
{{- end -}}
{{- define "common.tplvalues.render" -}}
{{- $value := typeIs "string" .value | ternary .value (.value | toYaml) }}
{{- if contains "{{" (toJson .value) }}
{{- tpl $value .context }}
{{- else }}
{{- $value }}
{{- end }}
{{- end -}}
