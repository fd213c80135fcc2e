{{- /* Given `root`, `app` and `unit` (an entry of files/functions.yaml). */}}
{{- define "daybook.sidecar" -}}
dapr.io/enabled: "true"
dapr.io/app-id: {{ .app }}
dapr.io/config: {{ .app }}
dapr.io/app-protocol: http
{{- if .unit.receives }}
dapr.io/app-port: "8080"
dapr.io/enable-app-health-check: "true"
dapr.io/app-health-check-path: /livez
dapr.io/app-health-probe-interval: "2"
dapr.io/app-health-probe-timeout: "1500"
dapr.io/app-health-threshold: "3"
{{- end }}
dapr.io/app-token-secret: daybook-app-token
dapr.io/api-token-secret: daybook-api-token
dapr.io/enable-native-sidecar: "true"
dapr.io/read-buffer-size: 32Ki
dapr.io/log-as-json: "true"
# Not 9090, which is Knative's.
dapr.io/metrics-port: "9095"
dapr.io/placement-host-address: ""
{{- if not .unit.jobs }}
dapr.io/scheduler-host-address: ""
{{- end }}
dapr.io/disable-builtin-k8s-secret-store: "true"
dapr.io/sidecar-seccomp-profile-type: RuntimeDefault
dapr.io/sidecar-cpu-request: {{ .root.Values.sidecar.cpuRequest | quote }}
dapr.io/sidecar-memory-request: {{ .root.Values.sidecar.memoryRequest | quote }}
dapr.io/sidecar-memory-limit: {{ .root.Values.sidecar.memoryLimit | quote }}
{{- end }}

{{- define "daybook.container" -}}
name: {{ .unit.name }}
image: {{ .root.Values.image | quote }}
imagePullPolicy: {{ .root.Values.imagePullPolicy }}
args: {{- prepend .functions (printf "/app/%s.mjs" .unit.name) | toYaml | nindent 2 }}
resources: {{- .root.Values.resources | toYaml | nindent 2 }}
securityContext: {{- include "daybook.restricted" . | nindent 2 }}
{{- end }}

{{- define "daybook.restricted" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "daybook.env" -}}
# Reached by the address of the pod, from where it is probed.
- name: HOST
  value: 0.0.0.0
- name: DATABASE_URL
  valueFrom: { secretKeyRef: { name: daybook-database, key: url } }
- name: DATABASE_POOL
  value: {{ .root.Values.database.pool | quote }}
- name: APP_API_TOKEN
  valueFrom: { secretKeyRef: { name: daybook-app-token, key: token } }
- name: DAPR_API_TOKEN
  valueFrom: { secretKeyRef: { name: daybook-api-token, key: token } }
- name: GRANULARITY
  value: {{ .root.Values.granularity }}
{{- if and .unit.public .root.Values.edge.trustedProxies }}
- name: TRUSTED_PROXIES
  value: {{ .root.Values.edge.trustedProxies | quote }}
{{- end }}
{{- range $name, $value := .root.Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- /* Beside who sends mail: asleep when that is. */}}
{{- define "daybook.mailRelay" -}}
- name: mail-relay
  restartPolicy: Always
  image: {{ .root.Values.image | quote }}
  imagePullPolicy: {{ .root.Values.imagePullPolicy }}
  args: [/app/mail-relay.mjs]
  env:
    - name: MAIL_RELAY_PORT
      value: "8025"
    - name: DAYBOOK_DATA_DIR
      value: /tmp
    - name: MAIL_RELAY_TOKEN
      valueFrom: { secretKeyRef: { name: daybook-mail, key: token } }
    {{- if .root.Values.mailRelay.smtp }}
    - name: MAIL_SMTP_URL
      valueFrom: { secretKeyRef: { name: daybook-mail, key: smtp-url } }
    {{- end }}
  resources: {{- .root.Values.resources | toYaml | nindent 4 }}
  securityContext: {{- include "daybook.restricted" . | nindent 4 }}
  volumeMounts:
    - { name: tmp, mountPath: /tmp }
{{- end }}
