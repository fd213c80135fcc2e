{{- define "daybook.labels" -}}
app.kubernetes.io/name: daybook
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* What finds the pods of an app; nothing that changes with a release, which would make a new revision of each. */}}
{{- define "daybook.selector" -}}
app.kubernetes.io/name: daybook
app.kubernetes.io/component: {{ .app }}
{{- end }}
