/** Namespaces of Kubernetes itself and of what EKS offers as add-ons: a cluster with nothing else is clean. */
export const ADD_ON_NAMESPACES: ReadonlySet<string> = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'amazon-cloudwatch',
  'amazon-guardduty',
  'amazon-network-flow-monitor',
  'aws-observability',
  'cert-manager',
  'external-dns',
  'fluent-bit',
  'kube-state-metrics',
  'opentelemetry-operator-system',
  'prometheus-node-exporter',
]);
