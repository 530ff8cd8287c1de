{{- define "lab.validate" -}}
{{- if hasKey .Values "tunnel" }}{{ fail "tunnel was deprecated in v1.14 and has been removed in v1.15" }}{{ end -}}
{{- if and (eq .Values.ipam.mode "eni") (not .Values.eni.enabled) }}{{ fail "ipam.mode=eni requires eni.enabled=true" }}{{ end -}}
{{- if not (has (toString .Values.kubeProxyReplacement) (list "true" "false")) }}{{ fail "kubeProxyReplacement must be explicitly set to a valid value (true or false) to continue." }}{{ end -}}
{{- if gt (len .Values.cluster.name) 32 }}{{ fail "The cluster name is invalid: must not be more than 32 characters" }}{{ end -}}
{{- if and .Values.eni.enabled (ge (int .Values.cluster.id) 128) (le (int .Values.cluster.id) 255) }}{{ fail "The cluster is invalid: cluster.id must be less than 128 or greater than 255 with ENI IPAM" }}{{ end -}}
{{- if and (eq .Values.cluster.name "default") (ne (int .Values.cluster.id) 0) }}{{ fail "The cluster name is invalid: cannot use default value with cluster.id != 0" }}{{ end -}}
{{- end }}

{{- define "lab.masquerade" -}}
{{- if hasKey .Values "enableIPv4Masquerade" }}{{ .Values.enableIPv4Masquerade }}{{ else }}{{ not .Values.eni.enabled }}{{ end -}}
{{- end }}

{{- define "lab.labels" -}}
app.kubernetes.io/part-of: cilium
helm.sh/chart: cilium-1.20.0
{{- end }}
