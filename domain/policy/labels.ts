/** Labels by which Cilium knows the cluster and the namespace of a pod; `k8s:` says that they come from Kubernetes. */
export const CLUSTER_LABEL = 'io.cilium.k8s.policy.cluster';
export const NAMESPACE_LABEL = 'io.kubernetes.pod.namespace';
export const K8S = 'k8s:';

/** Labels of Cilium's cluster DNS rule: CoreDNS and kube-dns carry the same one on EKS. */
export const DNS = { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } } as const;

/** Carried by every policy of ours: the name of the CrossClusterPolicy that it was rendered from. */
export const POLICY_LABEL = 'ciliate.io/policy';
/** Annotation for people: what it came from. */
export const RENDERED_FROM = 'ciliate.io/rendered-from';

/** The key of a label without where it comes from (`k8s:`, `any:`). */
export function bareKey(key: string): string {
  return key.replace(/^(k8s|any)[:.]/, '');
}

/** `app=web,tier=x`: a label selector of the Kubernetes API, in a fixed order. */
export function selectorText(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels).sort().map((key) => `${key}=${labels[key]}`).join(',');
}
