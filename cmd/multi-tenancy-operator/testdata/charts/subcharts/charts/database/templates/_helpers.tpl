{{- define "database.fullname" -}}{{ .Release.Name }}-{{ .Chart.Name }}{{- end }}
