{{ define "legacy.name" }}{{ .Release.Name }}{{ end }}
