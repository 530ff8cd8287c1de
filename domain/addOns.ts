/** Namespaces of Kubernetes itself and of what EKS offers as add-ons: a cluster with nothing else is clean. */
const ADD_ON_NAMESPACES: ReadonlySet<string> = new Set([
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

/** Whether a pod is a user's: outside these namespaces, and of no DaemonSet, which every node has. */
export function isUserPod({ namespace, controller }: { namespace: string; controller: string | undefined }): boolean {
  return !ADD_ON_NAMESPACES.has(namespace) && controller !== 'DaemonSet';
}
